package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.commons.math3.util.FastMath;

/**
 * Moves the loss weights by the optimiser's step Δ, and brings them back to their sum and limits.
 *
 * <p>Of each Δ_i no more than a bound is taken: log 2 where log λ moves, so that a step halves or
 * doubles a weight at most, and half of the mean weight where λ itself does. With what the sum then
 * asks for, no step changes a weight by more than a factor of 4, or by more than half of Σ λ.
 */
record WeightMove(WeightUpdate update, WeightLimits limits) {
  static final double LARGEST_LOG_STEP = FastMath.log(2.0);

  /** The most that is taken of a Δ_i. */
  double bound() {
    return switch (update) {
      case MULTIPLICATIVE -> LARGEST_LOG_STEP;
      case ADDITIVE -> 0.5 * limits.total() / limits.min().length;
    };
  }

  /** Whether a step is larger than what is taken of it. */
  boolean isCut(double[] delta) {
    return Arrays.stream(delta).anyMatch(d -> Math.abs(d) > bound());
  }

  /**
   * The weights after the step.
   *
   * @param delta finite; 0 for tasks that take no step; not modified
   * @param sharing the tasks that make up for each other's steps; the others keep their weights
   */
  double[] move(double[] weights, double[] delta, boolean[] sharing) {
    if (Arrays.stream(delta).allMatch(d -> d == 0.0)) { // rescaling would move them by rounding
      return weights;
    }
    double bound = bound();
    double[] raw =
        IntStream.range(0, weights.length)
            .mapToDouble(i -> moved(weights[i], Math.max(-bound, Math.min(delta[i], bound))))
            .toArray();
    return limits.rescale(raw, sharing, weights);
  }

  private double moved(double weight, double delta) {
    return switch (update) {
      case MULTIPLICATIVE -> weight * FastMath.exp(-delta);
      case ADDITIVE -> weight - delta;
    };
  }
}
