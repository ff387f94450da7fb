package org.gradnorm4j.strategies;

import java.util.Arrays;

/**
 * What the weights of a strategy add up to. The direction of a step is the strategy's; its length
 * acts as a learning rate, and is often all that a comparison of two strategies at the same
 * learning rate shows. Two on {@link #SUM_OF_TASKS} can be compared with each other, and with equal
 * weights.
 */
public enum WeightScale {
  /** As the equation in the strategy's javadoc has it. */
  AS_PUBLISHED,

  /**
   * &Sigma; |&lambda;<sub>i</sub>| = T, as of weights of 1. T counts the tasks that are decided on
   * in the step.
   */
  SUM_OF_TASKS;

  /** A factor applied to weights of any sign. Not modified. */
  double[] of(double[] weights) {
    double sum = Arrays.stream(weights).map(Math::abs).sum();
    return this == AS_PUBLISHED || sum == 0.0
        ? weights
        : Arrays.stream(weights).map(w -> w * (weights.length / sum)).toArray();
  }
}
