package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.gradnorm.Rules.measured;
import static org.gradnorm4j.gradnorm.Rules.ones;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** The equations of GradNorm, without a network. */
class GradNormRuleTest {

  private static Rules.Rule rule(
      int tasks, double alpha, WeightUpdate update, double learningRate) {
    return rule(tasks, alpha, update, WeightOptimizer.of(new Sgd(learningRate)));
  }

  private static Rules.Rule adam(int tasks, double alpha, WeightUpdate update) {
    return rule(tasks, alpha, update, WeightOptimizer.of(new Adam(0.025)));
  }

  private static Rules.Rule rule(
      int tasks, double alpha, WeightUpdate update, WeightOptimizer optimizer) {
    return Rules.of(
        GradNorm.builder().alpha(alpha).weightUpdate(update), optimizer, Rules.names(tasks));
  }

  /** One step was seen; no optimiser state. */
  private static DryRun<GradNormState> after(double[] initialLosses, double... weights) {
    return state(1, weights, initialLosses, new double[0]);
  }

  private static DryRun<GradNormState> state(
      int updates, double[] weights, double[] initialLosses, double[] optimizer) {
    int tasks = weights.length;
    int[] counts = new int[tasks];
    Arrays.fill(counts, updates);
    int[] one = new int[tasks];
    Arrays.fill(one, 1);
    GradNormState state =
        new GradNormState(
            updates,
            tasks,
            counts,
            optimizer,
            new Tally(initialLosses, one),
            Tally.empty(tasks),
            Tally.empty(tasks),
            new int[tasks]);
    return DryRun.at(null, state, weights); // of the rule that takes it up
  }

  /** Worked by hand, with α = 1 and plain gradient descent of step 0.1. */
  @Test
  void workedExample_additive() {
    DryRun<GradNormState> state = after(new double[] {2, 8}, 0.5, 1.5);
    StepMeasurement step =
        measured(new double[] {1, 2}, new double[] {4, 2}, new double[] {0.5, 1.5});

    DryRun<GradNormState> update = rule(2, 1.0, WeightUpdate.ADDITIVE, 0.1).update(state, step);

    // G = (0.5·4, 1.5·2) = (2, 3), mean 2.5. L/L(0) = (1/2, 1/4), mean 3/8, r = (4/3, 2/3).
    // Targets (10/3, 5/3), L_grad = 4/3 + 4/3. Task 0 lies below its target: gradient −4; task 1
    // above: +2. λ − 0.1·gradient = (0.9, 1.3), sum 2.2, renormalised (9/11, 13/11).
    BalancedStep record = update.step();
    assertThat(record.values(Quantity.WEIGHTED_GRADIENT_NORM)).containsExactly(2, 3);
    assertThat(Rules.meanGradientNorm(update)).isEqualTo(2.5);
    assertThat(record.values(GradNorm.LOSS_RATIO)).containsExactly(0.5, 0.25);
    assertClose(record.values(GradNorm.RELATIVE_INVERSE_TRAINING_RATE), 4.0 / 3, 2.0 / 3);
    assertClose(record.values(GradNorm.TARGET_GRADIENT_NORM), 10.0 / 3, 5.0 / 3);
    assertThat(record.value(GradNorm.GRADIENT_LOSS)).isCloseTo(8.0 / 3, within(1e-15));
    assertClose(record.nextLossWeights(), 9.0 / 11, 13.0 / 11);
    assertClose(update.lossWeights(), 9.0 / 11, 13.0 / 11);
    assertThat(update.state().updates()).containsOnly(2);
    assertThat(InitialLosses.values(update.state().initialLosses())).containsExactly(2, 8);
  }

  /** The same by the default: λ_i exp(−0.1 λ_i ∂L_grad/∂λ_i). */
  @Test
  void workedExample_multiplicative() {
    DryRun<GradNormState> state = after(new double[] {2, 8}, 0.5, 1.5);
    StepMeasurement step =
        measured(new double[] {1, 2}, new double[] {4, 2}, new double[] {0.5, 1.5});
    double first = 0.5 * Math.exp(0.1 * 0.5 * 4);
    double second = 1.5 * Math.exp(-0.1 * 1.5 * 2);
    assertClose(
        rule(2, 1.0, WeightUpdate.MULTIPLICATIVE, 0.1).update(state, step).step().nextLossWeights(),
        2 * first / (first + second),
        2 * second / (first + second));
  }

