package org.gradnorm4j.strategies;

import java.util.Arrays;
import org.apache.commons.math3.util.FastMath;

/**
 * Gram matrix of gradients that are not 0, as their norms and the cosines between them.
 *
 * <pre>
 *   G_ij = ⟨g_i, g_j⟩ = n_i n_j K_ij,  K_ii = 1,  |K_ij| ≤ 1
 * </pre>
 *
 * Norms may differ by any factor; K has none of that, and is what systems are solved with.
 *
 * @param norms n. Nobody writes into it
 * @param cosines K. Nobody writes into it
 */
record Gram(double[] norms, double[][] cosines) {
  /** The square of a norm below which a Gram matrix has no digits left: such a gradient is 0. */
  static final double SMALLEST = 1e-280;

  /**
   * Takes a matrix apart.
   *
   * @param gram symmetric, diagonal of {@link #SMALLEST} or more. Not modified
   */
  static Gram of(double[][] gram) {
    int size = gram.length;
    double[] norms = new double[size];
    Arrays.setAll(norms, i -> FastMath.sqrt(gram[i][i]));
    double[][] cosines = new double[size][size];
    for (int i = 0; i < size; i++) {
      cosines[i][i] = 1.0;
      for (int j = 0; j < i; j++) {
        double cosine = 0.5 * (gram[i][j] + gram[j][i]) / norms[i] / norms[j];
        cosines[i][j] = FastMath.max(-1.0, FastMath.min(1.0, cosine)); // rounding
        cosines[j][i] = cosines[i][j];
      }
    }
    return new Gram(norms, cosines);
  }

  int size() {
    return norms.length;
  }

  /** The same gradients in the unit of the longest one. */
  Gram inUnitOfLongest() {
    double longest = Arrays.stream(norms).max().orElseThrow();
    return new Gram(Arrays.stream(norms).map(n -> n / longest).toArray(), cosines);
  }

  /** G w. */
  double[] times(double[] w) {
    double[] product = times(cosines, multiply(norms, w));
    return multiply(norms, product);
  }

  /** ‖Σ w_i g_i‖. */
  double norm(double[] w) {
    double[] scaled = multiply(norms, w);
    return FastMath.sqrt(FastMath.max(0.0, dot(scaled, times(cosines, scaled))));
  }

  /** w_i / n_i: what was solved for with K, as weights of the gradients. */
  double[] perNorm(double[] w) {
    double[] result = w.clone();
    Arrays.setAll(result, i -> w[i] / norms[i]);
    return result;
  }

  static double[] times(double[][] matrix, double[] vector) {
    return Arrays.stream(matrix).mapToDouble(row -> dot(row, vector)).toArray();
  }

  static double dot(double[] a, double[] b) {
    double sum = 0.0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double[] multiply(double[] a, double[] b) {
    double[] product = a.clone();
    Arrays.setAll(product, i -> a[i] * b[i]);
    return product;
  }
}
