package org.gradnorm4j.weighting;

import java.util.Locale;

/** Checks of arguments, with messages that name the argument, its value and the rule. */
public final class Arguments {
  private Arguments() {}

  /**
   * Passes a value on.
   *
   * @param <V> any type
   * @param value not null
   * @param subject the argument's name
   * @param rule what it must be, and what to do
   * @return the value
   * @throws IllegalArgumentException if null
   */
  public static <V> V given(V value, String subject, String rule) {
    if (value == null) {
      throw new IllegalArgumentException(subject + " (null) " + rule);
    }
    return value;
  }

  /**
   * Passes a name on.
   *
   * @param name neither null nor blank
   * @param subject the argument's name
   * @param rule what it must be, and what to do
   * @return the name
   * @throws IllegalArgumentException if null or blank
   */
  public static String name(String name, String subject, String rule) {
    if (name == null || name.isBlank()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "%s (%s) %s", subject, name == null ? "null" : "'" + name + "'", rule));
    }
    return name;
  }

  /**
   * Refuses what is not &gt; 0 and finite.
   *
   * @param value the argument
   * @param subject the argument's name
   * @throws IllegalArgumentException if 0, negative, infinite or NaN
   */
  public static void positive(double value, String subject) {
    check(value > 0.0 && Double.isFinite(value), subject, value, "must be > 0 and finite");
  }

  /**
   * Refuses what is not &ge; 0 and finite.
   *
   * @param value the argument
   * @param subject the argument's name
   * @throws IllegalArgumentException if negative, infinite or NaN
   */
  public static void notNegative(double value, String subject) {
    check(value >= 0.0 && Double.isFinite(value), subject, value, "must be >= 0 and finite");
  }

  /**
   * Refuses a value.
   *
   * @param holds whether it is as it must be
   * @param subject the argument's name
   * @param value to be shown
   * @param rule what it must be, and what to do
   * @throws IllegalArgumentException if it does not hold
   */
  public static void check(boolean holds, String subject, Object value, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(subject + " (" + value + ") " + rule);
    }
  }
}
