package org.gradnorm4j.report;

import java.util.Locale;
import org.gradnorm4j.history.Numbers;

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

  /** A table cell: four digits to read, all of them on the element, and what it is. */
  static String number(String id, double value) {
    return String.format(
        Locale.ROOT,
        "<td data-quantity=\"%s\" data-value=\"%s\">%s</td>",
        id,
        value,
        Numbers.readable(value));
  }
}