  /** ∂L_grad/∂λ, read off an additive step before renormalisation, against central differences. */
  @Test
  void gradientOfTheWeights_isThatOfGradientLossWithTheTargetsHeldConstant() {
    Random random = new Random(3);
    for (int round = 0; round < 50; round++) {
      int tasks = 2 + random.nextInt(6);
      double[] losses = random.doubles(tasks, 0.1, 3).toArray();
      double[] norms = random.doubles(tasks, 0.1, 9).toArray();
      double[] weights = random.doubles(tasks, 0.1, 2).toArray();
      double[] initial = random.doubles(tasks, 0.5, 4).toArray();
      double alpha = random.nextDouble() * 2;
      double[][] seen = new double[1][];
      WeightOptimizer spy = new Spy(seen);
      BalancedStep record =
          rule(tasks, alpha, WeightUpdate.ADDITIVE, spy)
              .update(after(initial, weights), measured(losses, norms, weights))
              .step();
      double h = 1e-6;
      for (int i = 0; i < tasks; i++) {
        double above =
            gradientLoss(weights, i, h, norms, record.values(GradNorm.TARGET_GRADIENT_NORM));
        double below =
            gradientLoss(weights, i, -h, norms, record.values(GradNorm.TARGET_GRADIENT_NORM));
        assertThat(seen[0][i]).isCloseTo((above - below) / (2 * h), within(1e-6));
      }
      rule(tasks, alpha, WeightUpdate.MULTIPLICATIVE, spy)
          .update(after(initial, weights), measured(losses, norms, weights));
      for (int i = 0; i < tasks; i++) {
        double up = weights[i] * (Math.exp(h) - 1);
        double down = weights[i] * (Math.exp(-h) - 1);
        double above =
            gradientLoss(weights, i, up, norms, record.values(GradNorm.TARGET_GRADIENT_NORM));
        double below =
            gradientLoss(weights, i, down, norms, record.values(GradNorm.TARGET_GRADIENT_NORM));
        assertThat(seen[0][i]).isCloseTo((above - below) / (2 * h), within(1e-6));
      }
    }
  }

  private static double gradientLoss(
      double[] weights, int moved, double by, double[] norms, double[] targets) {
    double sum = 0.0;
    for (int i = 0; i < weights.length; i++) {
      double weight = i == moved ? weights[i] + by : weights[i];
      sum += Math.abs(Math.abs(weight) * norms[i] - targets[i]);
    }
    return sum;
  }

  /** Keeps the gradient it is shown, and takes no step. */
  private record Spy(double[][] seen) implements WeightOptimizer {
    @Override
    public IUpdater updater() {
      return new Sgd(0.0);
    }

    @Override
    public double[] init(int tasks) {
      return new double[0];
    }

    @Override
    public Step step(double[] state, double[] gradient, int iteration, int epoch) {
      seen[0] = gradient;
      return new Step(state, new double[gradient.length]);
    }
  }

  @ParameterizedTest
  @EnumSource(WeightUpdate.class)
  void weights_alwaysSumToTheNumberOfTasks(WeightUpdate weightUpdate) {
    Random random = new Random(7);
    for (int tasks : new int[] {2, 3, 10, 40}) {
      Rules.Rule rule = adam(tasks, 1.5, weightUpdate);
      DryRun<GradNormState> state = rule.init(ones(tasks));
      assertThat(state.lossWeights()).containsOnly(1.0).hasSize(tasks);
      for (int t = 0; t < 200; t++) {
        double[] losses = random.doubles(tasks, 0.1, 2).toArray();
        double[] norms = random.doubles(tasks, 0.5, 2).toArray();
        state = rule.update(state, measured(losses, norms, state.lossWeights()));
        assertThat(Arrays.stream(state.lossWeights()).sum()).isCloseTo(tasks, within(1e-12));
      }
    }
  }

