package org.gradnorm4j.strategies;

import java.util.Arrays;

/**
 * The shortest convex combination of gradients.
 *
 * <pre>
 *   λ = argmin { λᵀGλ : λ ≥ 0, Σλ = 1 }
 *   ⟺  λ ≥ 0,  Σλ = 1,  (Gλ)_i ≥ λᵀGλ,  equal where λ_i > 0
 * </pre>
 */
final class SimplexQp {
  /*
   * With λ_i = a_i x_i / s, a_i = n_min/n_i, s = aᵀx, the conditions are those of
   *   min { ½ xᵀKx + ½ (1 − aᵀx)² : x ≥ 0 },
   * which has no equation to keep (Wolfe, Math. Programming 11 (1976), section 7): not a penalty,
   * the answer is the same.
   */
  private SimplexQp() {}

  /** Solves it. Nothing is modified. */
  static double[] solve(Gram gram) {
    int size = gram.size();
    double shortest = Arrays.stream(gram.norms()).min().orElseThrow();
    double[] a = Arrays.stream(gram.norms()).map(n -> shortest / n).toArray();
    double[][] matrix = new double[size][size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        matrix[i][j] = gram.cosines()[i][j] + a[i] * a[j];
      }
    }
    double[] x = new NonNegativeQp(matrix).solve(Arrays.stream(a).map(v -> -v).toArray());
    double sum = Gram.dot(a, x);
    Arrays.setAll(x, i -> a[i] * x[i] / sum);
    return x;
  }
}
