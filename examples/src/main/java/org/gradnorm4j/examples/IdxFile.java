package org.gradnorm4j.examples;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * The content of a file in MNIST's IDX format: a magic number that tells type and number of
 * dimensions, the size of each dimension, then unsigned bytes; all big-endian.
 *
 * @param file it was read from
 * @param sizes of the dimensions; the first is the number of items
 * @param bytes item after item
 */
record IdxFile(Path file, int[] sizes, byte[] bytes) {
  private static final int UNSIGNED_BYTE_MAGIC = 0x0800;
  private static final long MAX_BYTES = Integer.MAX_VALUE - 8L;

  /**
   * Reads {@code folder/name}, or {@code folder/name.gz}.
   *
   * @throws IOException if there is no such file, or it is not what it should be; names the file,
   *     the value, the rule and the remedy
   */
  static IdxFile read(Path folder, String name, int dimensions) throws IOException {
    Path file = find(folder, name);
    try (DataInputStream in = open(file)) {
      return read(file, in, dimensions);
    } catch (EOFException e) {
      throw bad(file, "is truncated: it ends before the data its header promises", e);
    } catch (ZipException e) {
      throw bad(file, "is not a valid gzip file (" + e.getMessage() + ")", e);
    }
  }

  private static Path find(Path folder, String name) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "--mnist (%s) must be a folder. Name the one with MNIST's four files",
              folder));
    }
    Path plain = folder.resolve(name);
    Path packed = folder.resolve(name + ".gz");
    if (Files.isRegularFile(plain)) {
      return plain;
    }
    if (Files.isRegularFile(packed)) {
      return packed;
    }
    throw new IOException(
        String.format(
            Locale.ROOT,
            "--mnist (%s) must have a file %s or %s.gz. Name the folder with MNIST's four files",
            folder,
            name,
            name));
  }

  private static DataInputStream open(Path file) throws IOException {
    InputStream stream = Files.newInputStream(file);
    try {
      boolean packed = file.toString().endsWith(".gz");
      return new DataInputStream(
          packed ? new GZIPInputStream(stream, 1 << 16) : new BufferedInputStream(stream));
    } catch (IOException e) {
      stream.close();
      throw e;
    }
  }

  private static IdxFile read(Path file, DataInputStream in, int dimensions) throws IOException {
    int expected = UNSIGNED_BYTE_MAGIC + dimensions;
    int magic = in.readInt();
    if (magic != expected) {
      throw bad(
          file, String.format(Locale.ROOT, "magic number (%d) must be %d", magic, expected), null);
    }
    int[] sizes = new int[dimensions];
    long length = 1;
    for (int i = 0; i < dimensions; i++) {
      sizes[i] = in.readInt();
      length = sizes[i] < 1 ? -1 : length * sizes[i];
      if (length < 1 || length > MAX_BYTES) {
        throw bad(
            file,
            String.format(
                Locale.ROOT, "sizes (%s) must be >= 1 and fit in 2 GB", Arrays.toString(sizes)),
            null);
      }
    }
    byte[] bytes = in.readNBytes((int) length);
    if (bytes.length < length) {
      throw bad(
          file,
          String.format(
              Locale.ROOT,
              "is truncated: %d bytes of data, its header promises %d",
              bytes.length,
              length),
          null);
    }
    if (in.read() >= 0) {
      throw bad(
          file,
          String.format(Locale.ROOT, "has more data than the %d bytes its header promises", length),
          null);
    }
    return new IdxFile(file, sizes, bytes);
  }

  private static IOException bad(Path file, String rule, Exception cause) {
    return new IOException(
        String.format(
            Locale.ROOT,
            "%s %s. Get the file again, or name another folder with --mnist",
            file,
            rule),
        cause);
  }
}
