package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** A table that cannot be used: says where, what and what to do about it. */
final class CsvException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Of a file as a whole. */
  CsvException(Path file, String message) {
    super(file + ": " + message);
  }

  /** Of a row. */
  CsvException(Path file, long line, String message) {
    super(String.format(Locale.ROOT, "%s, line %d: %s", file, line, message));
  }

  /** Of a cell. */
  CsvException(Path file, long line, String column, String message) {
    super(String.format(Locale.ROOT, "%s, line %d, column '%s': %s", file, line, column, message));
  }
}
