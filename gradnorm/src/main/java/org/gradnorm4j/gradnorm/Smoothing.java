package org.gradnorm4j.gradnorm;

import org.apache.commons.math3.util.FastMath;

/**
 * Exponential moving average with the bias of its start taken out, as in Adam:
 *
 * <pre>
 *   s ← β s + (1 − β) x,   x̄ = s / (1 − βⁿ),  n values so far
 * </pre>
 *
 * by task, over the steps in which it takes part. With β = 0 the average is the last value itself.
 */
record Smoothing(double beta) {

  /** Adds the values of the tasks that take part; the others keep theirs. */
  Tally add(Tally tally, double[] values, boolean[] takePart) {
    if (beta == 0.0) {
      return tally;
    }
    Tally next = tally.copy();
    for (int i = 0; i < values.length; i++) {
      if (takePart[i]) {
        next.sums()[i] = beta * next.sums()[i] + (1.0 - beta) * values[i];
        next.counts()[i]++;
      }
    }
    return next;
  }

  /**
   * The averages, where there are any.
   *
   * @param values what was added last; the answer without smoothing
   */
  double[] averages(Tally tally, double[] values) {
    double[] averages = values.clone();
    for (int i = 0; i < values.length; i++) {
      if (tally.counts()[i] > 0) {
        averages[i] = tally.sums()[i] / (1.0 - FastMath.pow(beta, tally.counts()[i]));
      }
    }
    return averages;
  }
}
