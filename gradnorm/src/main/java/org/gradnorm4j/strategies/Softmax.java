package org.gradnorm4j.strategies;

import java.util.Arrays;
import org.apache.commons.math3.util.FastMath;

/** Softmax without overflow. */
final class Softmax {
  private Softmax() {}

  /**
   * exp(z<sub>i</sub>) / &Sigma; exp(z<sub>j</sub>).
   *
   * @param z any numbers; infinite ones count as the largest double. Not modified
   */
  static double[] of(double[] z) {
    double[] finite =
        Arrays.stream(z)
            .map(v -> FastMath.max(-Double.MAX_VALUE, FastMath.min(Double.MAX_VALUE, v)))
            .toArray();
    double largest = Arrays.stream(finite).max().orElseThrow();
    double[] result = Arrays.stream(finite).map(v -> FastMath.exp(v - largest)).toArray();
    double sum = Arrays.stream(result).sum();
    Arrays.setAll(result, i -> result[i] / sum);
    return result;
  }

  /** T times {@link #of}, T the number of values. */
  static double[] timesTasks(double[] z) {
    double[] result = of(z);
    Arrays.setAll(result, i -> result[i] * z.length);
    return result;
  }
}
