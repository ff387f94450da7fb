package org.gradnorm4j.history;

import java.util.List;
import java.util.Locale;

/**
 * What is counted of all steps of a run, whether they are kept or not. Immutable. Internal to the
 * library: for the report's warnings and for files.
 *
 * @param steps recorded in all
 * @param firstIteration of the first step; 0 if there is none
 * @param firstEpoch of the first step; 0 if there is none
 * @param skipped steps that left the weights alone
 * @param notPositive steps with a loss weight that is zero, negative or NaN
 * @param absent by task, steps without labels of it
 * @param lossesNotFinite by task, steps with labels and a loss that is NaN or infinite
 * @param normsNotFinite by task, the same of the gradient norm
 */
public record HistoryCounts(
    long steps,
    int firstIteration,
    int firstEpoch,
    Count skipped,
    Count notPositive,
    List<Count> absent,
    List<Count> lossesNotFinite,
    List<Count> normsNotFinite) {

  /**
   * Copies.
   *
   * @param steps see above
   * @param firstIteration see above
   * @param firstEpoch see above
   * @param skipped see above
   * @param notPositive see above
   * @param absent copied
   * @param lossesNotFinite copied
   * @param normsNotFinite copied
   * @throws IllegalArgumentException if the number of steps is negative, or less than a count
   */
  public HistoryCounts {
    absent = List.copyOf(absent);
    lossesNotFinite = List.copyOf(lossesNotFinite);
    normsNotFinite = List.copyOf(normsNotFinite);
    check(steps, List.of(skipped, notPositive));
    check(steps, absent);
    check(steps, lossesNotFinite);
    check(steps, normsNotFinite);
  }

  private static void check(long steps, List<Count> counts) {
    for (Count count : counts) {
      if (count.steps > steps) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "count (%d) must be <= steps (%d)", count.steps, steps));
      }
    }
  }

  /**
   * Steps of some kind.
   *
   * @param steps how many
   * @param firstIteration of the first of them; 0 if there is none
   */
  public record Count(long steps, int firstIteration) {
    static final Count NONE = new Count(0, 0);

    /**
     * Checks.
     *
     * @param steps see above
     * @param firstIteration see above
     * @throws IllegalArgumentException if steps is negative
     */
    public Count {
      if (steps < 0) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "steps (%d) must be >= 0", steps));
      }
    }

    Count and(int iteration) {
      return new Count(steps + 1, steps == 0 ? iteration : firstIteration);
    }
  }
}
