package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.gradnorm.Rules.measured;
import static org.gradnorm4j.gradnorm.Rules.ones;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.SkipCause;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** What the rule does where the paper has nothing to say; without a network. */
class GradNormGuardsTest {
  private static final double[] LOSSES = {1, 2, 3};
  private static final double[] NORMS = {1, 2, 6};

  private static double sum(double[] weights) {
    return Arrays.stream(weights).sum();
  }

  private static DryRun<GradNormState> after(
      Rules.Rule rule, DryRun<GradNormState> state, int steps) {
    for (int t = 0; t < steps; t++) {
      state = rule.update(state, measured(LOSSES, NORMS, state.lossWeights()));
    }
    return state;
  }

  private static StepMeasurement without(int task, DryRun<GradNormState> state) {
    boolean[] present = {true, true, true};
    present[task] = false;
    return measured(present, LOSSES, NORMS, state.lossWeights());
  }

  /** Whether it still counts in the comparison or not. */
  @ParameterizedTest
  @ValueSource(ints = {1, 100})
  void absentTask_keepsMomentsAndAverages(int window) {
    Rules.Rule rule =
        Rules.of(GradNorm.builder().smoothing(0.8).taskWindow(window), Rules.names(3));
    DryRun<GradNormState> before = after(rule, rule.init(ones(3)), 5);
    DryRun<GradNormState> update = rule.update(before, without(1, before));
    DryRun<GradNormState> state = update;
    assertThat(state.lossWeights()[0]).isGreaterThan(before.lossWeights()[0]);
    assertThat(sum(state.lossWeights())).isCloseTo(3, within(1e-15));
    assertThat(state.state().updates()).containsExactly(6, 5, 6);
    for (int moment = 0; moment < 2; moment++) { // Adam: [m, v]
      assertThat(state.state().optimizer()[3 * moment + 1])
          .isEqualTo(before.state().optimizer()[3 * moment + 1]);
      assertThat(state.state().optimizer()[3 * moment])
          .isNotEqualTo(before.state().optimizer()[3 * moment]);
    }
    assertThat(state.state().averageLosses().sums()[1])
        .isEqualTo(before.state().averageLosses().sums()[1]);
    assertThat(state.state().averageNorms().counts()).containsExactly(6, 5, 6);
    BalancedStep step = update.step();
    assertThat(step.values(GradNorm.TARGET_GRADIENT_NORM)[1]).isNaN();
    assertThat(step.values(GradNorm.RELATIVE_INVERSE_TRAINING_RATE)[1]).isNaN();
    assertThat(step.skipped()).isFalse();
  }

  /** With a task absent, the others are a problem of their own. */
  @Test
  void theOthers_moveAsIfTheAbsentTaskDidNotExist() {
    Rules.Rule three = Rules.of(GradNorm.builder(), Rules.names(3));
    Rules.Rule two = Rules.of(GradNorm.builder(), "task0", "task2");
    DryRun<GradNormState> all = three.init(ones(3));
    DryRun<GradNormState> some = two.init(ones(2));
    for (int t = 0; t < 50; t++) {
      all = three.update(all, without(1, all));
      some =
          two.update(
              some,
              StepMeasurement.of(List.of("task0", "task2"))
                  .batchSize(10)
                  .losses(1, 3)
                  .gradientNorms(1, 6)
                  .lossWeights(some.lossWeights())
                  .build());
    }
    assertThat(all.lossWeights()[1]).isEqualTo(1.0);
    assertThat(all.lossWeights()[0]).isCloseTo(some.lossWeights()[0], within(1e-12));
    assertThat(some.lossWeights()[0]).isGreaterThan(1.5);
  }

