package org.gradnorm4j.gradnorm;

import java.util.Locale;

/** What every piece of a page needs. */
final class Html {
  private Html() {}

  /** Text as it may stand in an element or a quoted attribute. */
  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }

  /** A table cell: four digits to read, all of them on the element. */
  static String number(double value) {
    return "<td data-value=\"%s\">%s</td>".formatted(value, readable(value));
  }

  /** Four significant digits. */
  static String readable(double value) {
    if (!Double.isFinite(value)) {
      return Double.isNaN(value) ? "–" : Double.toString(value);
    }
    double size = Math.abs(value);
    return String.format(
        Locale.ROOT, size != 0.0 && (size < 1e-3 || size >= 1e6) ? "%.3e" : "%.4g", value);
  }
}
