package org.gradnorm4j.history;

import java.util.Locale;

/**
 * How much of a run a {@link History} keeps. Immutable. Made by {@link History#all()}, {@link
 * History#lastSteps} and {@link History#none()}; the default is {@link #byDefault()}.
 *
 * @param kind how steps are left out
 * @param steps how many are kept: &ge; 1 of {@link Kind#LAST_STEPS}; &ge; 64 of {@link
 *     Kind#THINNED}, or 0 for the default; 0 of the others
 */
public record HistoryLimit(Kind kind, int steps) {
  /** How steps are left out. */
  public enum Kind {
    /** Not at all. */
    ALL,

    /** Older steps are merged, so that every minimum and maximum stays. */
    THINNED,

    /** Older steps are dropped. */
    LAST_STEPS,

    /** All are. */
    NONE
  }

  /** About 60 MB with GradNorm's quantities. */
  private static final int DEFAULT_STEPS = 100_000;

  private static final int DEFAULT_ROWS = 1_000_000;

  /** So that enough sections stay for a chart. */
  static final int LEAST_THINNED = 64;

  private static final int LEAST_BY_DEFAULT = 1_000;

  private static final HistoryLimit BY_DEFAULT = new HistoryLimit(Kind.THINNED, 0);

  /**
   * The default: every step up to 100,000 of up to ten tasks, fewer of more tasks: up to a million
   * rows of one step and task, but not less than 1,000 steps. Beyond it, older steps are thinned as
   * {@link History} says.
   *
   * @return {@link Kind#THINNED}, with 0 for that number
   */
  public static HistoryLimit byDefault() {
    return BY_DEFAULT;
  }

  /**
   * Any limit, as from a file.
   *
   * @param kind see above
   * @param steps see above
   * @throws IllegalArgumentException if steps is another number
   */
  public HistoryLimit {
    boolean possible =
        switch (kind) {
          case ALL, NONE -> steps == 0;
          case LAST_STEPS -> steps >= 1;
          case THINNED -> steps == 0 || steps >= LEAST_THINNED;
        };
    if (!possible) {
      String rule =
          switch (kind) {
            case ALL, NONE -> "0";
            case LAST_STEPS -> ">= 1";
            case THINNED -> ">= " + LEAST_THINNED + ", or 0 for the default";
          };
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "steps (%d) of a history of kind %s must be %s", steps, kind, rule));
    }
  }

  /** Most rows-of-a-step that are kept of so many tasks. */
  int capacity(int tasks) {
    return switch (kind) {
      case ALL -> Integer.MAX_VALUE;
      case NONE -> 0;
      case LAST_STEPS -> steps;
      case THINNED ->
          steps > 0
              ? steps
              : Math.max(LEAST_BY_DEFAULT, Math.min(DEFAULT_STEPS, DEFAULT_ROWS / tasks));
    };
  }

  /** In words. */
  @Override
  public String toString() {
    return switch (kind) {
      case ALL -> "all steps";
      case NONE -> "no steps";
      case LAST_STEPS -> String.format(Locale.ROOT, "the last %,d steps", steps);
      case THINNED ->
          steps == 0
              ? "all steps, older ones thinned in a long run"
              : String.format(Locale.ROOT, "%,d steps, older ones thinned", steps);
    };
  }
}
