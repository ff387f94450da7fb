package org.gradnorm4j.gradnorm;

import java.util.Locale;

/** Checks of arguments that may be null or blank by mistake. */
final class Arguments {
  private Arguments() {}

  /**
   * Passes a value on.
   *
   * @param rule what it must be, and what to do
   * @throws IllegalArgumentException if null
   */
  static <V> V given(V value, String subject, String rule) {
    if (value == null) {
      throw new IllegalArgumentException(subject + " (null) " + rule);
    }
    return value;
  }

  /**
   * Passes a name on.
   *
   * @throws IllegalArgumentException if null or blank
   */
  static String name(String name, String subject, String rule) {
    if (name == null || name.isBlank()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "%s (%s) %s", subject, name == null ? "null" : "'" + name + "'", rule));
    }
    return name;
  }
}
