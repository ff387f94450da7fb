package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.weighting.SkipCause;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** The equations of Kendall, Gal and Cipolla, without a network. */
class UncertaintyWeightingTest {
  private static final Tasks TASKS = Tasks.of(List.of("a", "b"));

  private static DryRun<UncertaintyWeighting.State> begin(IUpdater updater) {
    return DryRun.begin(UncertaintyWeighting.with(WeightOptimizer.of(updater)), TASKS);
  }

  private static StepMeasurement losses(double a, double b) {
    return StepMeasurement.of(TASKS)
        .batchSize(10)
        .losses(a, b)
        .gradientNorms(1, 1)
        .lossWeights(1, 1)
        .build();
  }

  /** s ← s − 0.1 (1 − exp(−s) L), from s = 0, by hand. */
  @Test
  void gradientDescent_losses2And05() {
    DryRun<UncertaintyWeighting.State> first = begin(new Sgd(0.1)).take(losses(2.0, 0.5));
    // s = −0.1 (1 − 2) = 0.1 and −0.1 (1 − 0.5) = −0.05
    assertThat(first.lossWeights()[0]).isCloseTo(Math.exp(-0.1), within(1e-15));
    assertThat(first.lossWeights()[1]).isCloseTo(Math.exp(0.05), within(1e-15));
    assertThat(first.step().values(UncertaintyWeighting.LOG_VARIANCE))
        .containsExactly(new double[] {0.1, -0.05}, within(1e-15));

    DryRun<UncertaintyWeighting.State> second = first.take(losses(2.0, 0.5));
    // 0.1 − 0.1 (1 − 2 · 0.9048374180) = 0.1809674836; −0.05 − 0.1 (1 − 0.5 · 1.0512710964)
    assertThat(second.lossWeights()[0]).isCloseTo(Math.exp(-0.1809674836), within(1e-10));
    assertThat(second.lossWeights()[1]).isCloseTo(Math.exp(0.0974364452), within(1e-10));
  }

  /** Adam's first step is its learning rate, whatever the loss; but for its ε = 1e-8. */
  @Test
  void adam_firstStep() {
    double[] weights = begin(new Adam(0.025)).take(losses(9900.0, 0.2)).lossWeights();
    assertThat(weights[0]).isCloseTo(Math.exp(-0.025), within(2e-8));
    assertThat(weights[1]).isCloseTo(Math.exp(0.025), within(2e-8));
  }

  /** Where ∂L/∂s = 0: λ L = 1. */
  @Test
  void constantLosses_weightsBecomeTheirInverses() {
    DryRun<UncertaintyWeighting.State> run = begin(new Sgd(0.1));
    for (int step = 0; step < 2000; step++) {
      run = run.take(losses(4.0, 0.1));
    }
    assertThat(run.lossWeights()[0]).isCloseTo(0.25, within(1e-9));
    assertThat(run.lossWeights()[1]).isCloseTo(10.0, within(1e-9));
  }

  @Test
  void lossThatIsNotFinite_changesNothing() {
    DryRun<UncertaintyWeighting.State> run = begin(new Adam(0.025)).take(losses(2.0, 0.5));
    for (StepMeasurement bad :
        List.of(losses(Double.NaN, 0.5), losses(Double.POSITIVE_INFINITY, 0.5))) {
      DryRun<UncertaintyWeighting.State> after = run.take(bad);
      assertThat(after.lossWeights()).isEqualTo(run.lossWeights());
      assertThat(after.state()).isSameAs(run.state());
      assertThat(after.step().skipCauses()).isEqualTo(Map.of("a", Set.of(SkipCause.LOSS)));
    }
  }

  /** It does not look at norms. */
  @Test
  void normThatIsNotFinite_doesNotMatter() {
    StepMeasurement step =
        StepMeasurement.of(TASKS)
            .batchSize(10)
            .losses(2.0, 0.5)
            .gradientNorms(Double.NaN, 1)
            .lossWeights(1, 1)
            .build();
    DryRun<UncertaintyWeighting.State> run = begin(new Sgd(0.1));
    assertThat(run.take(step).lossWeights()).isEqualTo(run.take(losses(2.0, 0.5)).lossWeights());
  }

  @Test
  void absentTask_keepsItsWeightAndMoments() {
    DryRun<UncertaintyWeighting.State> run = begin(new Adam(0.025)).take(losses(2.0, 0.5));
    StepMeasurement onlyA =
        StepMeasurement.of(TASKS)
            .batchSize(10)
            .present(true, false)
            .losses(2.0, 0.0)
            .gradientNorms(1, 0)
            .lossWeights(run.lossWeights())
            .build();
    DryRun<UncertaintyWeighting.State> after = run.take(onlyA);
    assertThat(after.lossWeights()[1]).isEqualTo(run.lossWeights()[1]);
    assertThat(after.lossWeights()[0]).isLessThan(run.lossWeights()[0]);
    assertThat(after.state().updates()).containsExactly(2, 1);
    assertThat(after.state().optimizer()[1]).isEqualTo(run.state().optimizer()[1]);
  }

  /** A loss so large that its step overflows: no weight of 0, which would never come back. */
  @Test
  void stepThatOverflows_isSkipped() {
    DryRun<UncertaintyWeighting.State> run = begin(new Sgd(0.1));
    DryRun<UncertaintyWeighting.State> after = run.take(losses(1e300, 1.0));
    assertThat(after.lossWeights()).containsExactly(1.0, 1.0);
    assertThat(after.step().skipCauses()).isEqualTo(Map.of("a", Set.of(SkipCause.WEIGHT_UPDATE)));
    assertThat(after.take(losses(2.0, 0.5)).step().skipped()).isFalse();
  }

  @Test
  void configuredWeights_areWhereItBegins() {
    Tasks configured =
        Tasks.of(TASKS.names(), new double[] {1.0, 0.1}, new double[] {Double.NaN, Double.NaN});
    DryRun<UncertaintyWeighting.State> run =
        DryRun.begin(UncertaintyWeighting.create(), configured);
    assertThat(run.lossWeights()).containsExactly(1.0, 0.1);
    assertThat(run.state().logVariances()).containsExactly(0.0, -Math.log(0.1));
    Tasks zero =
        Tasks.of(TASKS.names(), new double[] {1.0, 0.0}, new double[] {Double.NaN, Double.NaN});
    assertThatThrownBy(() -> DryRun.begin(UncertaintyWeighting.create(), zero))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "configured weight of task 'b' (0.0) must be > 0, uncertainty weighting begins at its logarithm");
  }
}
