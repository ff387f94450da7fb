package org.gradnorm4j.examples;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.zip.GZIPOutputStream;

/** Writes IDX files byte by byte, as the format's description has them. */
record IdxFolder(Path folder) {
  static final int IMAGES_MAGIC = 2051;
  static final int LABELS_MAGIC = 2049;

  void write(String name, byte[] data, int... header) throws IOException {
    try (OutputStream file = Files.newOutputStream(folder.resolve(name));
        OutputStream packed = name.endsWith(".gz") ? new GZIPOutputStream(file) : file) {
      packed.write(bytes(data, header));
    }
  }

  /** Random pictures of one split, with labels 0 to 9 in turn. */
  void writeSplit(String split, int size, String suffix) throws IOException {
    byte[] pixels = new byte[size * 28 * 28];
    new Random(size).nextBytes(pixels);
    byte[] labels = new byte[size];
    for (int i = 0; i < size; i++) {
      labels[i] = (byte) (i % 10);
    }
    write(split + "-images-idx3-ubyte" + suffix, pixels, IMAGES_MAGIC, size, 28, 28);
    write(split + "-labels-idx1-ubyte" + suffix, labels, LABELS_MAGIC, size);
  }

  private static byte[] bytes(byte[] data, int... header) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    for (int value : header) {
      out.writeInt(value);
    }
    out.write(data);
    return bytes.toByteArray();
  }
}
