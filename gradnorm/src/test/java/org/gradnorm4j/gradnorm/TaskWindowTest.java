package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.gradnorm.Rules.measured;
import static org.gradnorm4j.gradnorm.Rules.ones;

import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.testing.Networks;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** Tasks that are seen in different minibatches. */
class TaskWindowTest {

  private static StepMeasurement only(
      Set<Integer> tasks, double[] losses, double[] norms, double[] weights) {
    boolean[] present = new boolean[losses.length];
    tasks.forEach(task -> present[task] = true);
    return measured(present, losses, norms, weights);
  }

  /**
   * By hand: A is measured alone, then B; B's step compares its norm with A's of the step before.
   */
  @Test
  void workedExample() {
    Rules.Rule rule =
        Rules.of(
            GradNorm.builder()
                .alpha(1)
                .weightUpdate(WeightUpdate.ADDITIVE)
                .lossWeightUpdater(new Sgd(0.1))
                .initialLoss("task0", InitialLoss.of(2))
                .initialLoss("task1", InitialLoss.of(8)),
            Rules.names(2));
    DryRun<GradNormState> state = rule.init(ones(2));
    double[] losses = {1, 2};
    double[] norms = {4, 2};
    DryRun<GradNormState> first = rule.update(state, only(Set.of(0), losses, norms, ones(2)));
    assertThat(first.lossWeights()).containsExactly(1, 1); // nothing to compare with
    DryRun<GradNormState> second = rule.update(first, only(Set.of(1), losses, norms, ones(2)));
    // G = (4, 2), mean 3; L/L(0) = (1/2, 1/4), r = (4/3, 2/3), targets (4, 2) of which the second
    // is met: no gradient. With a norm of 3 for B: mean 7/2, target 7/3, gradient +3, λ = (1, 0.7)
    // scaled by 2/1.7.
    assertThat(second.step().values(GradNorm.TARGET_GRADIENT_NORM)[0]).isNaN(); // absent
    assertThat(second.step().values(GradNorm.TARGET_GRADIENT_NORM)[1]).isCloseTo(2, within(1e-15));
    double[] larger = {4, 3};
    DryRun<GradNormState> other = rule.update(first, only(Set.of(1), losses, larger, ones(2)));
    assertThat(other.step().values(GradNorm.TARGET_GRADIENT_NORM)[1])
        .isCloseTo(7.0 / 3, within(1e-15));
    assertThat(other.step().value(GradNorm.GRADIENT_LOSS))
        .isCloseTo(Math.abs(4 - 3.5 * 4 / 3) + Math.abs(3 - 7.0 / 3), within(1e-14));
    assertThat(other.lossWeights())
        .containsExactly(new double[] {2 / 1.7, 1.4 / 1.7}, within(1e-15));
  }

  /** With every task in every minibatch the window has no say: bit for bit. */
  @ParameterizedTest
  @EnumSource(WeightUpdate.class)
  void allTasksPresent_anyWindowIsTheSame(WeightUpdate update) {
    Random random = new Random(4);
    Rules.Rule one =
        Rules.of(GradNorm.builder().weightUpdate(update).taskWindow(1), Rules.names(4));
    Rules.Rule many = Rules.of(GradNorm.builder().weightUpdate(update), Rules.names(4));
    DryRun<GradNormState> a = one.init(ones(4));
    DryRun<GradNormState> b = many.init(ones(4));
    for (int t = 0; t < 300; t++) {
      double[] losses = random.doubles(4, 0.1, 2).toArray();
      double[] norms = random.doubles(4, 0.1, 9).toArray();
      a = one.update(a, measured(losses, norms, a.lossWeights()));
      b = many.update(b, measured(losses, norms, b.lossWeights()));
      assertThat(b.lossWeights()).containsExactly(a.lossWeights());
    }
  }

  /** One task a minibatch, in turn or by chance, ends where all in each do: λ ∝ 1/n. */
  @ParameterizedTest
  @EnumSource(WeightUpdate.class)
  void oneTaskAMinibatch_balancesAsAllTogether(WeightUpdate update) {
    Random random = new Random(9);
    for (boolean inTurn : new boolean[] {true, false}) {
      Rules.Rule rule =
          Rules.of(
              GradNorm.builder().alpha(0).weightUpdate(update).lossWeightUpdater(new Adam(0.002)),
              Rules.names(3));
      DryRun<GradNormState> state = rule.init(ones(3));
      double[] norms = {1, 2, 4};
      for (int t = 0; t < 15_000; t++) {
        int task = inTurn ? t % 3 : random.nextInt(3);
        state = rule.update(state, only(Set.of(task), ones(3), norms, state.lossWeights()));
        assertThat(Arrays.stream(state.lossWeights()).sum()).isCloseTo(3, within(1e-12));
      }
      double[] balanced = {12.0 / 7, 6.0 / 7, 3.0 / 7};
      assertThat(state.lossWeights()).containsExactly(balanced, within(0.03));
    }
  }

