package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.LossWeighting;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * One task's loss in other units, L and g times 1000: of some strategies the direction of the step
 * does not change, of others it does.
 */
class ScaleInvarianceTest {
  private static final double[][] GRADIENTS = new double[4][6];
  private static final double[] LOSSES = {1.0, 0.5, 2.0, 0.7};

  static {
    Random random = new Random(4);
    for (double[] gradient : GRADIENTS) {
      Arrays.setAll(gradient, k -> random.nextGaussian() + 0.3);
    }
  }

  private static double cosine(LossWeighting<?> weighting) {
    double[][] scaled = GRADIENTS.clone();
    scaled[2] = Arrays.stream(GRADIENTS[2]).map(g -> g * 1000).toArray();
    double[] losses = LOSSES.clone();
    losses[2] *= 1000;
    double[] before = direction(weighting, GRADIENTS, Gradients.step(GRADIENTS, LOSSES));
    double[] after = direction(weighting, scaled, Gradients.step(scaled, losses));
    return Gram.dot(before, after) / Math.sqrt(Gram.dot(before, before) * Gram.dot(after, after));
  }

  private static double[] direction(
      LossWeighting<?> weighting, double[][] gradients, StepMeasurement step) {
    return Gradients.combined(gradients, Gradients.weights(weighting, step));
  }

  @TestFactory
  Stream<DynamicTest> direction_doesNotDependOnUnits() {
    return Stream.<LossWeighting<?>>of(
            NashMtl.create(),
            ImtlG.create(),
            ConFig.create(),
            DbMtl.create(),
            GeometricLoss.create(),
            FairGrad.create().withAlpha(1))
        .map(
            weighting ->
                DynamicTest.dynamicTest(
                    weighting.name(),
                    () -> assertThat(cosine(weighting)).isCloseTo(1.0, within(1e-12))));
  }

  @TestFactory
  Stream<DynamicTest> direction_dependsOnUnits() {
    return Stream.<LossWeighting<?>>of(
            Mgda.create(),
            UpGrad.create(),
            DualProj.create(),
            CaGrad.create(),
            PcGrad.create(),
            AlignedMtl.create(),
            FairGrad.create(),
            UwSo.create(),
            Stch.create(1.0))
        .map(
            weighting ->
                DynamicTest.dynamicTest(
                    weighting.name(), () -> assertThat(cosine(weighting)).isLessThan(0.99)));
  }
}
