package org.gradnorm4j.strategies;

import java.util.Arrays;
import org.apache.commons.math3.util.FastMath;

/**
 * Quadratic programs with one matrix and the bound 0, solved by an active set.
 *
 * <pre>
 *   x = argmin { ½ xᵀMx + bᵀx : x ≥ 0 }
 *   ⟺  x ≥ 0,  Mx + b ≥ 0,  x_i (Mx + b)_i = 0
 * </pre>
 */
final class NonNegativeQp {
  /*
   * Lawson and Hanson (1974), chapter 23, with normal equations: Bro and de Jong, J. Chemometrics
   * 11 (1997). The free variables, those that are not at 0, get one after the other their exact
   * minimum by a Cholesky factor; each set of free variables is visited once, as the objective
   * falls from one to the next.
   *
   * M may be singular, and by rounding even a little indefinite. M + ρI is not, for a ρ near
   * rounding. What ρ does to the answer is taken out again by Rockafellar's proximal points:
   * x ← argmin ½ xᵀMx + bᵀx + ½ρ‖x − x_before‖², whose residual is ρ‖x − x_before‖.
   */
  private static final double SMALLEST_RIDGE = 1e-14;

  private static final double ROUNDING = 1e-14;
  private static final int PROXIMAL_STEPS = 8;

  private final double[][] matrix;
  private final double ridge;
  private final int size;

  private double[] linear;
  private double[] x;
  private final int[] free;
  private int freed;
  private final boolean[] isFree;
  private final double[][] factor;

  /**
   * Programs with this matrix.
   *
   * @param matrix M, symmetric, positive semi-definite to rounding, elements of about 1. Copied
   */
  NonNegativeQp(double[][] matrix) {
    size = matrix.length;
    this.matrix = Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
    free = new int[size];
    isFree = new boolean[size];
    factor = new double[size][size];
    ridge = addRidge();
  }

  /** The first of 1e-14, 1e-13, … with which all of the matrix has a factor. */
  private double addRidge() {
    double largest = 0.0;
    for (int i = 0; i < size; i++) {
      largest = FastMath.max(largest, matrix[i][i]);
    }
    double sum = 0.0;
    for (double next = SMALLEST_RIDGE * largest; ; next *= 10.0) {
      for (int i = 0; i < size; i++) {
        matrix[i][i] += next - sum;
      }
      sum = next;
      freed = 0;
      boolean positive = true;
      for (int i = 0; i < size && positive; i++) {
        positive = append(i) > 0.5 * SMALLEST_RIDGE * largest;
      }
      if (positive) {
        return sum;
      }
    }
  }

  /**
   * The minimum.
   *
   * @param b finite. Not modified
   * @return x; one of them if there are several
   */
  double[] solve(double[] b) {
    x = new double[size];
    double enough = 0.1 * ROUNDING * Arrays.stream(b).map(Math::abs).max().orElse(0.0);
    for (int i = 0; i < PROXIMAL_STEPS; i++) {
      double[] before = x;
      linear = b.clone();
      Arrays.setAll(linear, j -> b[j] - ridge * before[j]);
      x = before.clone();
      minimize();
      double move = 0.0;
      for (int j = 0; j < size; j++) {
        move = FastMath.max(move, FastMath.abs(x[j] - before[j]));
      }
      if (ridge * move <= enough) {
        break;
      }
    }
    return x;
  }

  /** From a feasible x to the minimum. */
  private void minimize() {
    freed = 0;
    for (int i = 0; i < size; i++) {
      isFree[i] = x[i] > 0.0;
      if (isFree[i]) {
        append(i);
      }
    }
    toMinimumOfFree();
    boolean[] futile = new boolean[size];
    for (int left = 5 * size + 50; left > 0; left--) {
      int best = steepest(futile);
      if (best < 0) {
        return;
      }
      append(best);
      isFree[best] = true;
      if (minimumOfFree()[freed - 1] <= 0.0) { // what seemed a descent was rounding
        freed--;
        isFree[best] = false;
        futile[best] = true;
      } else {
        toMinimumOfFree();
        Arrays.fill(futile, false);
      }
    }
  }

  /** The variable at 0 that the objective falls most with; -1 if it falls with none. */
  private int steepest(boolean[] futile) {
    int best = -1;
    double least = 0.0;
    for (int i = 0; i < size; i++) {
      if (!isFree[i] && !futile[i]) {
        double slope = linear[i];
        double terms = FastMath.abs(linear[i]);
        for (int k = 0; k < freed; k++) {
          double term = matrix[i][free[k]] * x[free[k]];
          slope += term;
          terms += FastMath.abs(term);
        }
        if (slope < -ROUNDING * terms && slope < least) {
          least = slope;
          best = i;
        }
      }
    }
    return best;
  }

  /** Moves x to the minimum over the free variables, and fixes at 0 those that it would pass. */
  private void toMinimumOfFree() {
    while (freed > 0) {
      double[] z = minimumOfFree();
      double step = 1.0;
      int blocking = -1;
      for (int k = 0; k < freed; k++) {
        double now = x[free[k]];
        double reach = now > 0.0 ? now / (now - z[k]) : 0.0;
        if (z[k] <= 0.0 && reach <= step) {
          step = reach;
          blocking = free[k];
        }
      }
      for (int k = 0; k < freed; k++) {
        x[free[k]] =
            blocking < 0 ? z[k] : FastMath.max(0.0, x[free[k]] + step * (z[k] - x[free[k]]));
      }
      if (blocking < 0) {
        return;
      }
      x[blocking] = 0.0;
      fixZeros();
    }
  }

  private void fixZeros() {
    int[] before = Arrays.copyOf(free, freed);
    freed = 0;
    for (int i : before) {
      isFree[i] = x[i] > 0.0;
      if (isFree[i]) {
        append(i);
      }
    }
  }

  /** Frees a variable: one more row of the Cholesky factor. Returns its pivot. */
  private double append(int variable) {
    double[] row = factor[freed];
    double pivot = matrix[variable][variable];
    for (int k = 0; k < freed; k++) {
      double sum = matrix[variable][free[k]];
      for (int l = 0; l < k; l++) {
        sum -= row[l] * factor[k][l];
      }
      row[k] = sum / factor[k][k];
      pivot -= row[k] * row[k];
    }
    row[freed] = FastMath.sqrt(FastMath.max(pivot, 0.1 * SMALLEST_RIDGE));
    free[freed++] = variable;
    return pivot;
  }

  /** The z with (Mz + b)_i = 0 for the free variables, in their order. */
  private double[] minimumOfFree() {
    double[] z = new double[freed];
    for (int k = 0; k < freed; k++) {
      double sum = -linear[free[k]];
      for (int l = 0; l < k; l++) {
        sum -= factor[k][l] * z[l];
      }
      z[k] = sum / factor[k][k];
    }
    for (int k = freed - 1; k >= 0; k--) {
      double sum = z[k];
      for (int l = k + 1; l < freed; l++) {
        sum -= factor[l][k] * z[l];
      }
      z[k] = sum / factor[k][k];
    }
    return z;
  }
}
