package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.learning.config.Sgd;

/** Strategies that remember something: DWA, ReLoBRaLo, IMTL-L; and those that draw. */
class MemoryTest {
  private static final Tasks TASKS = Tasks.of(List.of("a", "b"));

  private static StepMeasurement step(int iteration, int epoch, double a, double b) {
    return step(iteration, epoch, a, b, true);
  }

  private static StepMeasurement step(int iteration, int epoch, double a, double b, boolean hasB) {
    return StepMeasurement.of(TASKS)
        .at(iteration, epoch)
        .present(true, hasB)
        .losses(a, hasB ? b : 0.0)
        .gradientNorms(1, hasB ? 1 : 0)
        .lossWeights(1, 1)
        .build();
  }

  private static double[] softmax(double a, double b) {
    double sum = Math.exp(a) + Math.exp(b);
    return new double[] {2 * Math.exp(a) / sum, 2 * Math.exp(b) / sum};
  }

  /** Means (4, 2), (3, 1), (1.5, 1): r = (3/4, 1/2), then (1/2, 1). */
  @Test
  void dwa_isByMeansOfEpochs() {
    DryRun<DynamicWeightAverage.State> run = DryRun.begin(DynamicWeightAverage.create(), TASKS);
    run = run.take(step(0, 0, 5, 2)).take(step(1, 0, 3, 2));
    run = run.take(step(2, 1, 2, 1)).take(step(3, 1, 4, 1));
    assertThat(run.lossWeights()).containsExactly(1, 1); // two epochs
    run = run.take(step(4, 2, 1, 1));
    assertThat(run.lossWeights()).containsExactly(softmax(.75 / 2, .5 / 2), within(1e-12));
    assertThat(run.step().values(DynamicWeightAverage.RATE)).containsExactly(.75, .5);
    DryRun<DynamicWeightAverage.State> next = run.take(step(5, 2, 2, 1));
    assertThat(next.lossWeights()).isEqualTo(run.lossWeights()); // within an epoch
    assertThat(next.take(step(6, 3, 9, 9)).lossWeights())
        .containsExactly(softmax(.5 / 2, 1.0 / 2), within(1e-12));
  }

  @Test
  void dwa_withAMeanOf0_orAnAbsentTask_keepsItsWeight() {
    DryRun<DynamicWeightAverage.State> run =
        DryRun.begin(DynamicWeightAverage.create().withTemperature(1), TASKS);
    run = run.take(step(0, 0, 5, 0)).take(step(1, 1, 3, 2)).take(step(2, 2, 3, 2));
    assertThat(run.lossWeights()).containsExactly(1, 1);
    assertThat(run.step().values(DynamicWeightAverage.RATE)).containsExactly(.6, 1);
    run = run.take(step(3, 3, 6, 4, false));
    assertThat(run.lossWeights()).containsExactly(softmax(1, 1), within(1e-12));
    run = run.take(step(4, 4, 6, 4)); // b was absent all epoch: its means stay
    assertThat(run.step().values(DynamicWeightAverage.RATE)).containsExactly(2, 1);
  }