  /**
   * σ = (1, 100): the norms of the tasks differ by a factor of 100 and the balanced weights are
   * (2·100, 2·1)/101 = (1.9802, 0.0198), the second smaller than one step of Adam(0.025).
   */
  @Test
  void unequalTasks_multiplicativeWeightsStayPositiveAndBalance() {
    Rules.Rule rule = adam(2, 0.0, WeightUpdate.MULTIPLICATIVE);
    DryRun<GradNormState> state = rule.init(ones(2));
    double smallest = Double.MAX_VALUE;
    for (int t = 0; t < 2000; t++) {
      StepMeasurement step =
          measured(new double[] {1, 1}, new double[] {1, 100}, state.lossWeights());
      state = rule.update(state, step);
      smallest = Math.min(smallest, state.lossWeights()[1]);
    }
    assertThat(smallest).isGreaterThan(0.01);
    assertThat(state.lossWeights()[0]).isCloseTo(1.9802, within(0.002));
    assertThat(state.lossWeights()[1]).isCloseTo(0.0198, within(0.002));
  }

  /** The paper's literal rule on the same tasks: kept for comparison, trap included. */
  @Test
  void unequalTasks_additiveWeightsStepAcrossZero() {
    Rules.Rule rule = adam(2, 0.0, WeightUpdate.ADDITIVE);
    DryRun<GradNormState> state = rule.init(ones(2));
    double smallest = Double.MAX_VALUE;
    for (int t = 0; t < 200; t++) {
      StepMeasurement step =
          measured(new double[] {1, 1}, new double[] {1, 100}, state.lossWeights());
      state = rule.update(state, step);
      smallest = Math.min(smallest, state.lossWeights()[1]);
    }
    assertThat(smallest).isNegative();
  }

  @Test
  void multiplicativeWeights_surviveAbsurdLearningRates() {
    for (double learningRate : new double[] {1e3, 1e9, 1e300}) {
      Rules.Rule rule = rule(3, 1.5, WeightUpdate.MULTIPLICATIVE, learningRate);
      DryRun<GradNormState> state = rule.init(ones(3));
      for (int t = 0; t < 20; t++) {
        StepMeasurement step =
            measured(new double[] {1, 2, 3 + t}, new double[] {1e-9, 1, 1e12}, state.lossWeights());
        state = rule.update(state, step);
        assertThat(Arrays.stream(state.lossWeights()).min().orElseThrow()).isPositive();
        assertThat(Arrays.stream(state.lossWeights()).sum()).isCloseTo(3, within(1e-12));
      }
    }
  }

  /** λ − Δ would be (2, −99), with no positive sum to scale: no more than ½ is taken of each Δ. */
  @Test
  void additiveWeights_whoseSumAStepWouldTurnNegative_takeABoundedOne() {
    DryRun<GradNormState> state = after(new double[] {1, 1}, 1, 1);
    StepMeasurement step =
        measured(new double[] {1, 1}, new double[] {1, 100}, new double[] {1, 1});
    DryRun<GradNormState> update = rule(2, 0, WeightUpdate.ADDITIVE, 1).update(state, step);
    assertClose(update.lossWeights(), 1.5, 0.5);
    assertThat(update.notices()).containsOnlyKeys("step cut");
  }

