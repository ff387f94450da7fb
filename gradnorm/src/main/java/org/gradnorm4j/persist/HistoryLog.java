package org.gradnorm4j.persist;

import java.io.BufferedOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;

/**
 * A file beside checkpoints that only ever grows: the history, to which each checkpoint appends
 * what is new and of which it keeps a {@link Mark}. What comes after a mark does not count for its
 * checkpoint, so a kill in the middle of appending damages none.
 *
 * <p>Only who began a file appends to it: a process that goes on with a run begins another, under
 * another random name. So two that go on from one checkpoint do not disturb each other. Internal to
 * the library; not for use by several threads at once.
 */
public final class HistoryLog {
  private static final String PREFIX = "history-";
  private static final String SUFFIX = ".log";
  private static final Pattern NAME = Pattern.compile(PREFIX + "[0-9a-f]{32}" + SUFFIX);
  private static final int BUFFER = 1 << 16;

  private final Path folder;
  private Mark end;
  private CRC32 checksum;

  /**
   * Writes nothing yet.
   *
   * @param folder of the checkpoints
   */
  public HistoryLog(Path folder) {
    this.folder = folder;
  }

  /**
   * How far a file counts.
   *
   * @param file its name, without a folder: it is beside the checkpoint
   * @param length in bytes
   * @param crc32 of these bytes
   */
  public record Mark(String file, long length, long crc32) {
    /**
     * Refuses every name but those that a {@link HistoryLog} gives.
     *
     * @param file see above
     * @param length see above
     * @param crc32 see above
     * @throws IllegalArgumentException if one of them is impossible
     */
    public Mark {
      if (!NAME.matcher(file).matches() || length < 0) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "'%s' of %d bytes cannot be the file of a history", file, length));
      }
    }
  }

  /** Writes a part of a history. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes all of it.
     *
     * @param out buffered; not to be closed
     * @throws IOException if it cannot be written
     */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Reads a history.
   *
   * @param <T> of the result
   */
  @FunctionalInterface
  public interface Reader<T> {
    /**
     * Reads all of it.
     *
     * @param in buffered; ends where the history ends
     * @return anything
     * @throws IOException if it cannot be read
     */
    T read(InputStream in) throws IOException;
  }

  /**
   * Begins a file.
   *
   * @param content its first part
   * @return its end
   * @throws IOException if it cannot be written; nothing is left of it then
   */
  public Mark begin(Content content) throws IOException {
    String name =
        PREFIX + UUID.randomUUID().toString().replace("-", "").toLowerCase(Locale.ROOT) + SUFFIX;
    Path file = folder.resolve(name);
    end = null;
    checksum = new CRC32();
    try {
      Mark first = write(new Mark(name, 0, 0), content, StandardOpenOption.CREATE_NEW);
      AtomicFile.forceFolder(folder);
      end = first;
      return first;
    } catch (Throwable e) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException left) {
        e.addSuppressed(left);
      }
      throw e;
    }
  }

  /**
   * Whether there is a file to append to, as long as it should be.
   *
   * @return false before {@link #begin}, or if somebody has cleared away
   */
  public boolean canAppend() {
    if (end == null) {
      return false;
    }
    try {
      return Files.size(folder.resolve(end.file())) >= end.length();
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Appends to the file, after the last mark.
   *
   * @param content its next part
   * @return the new end
   * @throws IOException if it cannot be written; the file counts up to the last mark then
   * @throws IllegalStateException if there is none, see {@link #canAppend()}
   */
  public Mark append(Content content) throws IOException {
    if (end == null) {
      throw new IllegalStateException("no history to append to. Begin one first");
    }
    if (checksum == null) {
      checksum = checksum(folder.resolve(end.file()), end);
    }
    end = write(end, content, StandardOpenOption.WRITE);
    return end;
  }

  private Mark write(Mark from, Content content, StandardOpenOption open) throws IOException {
    CRC32 running = checksum;
    checksum = null; // it counts more than was written if writing fails
    try (FileChannel channel =
        FileChannel.open(folder.resolve(from.file()), StandardOpenOption.WRITE, open)) {
      channel.truncate(from.length()); // of a failure before
      channel.position(from.length());
      OutputStream out =
          new BufferedOutputStream(
              new CheckedOutputStream(Channels.newOutputStream(channel), running), BUFFER);
      content.writeTo(out);
      out.flush();
      channel.force(true);
      checksum = running;
      return new Mark(from.file(), channel.position(), running.getValue());
    }
  }

  private static CRC32 checksum(Path file, Mark mark) throws IOException {
    CRC32 sum = new CRC32();
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = open(file, mark)) {
      for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
        sum.update(buffer, 0, count);
      }
    }
    return sum;
  }

  /**
   * Reads a history up to a mark.
   *
   * @param <T> of the result
   * @param checkpoint that has the mark
   * @param mark how far
   * @param reader gets the bytes
   * @return what the reader made of them
   * @throws IOException if the file is missing, was cut short or changed; names it and the remedy
   */
  public static <T> T read(Path checkpoint, Mark mark, Reader<T> reader) throws IOException {
    Path file = checkpoint.toAbsolutePath().resolveSibling(mark.file());
    try (InputStream in = open(file, mark)) {
      return ModelFile.read(in, mark.crc32(), file.toString(), reader);
    } catch (IOException e) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "the history of %s cannot be restored: %s. Put %s back beside it, or go on without the history: restore(...) takes this file, too, and reads the state alone",
              checkpoint,
              e.getMessage(),
              mark.file()),
          e);
    }
  }

  private static InputStream open(Path file, Mark mark) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + " is missing");
    }
    long size = Files.size(file);
    if (size < mark.length()) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s has %d bytes, of which there must be %d",
              file,
              size,
              mark.length()));
    }
    return new Head(Files.newInputStream(file), mark.length());
  }

  /**
   * The files in a folder that a log has begun, here or elsewhere.
   *
   * @param folder of checkpoints
   * @return in no order
   * @throws IOException if the folder cannot be read
   */
  public static List<Path> filesIn(Path folder) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> all =
        Files.newDirectoryStream(
            folder, file -> NAME.matcher(file.getFileName().toString()).matches())) {
      all.forEach(files::add);
    }
    return files;
  }

  /** The first bytes of a stream. */
  private static final class Head extends FilterInputStream {
    private long left;

    Head(InputStream in, long length) {
      super(in);
      left = length;
    }

    @Override
    public int read() throws IOException {
      int value = left == 0 ? -1 : super.read();
      left -= value < 0 ? 0 : 1;
      return value;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
      int count = left == 0 ? -1 : super.read(bytes, from, (int) Math.min(length, left));
      left -= Math.max(count, 0);
      return count;
    }

    @Override
    public int available() throws IOException {
      return (int) Math.min(left, super.available());
    }

    @Override
    public boolean markSupported() {
      return false;
    }
  }
}