  @Test
  void dwa_refusesANegativeLoss() {
    DryRun<DynamicWeightAverage.State> run = DryRun.begin(DynamicWeightAverage.create(), TASKS);
    assertThatThrownBy(() -> run.take(step(0, 0, 1, -1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("task 'b': loss (-1.0) must be >= 0");
  }

  /** With ρ = 1 always: λ ← α λ + (1 − α) λ̂(t; t−1). */
  @Test
  void reLoBRaLo_withoutLookback_isAnAverage() {
    DryRun<ReLoBRaLo.State> run =
        DryRun.begin(ReLoBRaLo.create().withAlpha(0.9).withExpectedRho(1), TASKS);
    run = run.take(step(0, 0, 4, 1));
    assertThat(run.lossWeights()).containsExactly(1, 1);
    run = run.take(step(1, 0, 2, 1));
    double[] first = softmax(.5, 1);
    double[] expected = {.9 + .1 * first[0], .9 + .1 * first[1]};
    assertThat(run.lossWeights()).containsExactly(expected, within(1e-12));
    run = run.take(step(2, 0, 2, 1, false)); // b is absent: nothing to compare a with
    assertThat(run.lossWeights()).containsExactly(expected, within(1e-12));
    run = run.take(step(3, 0, 1, 1));
    double[] second = softmax(.5, 1);
    assertThat(run.lossWeights()[0]).isCloseTo(.9 * expected[0] + .1 * second[0], within(1e-12));
  }

  /** With ρ = 0 always: λ = α λ̂(t; 0) + (1 − α) λ̂(t; t−1). */
  @Test
  void reLoBRaLo_withLookback_isByTheFirstLosses() {
    DryRun<ReLoBRaLo.State> run =
        DryRun.begin(
            ReLoBRaLo.create().withAlpha(0.7).withExpectedRho(0).withTemperature(2), TASKS);
    run = run.take(step(0, 0, 4, 1)).take(step(1, 0, 2, 1)).take(step(2, 0, 1, 2));
    double[] sinceFirst = softmax(.125, 1);
    double[] sinceLast = softmax(.25, 1);
    assertThat(run.lossWeights()[0])
        .isCloseTo(.7 * sinceFirst[0] + .3 * sinceLast[0], within(1e-12));
  }

  @Test
  void reLoBRaLo_looksBackAsOftenAsStated() {
    SplitMix.State draws = new SplitMix.State(0);
    int lookbacks = 0;
    for (int i = 0; i < 100_000; i++) {
      lookbacks += new SplitMix(draws).nextDouble() < 0.9 ? 0 : 1;
      draws = draws.next();
    }
    assertThat(lookbacks).isBetween(9_700, 10_300); // 10,000 ± 3 σ
  }

  /** s descends exp(s) L − s: by 0.1 of exp(s) L − 1. */
  @Test
  void imtlL_descendsItsLoss() {
    DryRun<UncertaintyWeighting.State> run =
        DryRun.begin(ImtlL.with(WeightOptimizer.of(new Sgd(0.1))), TASKS).take(step(0, 0, 3, .5));
    assertThat(run.lossWeights())
        .containsExactly(new double[] {Math.exp(-.2), Math.exp(.05)}, within(1e-12));
    assertThat(run.step().values(ImtlL.LOG_WEIGHT))
        .containsExactly(new double[] {-.2, .05}, within(1e-12));
    for (int i = 1; i < 2_000; i++) {
      run = run.take(step(i, 0, 3, .5));
    }
    assertThat(run.lossWeights()).containsExactly(new double[] {1 / 3.0, 2}, within(1e-6));
  }

  /** Uncertainty weighting in the form built here, to the last bit. */
  @Test
  void imtlL_isTheMirrorOfUncertaintyWeighting() {
    DryRun<UncertaintyWeighting.State> imtl = DryRun.begin(ImtlL.create(), TASKS);
    DryRun<UncertaintyWeighting.State> uw = DryRun.begin(UncertaintyWeighting.create(), TASKS);
    for (int i = 0; i < 100; i++) {
      imtl = imtl.take(step(i, 0, 3.0 / (1 + i), .5));
      uw = uw.take(step(i, 0, 3.0 / (1 + i), .5));
    }
    assertThat(imtl.lossWeights()).isEqualTo(uw.lossWeights());
    assertThat(imtl.lossWeights()).doesNotContain(1.0);
  }

  /** Mean and variance of the weights' logarithms, less their mean: those of N(0, 1). */
  @Test
  void randomWeights_areLogNormal() {
    int tasks = 10;
    double[][] gradients = new double[tasks][1];
    StepMeasurement step = Gradients.step(gradients);
    DryRun<SplitMix.State> run = DryRun.begin(RandomWeights.create(), step.tasks());
    double squares = 0.0;
    double first = 0.0;
    int steps = 5_000;
    for (int i = 0; i < steps; i++) {
      run = run.take(step);
      double[] logs = Arrays.stream(run.lossWeights()).map(Math::log).toArray();
      double mean = Arrays.stream(logs).average().orElseThrow();
      squares += Arrays.stream(logs).map(z -> (z - mean) * (z - mean)).sum() / (tasks - 1);
      first += logs[0] - mean;
    }
    assertThat(squares / steps).isCloseTo(1.0, within(0.03));
    assertThat(first / steps).isCloseTo(0.0, within(0.05));
  }

  @Test
  void randomWeights_followFromTheSeed() {
    StepMeasurement step = step(0, 0, 1, 1);
    double[] one = DryRun.begin(RandomWeights.create(), TASKS).take(step).lossWeights();
    assertThat(DryRun.begin(RandomWeights.create(), TASKS).take(step).lossWeights()).isEqualTo(one);
    assertThat(DryRun.begin(RandomWeights.create().withSeed(1), TASKS).take(step).lossWeights())
        .isNotEqualTo(one);
    assertThat(DryRun.begin(RandomWeights.create(), TASKS).take(step).take(step).lossWeights())
        .isNotEqualTo(one);
  }

  /** Every order with the same probability: 24 of 4, 24,000 draws. */
  @Test
  void permutations_areUniform() {
    SplitMix random = new SplitMix(new SplitMix.State(5));
    Map<String, Integer> counts = new HashMap<>();
    for (int i = 0; i < 24_000; i++) {
      counts.merge(Arrays.toString(random.permutation(4)), 1, Integer::sum);
    }
    assertThat(counts).hasSize(24);
    assertThat(counts.values()).allSatisfy(count -> assertThat(count).isBetween(870, 1_130));
  }
}