  @ParameterizedTest
  @EnumSource(WeightUpdate.class)
  void alphaZero_equalisesTheWeightedNorms_whateverTheLosses(WeightUpdate weightUpdate) {
    Rules.Rule rule = rule(3, 0, weightUpdate, WeightOptimizer.of(new Adam(0.002)));
    DryRun<GradNormState> state = rule.init(ones(3));
    double[] norms = {1, 2, 4};
    for (int t = 0; t < 5000; t++) {
      StepMeasurement step =
          measured(new double[] {1, 0.1 + 1.0 / (t + 1), 0.5}, norms, state.lossWeights());
      state = rule.update(state, step);
      double[] targets = state.step().values(GradNorm.TARGET_GRADIENT_NORM);
      assertThat(targets).containsOnly(targets[0]);
      assertThat(targets[0]).isCloseTo(Rules.meanGradientNorm(state), within(1e-14));
    }
    double mean = Rules.meanGradientNorm(state);
    for (double norm : state.step().values(Quantity.WEIGHTED_GRADIENT_NORM)) {
      assertThat(norm).isCloseTo(mean, within(0.02 * mean));
    }
    // λ_i ∝ 1/n_i with Σ λ = 3.
    assertThat(state.lossWeights()[0]).isCloseTo(12.0 / 7, within(0.03));
  }

  @Test
  void equalTrainingRates_leaveEveryTargetAtTheMean_forAnyAlpha() {
    for (double alpha : new double[] {0, 0.12, 1, 1.5, 3}) {
      BalancedStep record =
          rule(3, alpha, WeightUpdate.ADDITIVE, 0.001)
              .update(
                  after(new double[] {4, 40, 0.4}, 1, 1, 1),
                  measured(new double[] {1, 10, 0.1}, new double[] {1, 2, 3}, ones(3)))
              .step();
      assertClose(record.values(GradNorm.RELATIVE_INVERSE_TRAINING_RATE), 1, 1, 1);
      assertClose(record.values(GradNorm.TARGET_GRADIENT_NORM), 2, 2, 2);
    }
  }

  @Test
  void firstStep_takesItsLossesAsTheInitialOnes() {
    Rules.Rule rule = adam(2, 1.5, WeightUpdate.MULTIPLICATIVE);
    DryRun<GradNormState> update =
        rule.update(
            rule.init(ones(2)), measured(new double[] {3, 700}, new double[] {1, 1}, ones(2)));
    assertThat(InitialLosses.values(update.state().initialLosses())).containsExactly(3, 700);
    assertThat(update.step().values(GradNorm.RELATIVE_INVERSE_TRAINING_RATE)).containsExactly(1, 1);
    DryRun<GradNormState> second =
        rule.update(update, measured(new double[] {2, 9}, new double[] {1, 1}, ones(2)));
    assertThat(InitialLosses.values(second.state().initialLosses())).containsExactly(3, 700);
  }

  /** Metres or millimetres: the unit of a loss changes its norm and L(0), not the balance. */
  @Test
  void unitOfALoss_whenTheWeightAbsorbsIt_changesNothing() {
    double[] losses = {1.0, 0.7};
    double[] initial = {2.0, 1.0};
    double[] norms = {3.0, 0.5};
    double unit = 1000.0;
    Rules.Rule rule = rule(2, 1.5, WeightUpdate.MULTIPLICATIVE, 0.1);
    double[] plain =
        rule.update(after(initial, 1, 1), measured(losses, norms, ones(2)))
            .step()
            .nextLossWeights();
    double[] rescaledWeights = {2 * 1 / unit / (1 + 1 / unit), 2 / (1 + 1 / unit)};
    // The common factor of the renormalisation scales all gradients alike; take it out of the step.
    double common = (1 + 1 / unit) / 2;
    double[] rescaled =
        rule(2, 1.5, WeightUpdate.MULTIPLICATIVE, 0.1 * common)
            .update(
                after(new double[] {2.0 * unit, 1.0}, rescaledWeights),
                measured(
                    new double[] {1.0 * unit, 0.7},
                    new double[] {3.0 * unit, 0.5},
                    rescaledWeights))
            .step()
            .nextLossWeights();
    assertThat(rescaled[0] * unit / rescaled[1]).isCloseTo(plain[0] / plain[1], within(1e-12));
  }

  @ParameterizedTest
  @EnumSource(WeightUpdate.class)
  void slowerTask_getsMoreWeight(WeightUpdate weightUpdate) {
    // Equal gradients; task 0 has gone from 1 to 0.9, task 1 from 1 to 0.3.
    double[] weights =
        adam(2, 1.5, weightUpdate)
            .update(
                state(0, ones(2), ones(2), new double[4]),
                measured(new double[] {0.9, 0.3}, new double[] {1, 1}, ones(2)))
            .step()
            .nextLossWeights();
    assertThat(weights[0]).isGreaterThan(1);
    assertThat(weights[1]).isLessThan(1);
  }

