package org.gradnorm4j.examples;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** What a cell of a table looks like, taken by itself. */
enum CellShape {
  /** A finite number, such as {@code -1.5e3}. */
  NUMBER(null, null),
  /** A number that is not finite, by name or by overflow. */
  NOT_FINITE(null, null),
  /** A date, a time, or both. */
  DATE(
      "dates or times",
      "(\\d{4}[-/.]\\d{1,2}([-/.]\\d{1,2})?|\\d{1,2}[-/.]\\d{1,2}[-/.]\\d{2,4})"
          + "([T ]+\\d{1,2}:\\d{2}.*)?|\\d{1,2}:\\d{2}(:\\d{2}.*)?"),
  /** A number whose thousands are set apart. */
  THOUSANDS(
      "numbers with thousands set apart",
      "[-+\u2212]?\\d{1,3}(([,'\u2019_ \u00a0\u202f]\\d{3})+(\\.\\d+)?|(\\.\\d{3}){2,}(,\\d+)?"
          + "|(\\.\\d{3})+,\\d+)"),
  /** A number with a decimal comma. */
  DECIMAL_COMMA("numbers with a decimal comma", "[-+\u2212]?\\d*,\\d+"),
  /** A number with a minus sign or digits of another kind than ASCII's. */
  OTHER_SIGNS("numbers in other signs than 0 to 9 and -", "[-+\u2212]?\\p{Nd}+([.,]\\p{Nd}+)?"),
  /** A percentage. */
  PERCENT("percentages", "[-+\u2212]?\\d+([.,]\\d+)?\\s?%"),
  /** A number with a unit or a currency. */
  UNIT(
      "numbers with a unit",
      "\\p{Sc}\\s?[-+\u2212]?\\d[\\d.,]*|[-+\u2212]?\\d[\\d.,]*\\s?"
          + "(\\p{Sc}|\u00b0[CF]?|[\u00b5\\p{L}][\\p{L}/\u00b2\u00b3]{0,5})"),
  /** One of the usual ways to write that a value is missing. */
  MISSING(null, null),
  /** Anything else. */
  TEXT(null, null);

  private static final Pattern NUMBERS =
      Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");
  private static final Pattern NOT_FINITES =
      Pattern.compile("[+-]?(nan|inf|infinity)", Pattern.CASE_INSENSITIVE);
  private static final Set<String> MISSINGS =
      Set.of(
          "na", "n/a", "n.a.", "#n/a", "null", "nil", "none", "missing", "unknown", "?", "-", "--",
          ".", "..", "\u2013", "\u2014");

  private static final List<CellShape> WITH_PATTERN =
      Arrays.stream(values()).filter(shape -> shape.pattern != null).toList();

  private final String words;
  private final Pattern pattern;

  CellShape(String words, String regex) {
    this.words = words;
    this.pattern = regex == null ? null : Pattern.compile(regex);
  }

  /** The shape of a cell that is not empty and has no space around it. */
  static CellShape of(String cell) {
    if (NUMBERS.matcher(cell).matches()) {
      return Double.isFinite(Double.parseDouble(cell)) ? NUMBER : NOT_FINITE;
    } else if (NOT_FINITES.matcher(cell).matches()) {
      return NOT_FINITE;
    } else if (MISSINGS.contains(cell.toLowerCase(Locale.ROOT))) {
      return MISSING;
    }
    if (cell.chars().anyMatch(Character::isDigit)) {
      return WITH_PATTERN.stream()
          .filter(shape -> shape.pattern.matcher(cell).matches())
          .findFirst()
          .orElse(TEXT);
    }
    return TEXT;
  }

  /** Whether a person would read a number that {@link Double#parseDouble} does not. */
  boolean isNearNumber() {
    return pattern != null && this != DATE;
  }

  /** What cells of this shape are, in words; null if there is nothing to say. */
  String words() {
    return words;
  }
}
