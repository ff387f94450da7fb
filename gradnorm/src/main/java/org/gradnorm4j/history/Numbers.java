package org.gradnorm4j.history;

import java.util.Locale;

/** Numbers and names for people to read, the same in log and report. Internal to the library. */
public final class Numbers {
  private Numbers() {}

  /**
   * A number, short.
   *
   * @param value any
   * @return four significant digits; a dash for NaN
   */
  public static String readable(double value) {
    if (!Double.isFinite(value)) {
      return Double.isNaN(value) ? "–" : Double.toString(value);
    }
    double size = Math.abs(value);
    boolean far = size != 0.0 && (size < 1e-3 || size >= 1e6);
    return String.format(Locale.ROOT, far ? "%.3e" : "%.4g", value);
  }

  /**
   * A share.
   *
   * @param share 1 for all
   * @return in percent, with one decimal; a dash for NaN
   */
  public static String percent(double share) {
    return Double.isNaN(share) ? "–" : String.format(Locale.ROOT, "%.1f %%", 100.0 * share);
  }

  /**
   * A name that fits.
   *
   * @param name any
   * @param length most characters, &ge; 4
   * @return the name; if it is longer, its beginning and end
   */
  public static String shortened(String name, int length) {
    return name.length() <= length
        ? name
        : name.substring(0, length / 2 - 1) + "…" + name.substring(name.length() - length / 2);
  }
}
