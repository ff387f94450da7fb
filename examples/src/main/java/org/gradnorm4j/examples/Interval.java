package org.gradnorm4j.examples;

import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.math3.util.FastMath;

/**
 * A mean and its 95 % confidence interval, mean ± halfWidth, by Student's t distribution.
 *
 * @param mean of the values
 * @param halfWidth NaN if there is one value only
 */
record Interval(double mean, double halfWidth) {
  private static final double UPPER = 0.975;

  /**
   * Of values that came from independent runs, or from runs on random splits of one table. Such
   * runs share rows, so that the variance of the mean is not s²/n but, by Nadeau and Bengio
   * (<i>Inference for the Generalization Error</i>, Machine Learning 52, 2003), about s² (1/n +
   * n_test/n_train).
   *
   * @param values not modified
   * @param testToTrain n_test/n_train if each run had its own random split, else 0
   */
  static Interval of(double[] values, double testToTrain) {
    double mean = StatUtils.mean(values);
    if (values.length < 2) {
      return new Interval(mean, Double.NaN);
    }
    double t = new TDistribution(values.length - 1).inverseCumulativeProbability(UPPER);
    double variance = StatUtils.variance(values) * (1.0 / values.length + testToTrain);
    return new Interval(mean, t * FastMath.sqrt(variance));
  }

  /** What a mean difference in error to something else says. */
  Verdict verdict() {
    if (Double.isNaN(mean) || Double.isNaN(halfWidth)) {
      return Verdict.UNKNOWN;
    } else if (mean + halfWidth < 0.0) {
      return Verdict.BETTER;
    } else if (mean - halfWidth > 0.0) {
      return Verdict.WORSE;
    }
    return Verdict.NO_DIFFERENCE;
  }
}
