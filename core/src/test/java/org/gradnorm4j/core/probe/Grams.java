package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.EigenDecomposition;
import org.gradnorm4j.core.StepMeasurement;

/** What every Gram matrix has to be. */
final class Grams {
  private Grams() {}

  /** Of gradients as {@link OneTaskOracle#sharedGradients} has them: in double, one by one. */
  static double[][] of(double[][] gradients) {
    double[][] gram = new double[gradients.length][gradients.length];
    for (int i = 0; i < gram.length; i++) {
      for (int j = 0; j < gram.length; j++) {
        for (int k = 0; k < gradients[i].length; k++) {
          gram[i][j] += gradients[i][k] * gradients[j][k];
        }
      }
    }
    return gram;
  }

  /**
   * Every entry is that of the gradients but for a fraction of √(G_ii G_jj), or for the rounding of
   * gradients that are all but 0, their terms, of about 1, cancelling; and {@link #assertSound}.
   */
  static void assertGram(StepMeasurement step, double[][] gradients, double tolerance) {
    double[][] expected = of(gradients);
    double[] norms = OneTaskOracle.norms(gradients);
    double[][] actual = step.gram();
    for (int i = 0; i < actual.length; i++) {
      for (int j = 0; j < actual.length; j++) {
        assertThat(actual[i][j])
            .as("%s with %s", step.taskNames().get(i), step.taskNames().get(j))
            .isCloseTo(
                expected[i][j],
                within(tolerance * norms[i] * norms[j] + 2e-16 * (norms[i] + norms[j])));
      }
    }
    assertSound(step, Math.max(1e-12, 1e-2 * tolerance));
  }

  /**
   * Symmetric, with the squared norms on the diagonal, and no eigenvalue below −tolerance · trace.
   */
  static void assertSound(StepMeasurement step, double tolerance) {
    double[][] gram = step.gram();
    double trace = 0.0;
    for (int i = 0; i < gram.length; i++) {
      double norm = step.gradientNorms()[i];
      assertThat(gram[i][i]).isCloseTo(norm * norm, within(1e-12 * norm * norm));
      trace += gram[i][i];
      for (int j = 0; j < i; j++) {
        assertThat(gram[i][j]).isEqualTo(gram[j][i]);
      }
      if (!step.present()[i]) {
        assertThat(gram[i]).containsOnly(0.0);
      }
    }
    if (trace > 0.0) {
      double[] eigenvalues =
          new EigenDecomposition(new Array2DRowRealMatrix(gram)).getRealEigenvalues();
      assertThat(Arrays.stream(eigenvalues).min().orElseThrow()).isGreaterThan(-tolerance * trace);
    }
  }
}
