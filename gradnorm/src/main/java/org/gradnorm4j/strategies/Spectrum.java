package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.EigenDecomposition;

/**
 * Functions of a symmetric, positive semi-definite matrix of rank r &ge; 1, on its range: the
 * eigenvectors whose eigenvalues are larger than T &middot; 2<sup>&minus;23</sup> times the
 * largest. Smaller ones are rounding of gradients in single precision.
 */
final class Spectrum {
  private static final double FLOAT_ROUNDING = 0x1p-23;

  private final double[] values;
  private final double[][] vectors;

  /**
   * Decomposes.
   *
   * @param matrix elements of at most about 1. Not modified
   */
  Spectrum(double[][] matrix) {
    EigenDecomposition all = new EigenDecomposition(new Array2DRowRealMatrix(matrix, true));
    double[] eigenvalues = all.getRealEigenvalues();
    double least =
        Arrays.stream(eigenvalues).max().orElseThrow() * FLOAT_ROUNDING * matrix.length;
    int[] kept =
        IntStream.range(0, matrix.length)
            .filter(i -> eigenvalues[i] > least)
            .toArray();
    values = Arrays.stream(kept).mapToDouble(i -> eigenvalues[i]).toArray();
    vectors =
        Arrays.stream(kept).mapToObj(i -> all.getEigenvector(i).toArray()).toArray(double[][]::new);
  }

  /** The smallest eigenvalue that is not taken for 0. */
  double smallest() {
    return Arrays.stream(values).min().orElseThrow();
  }

  /** V f(Σ) Vᵀ b. */
  double[] apply(DoubleUnaryOperator f, double[] b) {
    double[] result = new double[b.length];
    for (int k = 0; k < values.length; k++) {
      double[] vector = vectors[k];
      double factor = f.applyAsDouble(values[k]) * Gram.dot(vector, b);
      Arrays.setAll(result, i -> result[i] + factor * vector[i]);
    }
    return result;
  }
}
