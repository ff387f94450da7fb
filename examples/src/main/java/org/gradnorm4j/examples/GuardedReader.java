package org.gradnorm4j.examples;

import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;
import java.util.Locale;

/**
 * Refuses what is no CSV before it costs memory: characters of binary files, and a row that does
 * not end, as after a quote that is never closed, where the parser would collect the rest of the
 * file.
 */
final class GuardedReader extends FilterReader {
  /** Of a row, in characters; the parser's buffer comes on top. */
  static final int LIMIT = 1 << 20;

  private long sinceRow;

  GuardedReader(Reader in) {
    super(in);
  }

  /** The parser has returned a row. */
  void rowEnded() {
    sinceRow = 0;
  }

  @Override
  public int read() throws IOException {
    int character = super.read();
    if (character >= 0) {
      check(new char[] {(char) character}, 0, 1);
    }
    return character;
  }

  @Override
  public int read(char[] buffer, int offset, int length) throws IOException {
    int count = super.read(buffer, offset, length);
    check(buffer, offset, Math.max(count, 0));
    return count;
  }

  private void check(char[] buffer, int offset, int count) throws IOException {
    for (int i = offset; i < offset + count; i++) {
      if (buffer[i] == '\0') {
        throw new Refused(
            "this is not plain text. Export the table as CSV, or name its encoding, such as"
                + " --charset UTF-16");
      }
    }
    sinceRow += count;
    if (sinceRow > LIMIT) {
      throw new Refused(
          String.format(
              Locale.ROOT,
              "a row has more than %d characters. Is a quote (\") in it never closed?",
              LIMIT));
    }
  }

  /** Says why, and what to do about it. */
  static final class Refused extends IOException {
    private static final long serialVersionUID = 1L;

    private Refused(String message) {
      super(message);
    }
  }
}
