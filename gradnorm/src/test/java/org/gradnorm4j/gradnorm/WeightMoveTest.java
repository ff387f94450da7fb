package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.gradnorm.Rules.measured;
import static org.gradnorm4j.gradnorm.Rules.ones;

import java.util.Arrays;
import java.util.stream.Stream;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.testing.Updaters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;

/** Updaters whose step is far larger than their learning rate, and the bound on what is taken. */
class WeightMoveTest {
  private static final double[] NORMS = {1, 2, 4};

  private static DryRun<GradNormState> first(WeightUpdate update, IUpdater updater) {
    Rules.Rule rule =
        Rules.of(
            GradNorm.builder().alpha(0).weightUpdate(update).lossWeightUpdater(updater),
            Rules.names(3));
    return rule.update(rule.init(ones(3)), measured(ones(3), NORMS, ones(3)));
  }

  /** ND4J's Nadam corrects the bias of its first moment only: (β₁ + 1) / √(1 − β₂) = 60. */
  @Test
  void nd4jsNadam_firstStepsSixtyTimesItsRate() {
    WeightOptimizer nadam = WeightOptimizer.of(new Nadam(0.1));
    assertThat(nadam.step(nadam.init(1), new double[] {5}, 0, 0).delta()[0])
        .isCloseTo(6.0, within(0.1));
  }

  /** The mean norm is 7/3. Δ = (−6, −6, 6), of which log 2 is taken: (2, 2, ½), scaled to 3. */
  @Test
  void nadamsFirstStep_doublesOrHalvesAtMost() {
    DryRun<GradNormState> update = first(WeightUpdate.MULTIPLICATIVE, new Nadam(0.1));
    double total = 2 + 2 + 0.5;
    assertThat(update.lossWeights())
        .containsExactly(new double[] {6 / total, 6 / total, 1.5 / total}, within(1e-14));
    assertThat(update.notices()).containsOnlyKeys("step cut");
    assertThat(first(WeightUpdate.ADDITIVE, new Nadam(0.1)).lossWeights())
        .containsExactly(new double[] {1.5 * 3 / 3.5, 1.5 * 3 / 3.5, 0.5 * 3 / 3.5}, within(1e-14));
  }

  static Stream<IUpdater> updaters() {
    return Updaters.all();
  }

  /** Whatever ND4J's updaters make of their first steps, and of norms of any scale. */
  @ParameterizedTest
  @MethodSource("updaters")
  void everyUpdater_staysWithinTheBound(IUpdater updater) {
    Rules.Rule rule = Rules.of(GradNorm.builder().lossWeightUpdater(updater), Rules.names(3));
    for (double scale : new double[] {1e-6, 1, 1e6}) {
      DryRun<GradNormState> state = rule.init(ones(3));
      for (int t = 0; t < 20; t++) {
        double[] before = state.lossWeights();
        double[] norms = {scale, 2 * scale * (t % 3), 4};
        state = rule.update(state, measured(ones(3), norms, before));
        for (int i = 0; i < 3; i++) {
          assertThat(state.lossWeights()[i] / before[i]).isBetween(0.25 - 1e-12, 4 + 1e-12);
        }
      }
    }
  }

  /** And it ends where Adam does, λ ∝ 1/n. */
  @ParameterizedTest
  @EnumSource(WeightUpdate.class)
  void nadam_balances(WeightUpdate update) {
    Rules.Rule rule =
        Rules.of(
            GradNorm.builder().alpha(0).weightUpdate(update).lossWeightUpdater(new Nadam(0.001)),
            Rules.names(3));
    DryRun<GradNormState> state = rule.init(ones(3));
    for (int t = 0; t < 1500; t++) {
      state = rule.update(state, measured(ones(3), NORMS, state.lossWeights()));
      assertThat(Arrays.stream(state.lossWeights()).min().orElseThrow()).isPositive();
    }
    assertThat(state.lossWeights())
        .containsExactly(new double[] {12.0 / 7, 6.0 / 7, 3.0 / 7}, within(0.03));
  }

  /**
   * Adam's step is η (1 − β₁)/√(1 − β₂) at most (Kingma and Ba, section 2.1), 3.17 η: up to η = 0.2
   * it is never cut.
   */
  @Test
  void adam_isNotCut_upToALearningRateOfAFifth() {
    WeightOptimizer adam = WeightOptimizer.of(new Adam(0.2));
    double[] state = adam.init(1);
    double largest = 0.0;
    for (int t = 0; t < 5000; t++) { // nothing, then a gradient: the worst case
      WeightOptimizer.Step step = adam.step(state, new double[] {t < 4999 ? 0 : 1}, t, 0);
      state = step.state();
      largest = Math.max(largest, Math.abs(step.delta()[0]));
    }
    assertThat(largest).isBetween(0.6, WeightMove.LARGEST_LOG_STEP);
    assertThat(first(WeightUpdate.MULTIPLICATIVE, new Adam(0.2)).notices()).isEmpty();
  }
}
