package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.apache.commons.math3.util.FastMath;

/**
 * Functions of a symmetric, positive semi-definite matrix of rank r &ge; 1, on its range: the
 * eigenvectors whose eigenvalues are larger than T &middot; 2<sup>&minus;23</sup> times the
 * largest. Smaller ones are rounding of gradients in single precision.
 */
final class Spectrum {
  /*
   * Jacobi's rotations, row by row (Golub and Van Loan, Matrix Computations, section 8.5). They
   * always converge, which the implicit QL of commons-math 3.6.1 does not for matrices of low rank.
   */
  private static final double FLOAT_ROUNDING = 0x1p-23;

  private static final int SWEEPS = 30;

  private final double[] values;
  private final double[][] vectors;

  /**
   * Decomposes.
   *
   * @param matrix finite. Not modified
   */
  Spectrum(double[][] matrix) {
    int size = matrix.length;
    double[][] a = Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
    double[][] v = new double[size][size]; // rows are the eigenvectors
    for (int i = 0; i < size; i++) {
      v[i][i] = 1.0;
    }
    for (int sweep = 0; sweep < SWEEPS && rotate(a, v); sweep++) {}
    double largest = IntStream.range(0, size).mapToDouble(i -> a[i][i]).max().orElseThrow();
    int[] kept =
        IntStream.range(0, size).filter(i -> a[i][i] > largest * FLOAT_ROUNDING * size).toArray();
    values = Arrays.stream(kept).mapToDouble(i -> a[i][i]).toArray();
    vectors = Arrays.stream(kept).mapToObj(i -> v[i]).toArray(double[][]::new);
  }

  /** One sweep. Returns whether there was anything to rotate. */
  private static boolean rotate(double[][] a, double[][] v) {
    boolean rotated = false;
    for (int p = 0; p < a.length; p++) {
      for (int q = p + 1; q < a.length; q++) {
        double scale = FastMath.sqrt(FastMath.abs(a[p][p])) * FastMath.sqrt(FastMath.abs(a[q][q]));
        if (FastMath.abs(a[p][q]) > 1e-17 * scale + Double.MIN_NORMAL) {
          rotate(a, v, p, q);
          rotated = true;
        }
      }
    }
    return rotated;
  }

  private static void rotate(double[][] a, double[][] v, int p, int q) {
    double theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    double t = 1.0 / (FastMath.abs(theta) + FastMath.hypot(theta, 1.0));
    double tangent = theta < 0.0 ? -t : t;
    double c = 1.0 / FastMath.hypot(tangent, 1.0);
    double s = tangent * c;
    double change = tangent * a[p][q];
    for (int k = 0; k < a.length; k++) {
      if (k != p && k != q) {
        double first = c * a[k][p] - s * a[k][q];
        double second = s * a[k][p] + c * a[k][q];
        a[k][p] = first;
        a[p][k] = first;
        a[k][q] = second;
        a[q][k] = second;
      }
      double first = c * v[p][k] - s * v[q][k];
      v[q][k] = s * v[p][k] + c * v[q][k];
      v[p][k] = first;
    }
    a[p][p] -= change;
    a[q][q] += change;
    a[p][q] = 0.0;
    a[q][p] = 0.0;
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
