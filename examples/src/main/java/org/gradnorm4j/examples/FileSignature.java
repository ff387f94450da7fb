package org.gradnorm4j.examples;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Files that are often taken for plain text, by their first bytes, and what to do with them. */
enum FileSignature {
  /** UTF-16 with its byte order mark. */
  UTF_16_LITTLE_ENDIAN("UTF-16 text. Read it with --charset UTF-16", 0xff, 0xfe),
  /** UTF-16 with its byte order mark. */
  UTF_16_BIG_ENDIAN("UTF-16 text. Read it with --charset UTF-16", 0xfe, 0xff),
  /** A zip file, such as the workbooks of today's spreadsheets. */
  ZIP("a workbook or a zip file. Save the table as CSV, or unpack it", 'P', 'K', 3, 4),
  /** A workbook of earlier spreadsheets. */
  WORKBOOK("a workbook. Save the table as CSV", 0xd0, 0xcf, 0x11, 0xe0),
  /** Compressed. */
  GZIP("compressed with gzip. Unpack it", 0x1f, 0x8b),
  /** A data frame on disk. */
  PARQUET("a Parquet file. Save the table as CSV", 'P', 'A', 'R', '1');

  private final String description;
  private final byte[] bytes;

  FileSignature(String description, int... bytes) {
    this.description = description;
    this.bytes = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      this.bytes[i] = (byte) bytes[i];
    }
  }

  /**
   * Checks that a file begins like text.
   *
   * @throws CsvException if it does not; says what it is
   */
  static void check(Path file, Charset charset) throws IOException {
    byte[] begin;
    try (InputStream in = Files.newInputStream(file)) {
      begin = in.readNBytes(4);
    }
    for (FileSignature signature : values()) {
      int length = signature.bytes.length;
      boolean utf16 = charset.name().startsWith("UTF-16") && length == 2 && signature != GZIP;
      if (!utf16
          && begin.length >= length
          && Arrays.equals(signature.bytes, Arrays.copyOf(begin, length))) {
        throw new CsvException(file, "this is " + signature.description);
      }
    }
  }
}
