package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Two convex quadratics, f_i = (x − u_i)ᵀA_i(x − u_i), whose Pareto set is known: for weights (w, 1
 * − w) the point with (Σ w_i A_i) x = Σ w_i A_i u_i.
 */
class ParetoTest {
  private static final double[][][] A = {{{1, .2}, {.2, .05}}, {{3, -.6}, {-.6, .2}}};
  private static final double[][] U = {{1, 0}, {-1, 0}};

  private static double[][] gradients(double[] x) {
    double[][] gradients = new double[2][2];
    for (int i = 0; i < 2; i++) {
      double a = x[0] - U[i][0];
      double b = x[1] - U[i][1];
      gradients[i][0] = 2 * (A[i][0][0] * a + A[i][0][1] * b);
      gradients[i][1] = 2 * (A[i][1][0] * a + A[i][1][1] * b);
    }
    return gradients;
  }

  private static double loss(int i, double[] x) {
    double[] gradient = gradients(x)[i];
    return 0.5 * ((x[0] - U[i][0]) * gradient[0] + (x[1] - U[i][1]) * gradient[1]);
  }

  private static double[] pareto(double w) {
    double[] v = {w, 1 - w};
    double a = 0;
    double b = 0;
    double c = 0;
    double p = 0;
    double q = 0;
    for (int i = 0; i < 2; i++) {
      a += v[i] * A[i][0][0];
      b += v[i] * A[i][0][1];
      c += v[i] * A[i][1][1];
      p += v[i] * A[i][0][0] * U[i][0];
      q += v[i] * A[i][1][0] * U[i][0];
    }
    double det = a * c - b * b;
    return new double[] {(p * c - b * q) / det, (a * q - b * p) / det};
  }

  /** Least distance to 100,000 points of the set. */
  private static double distance(double[] x) {
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i <= 100_000; i++) {
      double[] point = pareto(i / 100_000.0);
      least = Math.min(least, Math.hypot(x[0] - point[0], x[1] - point[1]));
    }
    return least;
  }

  private static StepMeasurement step(double[] x) {
    return Gradients.step(gradients(x), loss(0, x), loss(1, x));
  }

  /** Gradient descent with the strategy's weights, at a rate that falls to 0. */
  private static <S extends Record> double[] descend(LossWeighting<S> weighting, double rate) {
    double[] x = {0.5, 4.0};
    Decision<S> now = weighting.init(Gradients.tasks(2));
    int steps = 20_000;
    for (int i = 0; i < steps; i++) {
      now = weighting.decide(now.state(), now.lossWeights(), step(x));
      double[] d = Gradients.combined(gradients(x), now.lossWeights());
      double length = Math.max(1.0, Math.hypot(d[0], d[1]));
      for (int k = 0; k < 2; k++) {
        x[k] -= rate * (1.0 - i / (double) steps) * d[k] / length;
      }
    }
    return x;
  }

  @TestFactory
  Stream<DynamicTest> strategiesByGradients_reachTheParetoSet() {
    WeightScale sum = WeightScale.SUM_OF_TASKS;
    return Stream.<LossWeighting<?>>of(
            Mgda.create(),
            UpGrad.create(),
            DualProj.create(),
            CaGrad.create(),
            NashMtl.create().with(sum),
            FairGrad.create().with(sum),
            PcGrad.create(),
            AlignedMtl.create(),
            ImtlG.create(),
            ConFig.create())
        .map(
            weighting ->
                DynamicTest.dynamicTest(
                    weighting.name(),
                    () -> {
                      assertThat(distance(new double[] {0.5, 4.0})).isGreaterThan(0.5);
                      assertThat(distance(descend(weighting, 0.1))).isLessThan(1e-2);
                    }));
  }

  /** ⟨g_i, d⟩ ≥ 0 for both tasks, anywhere, and more than 0 off the Pareto set. */
  @Test
  void strategiesThatPromiseIt_neverAscend() {
    for (LossWeighting<?> weighting :
        List.of(Mgda.create(), UpGrad.create(), DualProj.create(), NashMtl.create())) {
      for (double a = -3.05; a < 3; a += 0.1) {
        for (double b = -5.05; b < 5; b += 0.1) {
          double[][] gradients = gradients(new double[] {a, b});
          double[] d =
              Gradients.combined(
                  gradients, Gradients.weights(weighting, step(new double[] {a, b})));
          for (double[] gradient : gradients) {
            assertThat(Gram.dot(gradient, d))
                .as("%s at (%s, %s)", weighting.name(), a, b)
                .isGreaterThanOrEqualTo(-1e-12);
          }
        }
      }
    }
  }

  /** The mean of the losses does ascend: the guarantee above is not empty. */
  @Test
  void meanLoss_ascendsSomewhere() {
    double least = 0.0;
    for (double a = -3.05; a < 3; a += 0.1) {
      for (double b = -5.05; b < 5; b += 0.1) {
        double[][] gradients = gradients(new double[] {a, b});
        double[] d = Gradients.combined(gradients, new double[] {0.5, 0.5});
        least = Math.min(least, Gram.dot(gradients[0], d));
      }
    }
    assertThat(least).isLessThan(-0.1);
  }
}