  @Test
  void taskFirstSeenAtStep500_takesItsInitialLossThen_andAFreshFirstStep() {
    Rules.Rule rule = Rules.of(GradNorm.builder().alpha(0), Rules.names(3));
    DryRun<GradNormState> state = rule.init(ones(3));
    for (int t = 0; t < 500; t++) {
      state = rule.update(state, without(2, state));
    }
    assertThat(state.lossWeights()[2]).isEqualTo(1.0);
    DryRun<GradNormState> update = rule.update(state, measured(LOSSES, NORMS, state.lossWeights()));
    assertThat(InitialLosses.values(update.state().initialLosses())).containsExactly(1, 2, 3);
    // Its norm is the largest: down by Adam's first step, which is the learning rate, against the
    // others, of which the balance of two leaves the moments small.
    assertThat(update.state().updates()).containsExactly(501, 501, 1);
    double[] moments = update.state().optimizer();
    assertThat(moments[2]).isCloseTo(0.1 * 6, within(1e-12)); // (1 − β₁) λ n
    assertThat(moments[5]).isCloseTo(0.001 * 36, within(1e-12)); // (1 − β₂) (λ n)²
  }

  @Test
  void zeroGradientForThousandsOfSteps_leavesTheOthersAlive_andComesBack() {
    Rules.Rule rule = Rules.of(GradNorm.builder(), Rules.names(3));
    DryRun<GradNormState> state = rule.init(ones(3));
    double[] dead = {1, 0, 6};
    for (int t = 0; t < 5000; t++) {
      state = rule.update(state, measured(LOSSES, dead, state.lossWeights()));
    }
    assertThat(state.lossWeights()[1]).isEqualTo(1.0);
    // G₀ = G₂ at (12/7, 2/7) of the 2 that are left, both losses being as at the start
    assertThat(state.lossWeights()[0]).isCloseTo(12.0 / 7, within(0.05));
    double[] back = after(rule, state, 3000).lossWeights();
    assertThat(back[1]).isCloseTo(3 * 0.5 / (1 + 0.5 + 1.0 / 6), within(0.05)); // λ ∝ 1/n
    DryRun<GradNormState> nothing = state;
    for (int t = 0; t < 1000; t++) {
      nothing = rule.update(nothing, measured(LOSSES, new double[3], nothing.lossWeights()));
    }
    assertThat(nothing.lossWeights()).isEqualTo(state.lossWeights());
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-300, 1e-160, 1e-38, 1e-30, 1e30, 1e38, 1e160, 1e300})
  void normsFarFromOne_neverBreakTheWeights(double scale) {
    for (GradNormBuilder settings :
        List.of(GradNorm.builder(), GradNorm.builder().lossWeightUpdater(new Sgd(0.01)))) {
      Rules.Rule rule = Rules.of(settings, Rules.names(3));
      DryRun<GradNormState> state = rule.init(ones(3));
      for (int t = 0; t < 200; t++) {
        double[] norms = t % 2 == 0 ? new double[] {scale, 1, 2} : NORMS;
        state = rule.update(state, measured(LOSSES, norms, state.lossWeights()));
        assertThat(Arrays.stream(state.lossWeights()).allMatch(w -> w > 0 && w < 3)).isTrue();
        assertThat(sum(state.lossWeights())).isCloseTo(3, within(1e-12));
      }
    }
  }

  @Test
  void skips_haveTaskAndCause() {
    GradNormBuilder settings = GradNorm.builder().initialLoss(InitialLoss.of(0.5));
    Rules.Rule rule = Rules.of(settings, Rules.names(3));
    DryRun<GradNormState> state = rule.init(ones(3));
    double inf = Double.POSITIVE_INFINITY;
    state = rule.update(state, measured(new double[] {1, Double.NaN, 1}, NORMS, ones(3)));
    assertThat(state.step().skipCauses()).isEqualTo(Map.of("task1", Set.of(SkipCause.LOSS)));
    state = rule.update(state, measured(LOSSES, new double[] {inf, 1, inf}, ones(3)));
    assertThat(state.step().skipCauses())
        .isEqualTo(
            Map.of(
                "task0", Set.of(SkipCause.GRADIENT_NORM),
                "task2", Set.of(SkipCause.GRADIENT_NORM)));
    DryRun<GradNormState> last = // L/L(0) overflows
        rule.update(state, measured(new double[] {Double.MAX_VALUE, 1, 1}, NORMS, ones(3)));
    assertThat(last.step().skipCauses())
        .isEqualTo(
            Map.of(
                "task0", Set.of(SkipCause.WEIGHT_UPDATE),
                "task1", Set.of(SkipCause.WEIGHT_UPDATE),
                "task2", Set.of(SkipCause.WEIGHT_UPDATE)));
    assertThat(last.lossWeights()).containsExactly(1, 1, 1);
  }

  /**
   * Equal norms ask for no step, so nothing overflows yet: in the averages they would stop each of
   * the next ones.
   */
  @ParameterizedTest
  @ValueSource(doubles = {1e100, 1e152, 1e200, Double.MAX_VALUE})
  void normsThatCannotBeSquared_areNotTakenIntoTheAverages(double norm) {
    Rules.Rule rule = Rules.of(GradNorm.builder().smoothing(0.9), Rules.names(3));
    double[] equal = {norm, norm, norm};
    DryRun<GradNormState> first =
        rule.update(rule.init(ones(3)), measured(ones(3), equal, ones(3)));
    assertThat(first.step().skipped()).isEqualTo(norm > 1e150);
    assertThat(rule.update(first, measured(LOSSES, NORMS, ones(3))).step().skipped()).isFalse();
  }

  @Test
  void pinnedTask_isMeasuredButDoesNotMove() {
    Rules.Rule rule = Rules.of(GradNorm.builder().alpha(0).pin("task1", 0.5), Rules.names(3));
    DryRun<GradNormState> state = rule.init(ones(3));
    assertThat(state.lossWeights()).containsExactly(1.25, 0.5, 1.25);
    DryRun<GradNormState> update = rule.update(state, measured(LOSSES, NORMS, state.lossWeights()));
    assertThat(Rules.meanGradientNorm(update)).isCloseTo((1.25 + 1 + 7.5) / 3, within(1e-12));
    state = after(rule, update, 1000);
    assertThat(state.lossWeights()[1]).isEqualTo(0.5);
    assertThat(sum(state.lossWeights())).isCloseTo(3, within(1e-12));
    assertThat(state.lossWeights()[0]).isGreaterThan(2);
    GradNormBuilder all = GradNorm.builder().pin("task0", 1).pin("task1", 0.5).pin("task2", 0.25);
    List<TaskSettings> byTask = all.weighting().settings().of(List.of(Rules.names(3)));
    Rules.Rule fixed = Rules.of(all, WeightLimits.total(byTask, 3), Rules.names(3));
    assertThat(after(fixed, fixed.init(ones(3)), 10).lossWeights()).containsExactly(1, 0.5, 0.25);
  }

  @Test
  void priors_setTheRatioOfTheNorms() {
    Rules.Rule rule =
        Rules.of(
            GradNorm.builder().alpha(0).lossWeightUpdater(new Adam(0.002)).prior("task0", 3),
            Rules.names(3));
    DryRun<GradNormState> state = after(rule, rule.init(ones(3)), 6000);
    double[] weights = state.lossWeights();
    assertThat(weights[0] * NORMS[0] / (weights[1] * NORMS[1])).isCloseTo(3, within(0.1));
    assertThat(weights[2] * NORMS[2] / (weights[1] * NORMS[1])).isCloseTo(1, within(0.05));
  }

  @Test
  void limits_areKept() {
    Rules.Rule rule = Rules.of(GradNorm.builder().weightLimits(0.5, 1.5), Rules.names(3));
    DryRun<GradNormState> state = rule.init(ones(3));
    for (int t = 0; t < 500; t++) {
      state = after(rule, state, 1);
      assertThat(Arrays.stream(state.lossWeights()).allMatch(w -> w >= 0.5 && w <= 1.5)).isTrue();
      assertThat(sum(state.lossWeights())).isCloseTo(3, within(1e-12));
    }
    // Without limits λ ∝ 1/n, (1.8, 0.9, 0.3): outside on both sides.
    assertThat(state.lossWeights()[0]).isEqualTo(1.5);
    assertThat(state.lossWeights()[2]).isEqualTo(0.5);
  }

  /** x̄ by its definition, Σ β^(n−k) x_k / Σ β^(n−k). */
  @Test
  void smoothing_isTheWeightedMeanOfAllValues() {
    Smoothing smoothing = new Smoothing(0.7);
    Tally tally = Tally.empty(1);
    double[] values = new Random(2).doubles(30).toArray();
    for (int n = 0; n < values.length; n++) {
      double[] value = {values[n]};
      tally = smoothing.add(tally, value, new boolean[] {true});
      double weighted = 0.0;
      double weights = 0.0;
      for (int k = 0; k <= n; k++) {
        weighted += Math.pow(0.7, n - k) * values[k];
        weights += Math.pow(0.7, n - k);
      }
      assertThat(smoothing.averages(tally)[0]).isCloseTo(weighted / weights, within(1e-12));
    }
  }

  @Test
  void warmUp_holdsTheWeights_notTheRest() {
    Rules.Rule rule =
        Rules.of(GradNorm.builder().warmUp(3).initialLoss(InitialLoss.meanOf(3)), Rules.names(3));
    DryRun<GradNormState> state = rule.init(ones(3));
    for (int t = 0; t < 3; t++) {
      double loss = 1 + t;
      state = rule.update(state, measured(new double[] {loss, loss, loss}, NORMS, ones(3)));
      assertThat(state.lossWeights()).containsExactly(1, 1, 1);
    }
    assertThat(InitialLosses.values(state.state().initialLosses()))
        .containsExactly(2, 2, 2); // of 1, 2, 3
    state = after(rule, state, 1);
    assertThat(state.lossWeights()[0]).isGreaterThan(1);
  }

  @Test
  void initialLosses_uninformedOrGiven_inEitherScale() {
    GradNormBuilder settings =
        GradNorm.builder()
            .initialLoss("task0", InitialLoss.uninformed())
            .initialLoss("task1", InitialLoss.of(7));
    double[] uninformed = {Math.log(10), Double.NaN};
    List<String> tasks = List.of("task0", "task1");
    // 4 of 8 labels are there: the sum 12 is 1.5 per example, 3 per label.
    StepMeasurement half =
        StepMeasurement.of(Tasks.of(tasks, ones(2), uninformed))
            .batchSize(8)
            .present(true, true)
            .losses(1.5, 1)
            .lossesPerLabel(3, 1)
            .gradientNorms(1, 1)
            .lossWeights(ones(2))
            .build();
    for (var expected :
        Map.of(LossScale.EXAMPLES, Math.log(10) / 2, LossScale.LABELS, Math.log(10)).entrySet()) {
      Rules.Rule rule =
          Rules.of(settings.lossScale(expected.getKey()), 2, Tasks.of(tasks, ones(2), uninformed));
      DryRun<GradNormState> after = rule.update(rule.init(ones(2)), half);
      BalancedStep step = after.step();
      assertThat(InitialLosses.values(after.state().initialLosses()))
          .containsExactly(expected.getValue(), 7);
      double loss = expected.getKey() == LossScale.LABELS ? 3 : 1.5;
      assertThat(step.values(GradNorm.LOSS_RATIO)[0]).isEqualTo(loss / expected.getValue());
    }
    assertThatThrownBy(
            () -> Rules.of(GradNorm.builder().initialLoss(InitialLoss.uninformed()), "x", "y"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("task 'x': the loss of an uninformed output is known for");
  }

  @Test
  void shiftAndFloor_letLossesBeNegativeOrZero() {
    Rules.Rule rule =
        Rules.of(GradNorm.builder().lossShift("task0", 5).lossFloor("task1", 0.5), Rules.names(2));
    DryRun<GradNormState> state = rule.init(ones(2));
    DryRun<GradNormState> after =
        rule.update(state, measured(new double[] {-1, 0}, new double[] {1, 1}, ones(2)));
    assertThat(InitialLosses.values(after.state().initialLosses())).containsExactly(4, 0.5);
    assertThat(after.step().measurement().losses()).containsExactly(-1, 0);
    assertThatThrownBy(
            () -> rule.update(state, measured(new double[] {-6, 1}, new double[] {1, 1}, ones(2))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("task 'task0': loss (-1.0) must be >= 0");
    assertThatThrownBy(() -> Rules.of(GradNorm.builder().prior("other", 2), "x", "y"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("there are settings for task 'other', but the network has the tasks [x, y]");
  }
}