  @Test
  void allLossesAtZero_countAsEqualRates() {
    BalancedStep record =
        rule(2, 1.5, WeightUpdate.MULTIPLICATIVE, 0.1)
            .update(after(ones(2), 1, 1), measured(new double[2], new double[2], ones(2)))
            .step();
    assertThat(record.values(GradNorm.RELATIVE_INVERSE_TRAINING_RATE)).containsExactly(1, 1);
    assertThat(record.nextLossWeights()).containsExactly(1, 1);
  }

  @Test
  void nonFiniteMeasurement_leavesEverythingAsItWas() {
    DryRun<GradNormState> state = state(4, new double[] {0.5, 1.5}, ones(2), new double[4]);
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      for (StepMeasurement step :
          List.of(
              measured(new double[] {1, bad}, ones(2), state.lossWeights()),
              measured(ones(2), new double[] {bad, 1}, state.lossWeights()))) {
        DryRun<GradNormState> update =
            adam(2, 1.5, WeightUpdate.MULTIPLICATIVE).update(state, step);
        assertThat(update.state()).isSameAs(state.state());
        assertThat(update.lossWeights()).isSameAs(state.lossWeights());
        assertThat(update.step().skipped()).isTrue();
        assertThat(update.step().nextLossWeights()).containsExactly(0.5, 1.5);
      }
    }
  }

  @Test
  void lossesGradNormCannotCompare_areRefusedByTask() {
    Rules.Rule rule = adam(2, 1.5, WeightUpdate.MULTIPLICATIVE);
    for (double bad : new double[] {0.0, 1e-38}) {
      assertThatThrownBy(
              () ->
                  rule.update(
                      rule.init(ones(2)), measured(new double[] {1, bad}, ones(2), ones(2))))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              String.format(
                  Locale.ROOT,
                  "task 'task1': initial loss (%s) must be >= 1.0E-30, GradNorm divides by it. Set lossShift or lossFloor for the task, or its initialLoss",
                  bad));
    }
    assertThatThrownBy(
            () ->
                rule.update(
                    after(ones(2), 1, 1), measured(new double[] {-0.5, 1}, ones(2), ones(2))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("task 'task0': loss (-0.5) must be >= 0");
  }

  @Test
  void update_isPure() {
    Rules.Rule rule = adam(2, 1.5, WeightUpdate.MULTIPLICATIVE);
    DryRun<GradNormState> state = rule.init(ones(2));
    StepMeasurement step = measured(new double[] {1, 2}, new double[] {3, 4}, ones(2));
    DryRun<GradNormState> first = rule.update(state, step);
    rule.update(first, step);
    DryRun<GradNormState> again = rule.update(state, step);
    assertThat(again.step()).isEqualTo(first.step());
    assertThat(again.state().optimizer()).isEqualTo(first.state().optimizer());
    assertThat(state.lossWeights()).containsExactly(1, 1);
    assertThat(state.state().optimizer()).containsOnly(0.0);
  }

  private static void assertClose(double[] actual, double... expected) {
    assertThat(actual).containsExactly(expected, within(1e-14));
  }

  /** exp(log λ) and a renormalisation would be off by a rounding. */
  @Test
  void aStepOfZero_leavesTheWeightsAsTheyAre_toTheLastBit() {
    double[] weights = {1.0, 0.1, 1e-3, 0.7};
    for (WeightUpdate update : WeightUpdate.values()) {
      Rules.Rule rule = rule(4, 1.5, update, WeightOptimizer.of(new Sgd(0.0)));
      DryRun<GradNormState> state = rule.init(weights);
      double[] norms = {3, 5, 7, 11};
      state = rule.update(state, measured(norms, norms, weights));
      assertThat(state.lossWeights()).containsExactly(weights);
    }
  }
}
