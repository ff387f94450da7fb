package org.gradnorm4j.gradnorm;

import java.util.Locale;

/** Numbers and names for people to read. */
final class Numbers {
  private Numbers() {}

  /** Four significant digits; a dash for what is not known. */
  static String readable(double value) {
    if (!Double.isFinite(value)) {
      return Double.isNaN(value) ? "–" : Double.toString(value);
    }
    double size = Math.abs(value);
    boolean far = size != 0.0 && (size < 1e-3 || size >= 1e6);
    return String.format(Locale.ROOT, far ? "%.3e" : "%.4g", value);
  }

  /** One decimal; a dash for what is not known. */
  static String percent(double share) {
    return Double.isNaN(share) ? "–" : String.format(Locale.ROOT, "%.1f %%", 100.0 * share);
  }

  /** Beginning and end of a name that is longer than that. */
  static String shortened(String name, int length) {
    return name.length() <= length
        ? name
        : name.substring(0, length / 2 - 1) + "…" + name.substring(name.length() - length / 2);
  }
}
