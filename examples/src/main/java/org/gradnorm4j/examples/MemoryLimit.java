package org.gradnorm4j.examples;

import java.nio.file.Path;
import java.util.Locale;

/**
 * Refuses a table that would not fit, before memory is taken for it.
 *
 * @param bytes that a table may take
 */
record MemoryLimit(long bytes) {
  private static final double MEGABYTE = 1 << 20;

  /** Half of what this JVM may take; ND4J may take as much again outside of the heap. */
  static MemoryLimit ofThisJvm() {
    return new MemoryLimit(Runtime.getRuntime().maxMemory() / 2);
  }

  /**
   * Checks the rows so far.
   *
   * @param file that is read
   * @param line last read
   * @param rows so far, of all files
   * @param values kept for each row
   */
  void check(Path file, long line, long rows, long values) throws CsvException {
    if (rows * values * Double.BYTES > bytes || rows * values > Integer.MAX_VALUE) {
      throw new CsvException(
          file,
          line,
          String.format(
              Locale.ROOT,
              "%d rows of %d values are more than the %.0f MB that a table may take. Keep a sample of the rows, leave columns out with --ignore, or allow more: java -Xmx8g -jar ...",
              rows,
              values,
              bytes / MEGABYTE));
    }
  }
}
