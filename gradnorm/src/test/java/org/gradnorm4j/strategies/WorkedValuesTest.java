package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.strategies.Gradients.EXAMPLE;

import java.util.List;
import java.util.Map;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.LossWeighting;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Values worked out by hand, or in closed form, for J = [[−4, 1, 1], [6, 1, 1]], so that G = [[18,
 * −22], [−22, 38]], and losses 1, 2, 4.
 */
class WorkedValuesTest {
  private static final double CLOSED = 1e-9;

  @TestFactory
  List<DynamicTest> gradients() {
    double det = 18.0 * 38.0 - 22.0 * 22.0;
    double[] nash = nash(18, -22, 38);
    double cosine = -22 / Math.sqrt(18.0 * 38.0);
    // two unit gradients: q = 1/(1 + k) / n, length 2 sqrt((1 + k)/2) projected
    double[] imtl = {1 / Math.sqrt(18), 1 / Math.sqrt(38)};
    double sum = imtl[0] + imtl[1];
    return List.of(
        is(Mgda.create(), CLOSED, 60.0 / 100, 40.0 / 100), // (38 + 22) / (18 + 38 + 44)
        is(ImtlG.create(), CLOSED, imtl[0] / sum, imtl[1] / sum),
        is(NashMtl.create(), CLOSED, nash),
        is(FairGrad.create().withAlpha(1.0), CLOSED, nash),
        is(FairGrad.create(), 1e-6, .471363, .319454),
        // e_1/2 + 22/38 e_2/2 and e_2/2 + 22/18 e_1/2
        is(UpGrad.create(), CLOSED, 0.5 + 22.0 / 36, 0.5 + 22.0 / 76),
        is(DualProj.create(), CLOSED, 22.0 / 36, 0.5), // (Ge)_1 < 0: v_1 = 22/18 · 1/2
        is(PcGrad.create(), CLOSED, 1 + 22.0 / 18, 1 + 22.0 / 38),
        is(AlignedMtl.create(), CLOSED, aligned(18, -22, 38, det)),
        is(CaGrad.create(), 1e-6, .704124, .5),
        is(CaGrad.create().withC(0.0), CLOSED, 0.5, 0.5),
        is(ConFig.create(), CLOSED, config(cosine)));
  }

  /** λ_1² G_11 + λ_1 λ_2 G_12 = 1 and the same for 2: λ_i = v/n_i with v² (1 + k) = 1. */
  private static double[] nash(double a, double b, double c) {
    double v = 1 / Math.sqrt(1 + b / Math.sqrt(a * c));
    return new double[] {v / Math.sqrt(a), v / Math.sqrt(c)};
  }

  /** (1ᵀGq)/(qᵀGq) q, with Gq = n: q_i = 1/(1 + k)/n_i. */
  private static double[] config(double cosine) {
    double n1 = Math.sqrt(18);
    double n2 = Math.sqrt(38);
    double length = (n1 + n2) / (2 / (1 + cosine));
    return new double[] {length / (1 + cosine) / n1, length / (1 + cosine) / n2};
  }

  /** √σ₂ G^(−½) 1/2, by the square root of a 2 × 2 matrix: √G = (G + √det I) / √(tr + 2 √det). */
  private static double[] aligned(double a, double b, double c, double det) {
    double root = Math.sqrt(det);
    double scale = Math.sqrt(a + c + 2 * root);
    double smallest = (a + c) / 2 - Math.hypot((a - c) / 2, b);
    double factor = Math.sqrt(smallest) * scale / root; // |√G| = √det
    return new double[] {
      factor * ((c + root) - b) / scale / scale / 2, factor * ((a + root) - b) / scale / scale / 2
    };
  }

  private static DynamicTest is(LossWeighting<?> weighting, double tolerance, double... expected) {
    return is(weighting, Gradients.step(EXAMPLE), tolerance, expected);
  }

  private static DynamicTest is(
      LossWeighting<?> weighting, StepMeasurement step, double tolerance, double... expected) {
    return DynamicTest.dynamicTest(
        weighting.name() + weighting.describe(),
        () ->
            assertThat(Gradients.weights(weighting, step))
                .containsExactly(expected, within(tolerance)));
  }

  @TestFactory
  List<DynamicTest> losses() {
    StepMeasurement two = Gradients.step(EXAMPLE, 1, 2);
    double[][] ones = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    StepMeasurement three = Gradients.step(ones, 1, 2, 4);
    double e1 = Math.exp(1);
    double e2 = Math.exp(.5);
    double e3 = Math.exp(.25);
    double total = (e1 + e2 + e3) / 3;
    double[] max = {Math.exp(1 / 3.0), Math.exp(2 / 3.0), Math.exp(4 / 3.0)};
    double sum = 3 * (max[0] + max[1] + max[2]);
    double[] far = {0.5 * Math.exp(.5), 0.3 * Math.exp(.3), 0.2 * Math.exp(.2)};
    double farSum = Math.exp(.5) + Math.exp(.3) + Math.exp(.2);
    return List.of(
        is(DbMtl.create(), two, CLOSED, 1.0, Math.sqrt(18.0 / 38)),
        is(UwSo.create(), three, CLOSED, e1 / total, e2 / total, e3 / total),
        is(GeometricLoss.create(), three, CLOSED, 2 / 3.0, 1 / 3.0, 1 / 6.0),
        is(Stch.create(1), three, CLOSED, max[0] / sum, max[1] / sum, max[2] / sum),
        is(
            Stch.create(1)
                .withPreferences(Map.of("t0", .5, "t1", .3, "t2", .2))
                .withIdeals(Map.of("t0", 0.0, "t1", 1.0, "t2", 3.0)),
            three,
            CLOSED,
            far[0] / farSum,
            far[1] / farSum,
            far[2] / farSum));
  }

  /** Six digits, as published elsewhere or computed in high precision. */
  @TestFactory
  List<DynamicTest> sixDigits() {
    return List.of(
        is(ImtlG.create(), 1e-6, .592330, .407670),
        is(NashMtl.create(), 1e-6, .591461, .407071),
        is(UpGrad.create(), 1e-6, 1.111111, .789474),
        is(DualProj.create(), 1e-6, .611111, .5),
        is(PcGrad.create(), 1e-6, 2.222222, 1.578947),
        is(AlignedMtl.create(), 1e-6, .559072, .408261),
        is(ConFig.create(), 1e-6, 1.226483, .844124),
        is(DbMtl.create(), Gradients.step(EXAMPLE, 1, 2), 1e-6, 1, .688247));
  }
}
