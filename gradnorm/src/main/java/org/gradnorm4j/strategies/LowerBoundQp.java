package org.gradnorm4j.strategies;

import java.util.Arrays;

/**
 * The shortest combination of gradients with weights that have lower bounds: the projection of
 * &Sigma; u<sub>i</sub>g<sub>i</sub> onto the directions in which no task ascends.
 *
 * <pre>
 *   v = argmin { vᵀGv : v ≥ u }
 *   ⟺  v ≥ u,  Gv ≥ 0,  (v_i − u_i) (Gv)_i = 0
 * </pre>
 */
final class LowerBoundQp {
  private final Gram gram;
  private final NonNegativeQp program;

  /** Programs with this matrix. */
  LowerBoundQp(Gram gram) {
    this.gram = gram;
    program = new NonNegativeQp(gram.cosines());
  }

  /** Solves it for bounds u &ge; 0. Nothing is modified. */
  double[] solve(double[] u) {
    double[] norms = gram.norms();
    double[] scaled = u.clone();
    Arrays.setAll(scaled, i -> norms[i] * u[i]);
    double largest = Arrays.stream(scaled).max().orElseThrow();
    Arrays.setAll(scaled, i -> scaled[i] / largest);
    double[] v = program.solve(Gram.times(gram.cosines(), scaled)); // v = u + x/n
    Arrays.setAll(v, i -> u[i] + v[i] * largest / norms[i]);
    return v;
  }
}
