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
    return String.format(
        Locale.ROOT, "<td data-value=\"%s\">%s</td>", value, Numbers.readable(value));
  }
}
