package org.gradnorm4j.gradnorm;

import org.apache.commons.math3.util.FastMath;

/**
 * Exponential moving average with the bias of its start taken out, as in Adam:
 *
 * <pre>
 *   s ← β s + (1 − β) x,   x̄ = s / (1 − βⁿ),  n values so far
 * </pre>
 *
 * by task, over the steps in which it takes part. With β = 0 the average is the last value itself,
 * to the last bit.
 */
record Smoothing(double beta) {

  /** Adds the values of the tasks that take part; the others keep theirs. */
  Tally add(Tally tally, double[] values, boolean[] takePart) {
    Tally next = tally.copy();
    for (int i = 0; i < values.length; i++) {
      if (takePart[i]) {
        next.sums()[i] = beta * next.sums()[i] + (1.0 - beta) * values[i];
        next.counts()[i]++;
      }
    }
    return next;
  }

  /** The averages; NaN for a task that has no value yet. */
  double[] averages(Tally tally) {
    double[] averages = new double[tally.sums().length];
    for (int i = 0; i < averages.length; i++) {
      int count = tally.counts()[i];
      averages[i] = count == 0 ? Double.NaN : tally.sums()[i] / (1.0 - FastMath.pow(beta, count));
    }
    return averages;
  }
}
