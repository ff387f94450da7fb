package org.gradnorm4j.examples;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;

/** Looks for the line of a file that is not in its charset, one whose line feed is a byte 10. */
final class CharsetCheck implements AutoCloseable {
  private static final int LONGEST = 4 * GuardedReader.LIMIT;

  private final InputStream in;
  private final Charset charset;

  CharsetCheck(Path file, Charset charset) throws IOException {
    this.in = new BufferedInputStream(Files.newInputStream(file));
    this.charset = charset;
  }

  /** From 1; 0 if no line alone is to blame. A line that does not end counts as bad. */
  long firstBadLine() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    long line = 1;
    for (int next = in.read(); next >= 0; next = in.read()) {
      if (bytes.size() > LONGEST || (next == '\n' && !decodes(bytes))) {
        return line;
      }
      if (next == '\n') {
        line++;
        bytes.reset();
      } else {
        bytes.write(next);
      }
    }
    return decodes(bytes) ? 0 : line;
  }

  private boolean decodes(ByteArrayOutputStream bytes) {
    try {
      charset.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())); // reports by default
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
