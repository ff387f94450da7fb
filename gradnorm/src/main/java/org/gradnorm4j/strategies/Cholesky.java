package org.gradnorm4j.strategies;

import org.apache.commons.math3.util.FastMath;

/** Solves a symmetric, positive definite system, scaled by its diagonal. */
final class Cholesky {
  private Cholesky() {}

  /**
   * Solves Ax = b.
   *
   * @param a diagonal &gt; 0; the lower triangle is overwritten
   * @param b not modified
   * @return x; empty if A is not positive definite
   */
  static double[] solve(double[][] a, double[] b) {
    int size = b.length;
    double[] unit = new double[size];
    double[] x = new double[size];
    for (int i = 0; i < size; i++) {
      unit[i] = 1.0 / FastMath.sqrt(a[i][i]);
      double sum = b[i] * unit[i];
      for (int j = 0; j <= i; j++) {
        double element = a[i][j] * unit[i] * unit[j];
        for (int k = 0; k < j; k++) {
          element -= a[i][k] * a[j][k];
        }
        a[i][j] = j < i ? element / a[j][j] : FastMath.sqrt(element);
        if (j < i) {
          sum -= a[i][j] * x[j];
        }
      }
      if (!(a[i][i] > 0.0)) {
        return new double[0];
      }
      x[i] = sum / a[i][i];
    }
    for (int i = size - 1; i >= 0; i--) {
      double sum = x[i];
      for (int j = i + 1; j < size; j++) {
        sum -= a[j][i] * x[j];
      }
      x[i] = sum / a[i][i];
    }
    for (int i = 0; i < size; i++) {
      x[i] *= unit[i];
    }
    return x;
  }
}
