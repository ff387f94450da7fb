package org.gradnorm4j.history;

/**
 * The shares G<sub>i</sub> / &Sigma; G<sub>j</sub> of the tasks in the gradient. Asked row by row
 * it is fast, as it keeps the sum of a row; for one thread. Internal to the library.
 */
public final class TaskShares implements HistoryView.Value {
  private final HistoryView history;
  private double total;
  private int row = -1;

  TaskShares(HistoryView history) {
    this.history = history;
  }

  /**
   * The share of a task; one without a norm has none.
   *
   * @param wanted the row, from 0
   * @param task from 0
   * @return in [0, 1], NaN if no task has a norm, or one is infinite; of a section that of its
   *     least unequal step or, with the largest values, of its most unequal one
   */
  @Override
  public double of(int wanted, int task) {
    if (wanted < history.exact()) {
      return history.storedShare(wanted, task);
    }
    if (wanted != row) {
      row = wanted;
      total = 0.0;
      for (int i = 0; i < history.tasks(); i++) {
        total += weightedGradientNormOrZero(wanted, i);
      }
    }
    return weightedGradientNormOrZero(wanted, task) / total;
  }

  /**
   * The share of the task that has most.
   *
   * @param wanted the row, from 0
   * @return in (0, 1], NaN if a share is
   */
  public double largest(int wanted) {
    double largest = 0.0;
    for (int task = 0; task < history.tasks(); task++) {
      largest = Math.max(largest, of(wanted, task)); // NaN if one is
    }
    return largest;
  }

  /** A task without a norm has no share of the gradient. */
  private double weightedGradientNormOrZero(int row, int task) {
    double norm = history.weightedGradientNorm(row, task);
    return Double.isNaN(norm) ? 0.0 : norm;
  }
}
