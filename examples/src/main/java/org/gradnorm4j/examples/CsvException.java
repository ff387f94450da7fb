package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;

/** A table that cannot be used: says where, what and what to do about it. */
final class CsvException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Of a file as a whole. */
  CsvException(Path file, String message) {
    super(file + ": " + message);
  }

  /** Of a row. */
  CsvException(Path file, long line, String message) {
    super("%s, line %d: %s".formatted(file, line, message));
  }

  /** Of a cell. */
  CsvException(Path file, long line, String column, String message) {
    super("%s, line %d, column '%s': %s".formatted(file, line, column, message));
  }
}