  /** {a, b} in one half of the minibatches, {c, d} in the other: groups are compared, too. */
  @Test
  void groupsOfTasksThatNeverMeet_areBalanced() {
    Rules.Rule rule =
        Rules.of(GradNorm.builder().alpha(0).lossWeightUpdater(new Adam(0.002)), Rules.names(4));
    DryRun<GradNormState> state = rule.init(ones(4));
    double[] norms = {1, 1, 4, 4};
    for (int t = 0; t < 10_000; t++) {
      Set<Integer> group = t % 2 == 0 ? Set.of(0, 1) : Set.of(2, 3);
      state = rule.update(state, only(group, ones(4), norms, state.lossWeights()));
    }
    assertThat(state.lossWeights())
        .containsExactly(new double[] {1.6, 1.6, 0.4, 0.4}, within(0.03));
  }

  @Test
  void taskOutsideOfTheWindow_keepsItsWeight_untilItComesBack() {
    Rules.Rule rule = Rules.of(GradNorm.builder().taskWindow(10), Rules.names(3));
    DryRun<GradNormState> state = rule.init(ones(3));
    double[] norms = {1, 2, 6};
    Set<Integer> all = Set.of(0, 1, 2);
    Set<Integer> some = Set.of(0, 2);
    state = rule.update(state, only(all, ones(3), norms, state.lossWeights()));
    for (int t = 0; t < 30; t++) {
      double before = state.lossWeights()[1];
      state = rule.update(state, only(some, ones(3), norms, state.lossWeights()));
      if (t < 9) {
        assertThat(state.lossWeights()[1]).as("step %d", t).isNotEqualTo(before);
      } else {
        assertThat(state.lossWeights()[1]).as("step %d", t).isEqualTo(before);
      }
    }
    double before = state.lossWeights()[1];
    state = rule.update(state, only(all, ones(3), norms, state.lossWeights()));
    assertThat(state.lossWeights()[1]).isNotEqualTo(before);
  }

  /** A gradient of zero is an answer, not a gap: what was before does not stand in for it. */
  @Test
  void zeroGradient_isLeftOutAtOnce() {
    Rules.Rule rule = Rules.of(GradNorm.builder(), Rules.names(3));
    DryRun<GradNormState> state = rule.init(ones(3));
    double[] losses = ones(3);
    state = rule.update(state, measured(losses, new double[] {1, 2, 6}, ones(3)));
    double weight = state.lossWeights()[1];
    double[] dead = {1, 0, 6};
    state = rule.update(state, measured(losses, dead, state.lossWeights()));
    assertThat(state.lossWeights()[1]).isEqualTo(weight);
    Set<Integer> others = Set.of(0, 2);
    state = rule.update(state, only(others, losses, dead, state.lossWeights()));
    assertThat(state.lossWeights()[1]).isEqualTo(weight);
  }

  @Test
  void tasksThatAreNeverNearEnough_areToldOf() {
    Rules.Rule rule = Rules.of(GradNorm.builder().taskWindow(5), Rules.names(2));
    double[] norms = {1, 2};
    DryRun<GradNormState> state = rule.init(ones(2));
    DryRun<GradNormState> update = state;
    for (int t = 0; t < 5; t++) { // the other has not come yet
      assertThat(update.notices()).isEmpty();
      update = rule.update(state, only(Set.of(0), ones(2), norms, state.lossWeights()));
      state = update;
    }
    assertThat(update.notices()).containsOnlyKeys("tasks apart");
    for (int t = 0; t < 6; t++) {
      update = rule.update(state, only(Set.of(1), ones(2), norms, state.lossWeights()));
      state = update;
      assertThat(update.notices().isEmpty()).as("step %d", t).isEqualTo(t < 4);
    }
    assertThat(TaskWindow.byDefault(2).steps()).isEqualTo(100);
    assertThat(TaskWindow.byDefault(300).steps()).isEqualTo(3000);
    assertThatThrownBy(() -> GradNorm.builder().taskWindow(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("taskWindow (0) must be >= 1");
  }

  /** In a network: labels of a in even minibatches, of b in odd ones. */
  @Test
  void loaderOfOneTaskAMinibatch_movesTheWeights() {
    ComputationGraph net = Networks.network("a", "b");
    GradNorm gradNorm = GradNorm.builder().alpha(0).build().attach(net);
    for (int t = 0; t < 400; t++) {
      net.fit(batch(t));
    }
    assertThat(gradNorm.lossWeights().get("a")).isGreaterThan(1.8);
    assertThat(gradNorm.lossWeights().get("b")).isBetween(0.0, 0.2);
    BalancedStep last = gradNorm.lastStep().orElseThrow();
    assertThat(last.measurement().present()).containsExactly(false, true);
    double target = last.values(GradNorm.TARGET_GRADIENT_NORM)[1];
    assertThat(last.values(Quantity.WEIGHTED_GRADIENT_NORM)[1] / target).isBetween(0.5, 2.0);
  }

  private static MultiDataSet batch(int step) {
    Nd4j.getRandom().setSeed(step + 1);
    INDArray x = Nd4j.randn(DataType.DOUBLE, 16, 4);
    INDArray y = Nd4j.randn(DataType.DOUBLE, 16, 2);
    INDArray[] masks = {
      Nd4j.ones(DataType.DOUBLE, 16, 1).muli(1 - step % 2),
      Nd4j.ones(DataType.DOUBLE, 16, 1).muli(step % 2)
    };
    return new MultiDataSet(new INDArray[] {x}, new INDArray[] {y, y.mul(-30)}, null, masks);
  }
}
