package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.SkipCause;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * What {@link FaultInjectionTest} does to a network's training, done to the rule alone and many
 * times more: values that break arithmetic instead of losses and norms. Whatever comes, λ stays
 * finite, within its limits and with its sum, a step that is skipped or refused changes nothing,
 * and the steps after the fault are taken.
 */
class RuleFaultTest {
  private static final int RUNS = 5000;
  private static final int STEPS = 50;
  private static final int CLEAN_STEPS_AT_THE_END = 5;
  private static final int TASKS = 3;

  private static final double[] VALUES = {
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Double.MAX_VALUE,
    1e200,
    1e-200,
    Double.MIN_VALUE,
    0.0,
    -1.0
  };

  private final Map<String, Integer> injected = new TreeMap<>();
  private final Map<String, Integer> outcomes = new TreeMap<>();

  @ParameterizedTest
  @EnumSource
  void whateverComes_theWeightsStayAsPromised_andMoveAgain(WeightUpdate update) {
    for (int seed = 0; seed < RUNS; seed++) {
      run(seed, update);
    }
    System.out.printf(
        Locale.ROOT,
        "%s: %d runs of %d steps. Injected: %s. Outcomes: %s%n",
        update,
        RUNS,
        STEPS,
        injected,
        outcomes);
    assertThat(injected).hasSize(4 * VALUES.length);
    assertThat(injected.values()).allMatch(count -> count > RUNS / 10);
    for (SkipCause cause : SkipCause.values()) {
      assertThat(outcomes.get("skipped: " + cause)).as(cause.name()).isGreaterThan(RUNS / 10);
    }
    assertThat(outcomes.get("refused")).isGreaterThan(RUNS / 2);
    assertThat(outcomes.get("taken")).isGreaterThan(10 * RUNS);
  }

  private void run(int seed, WeightUpdate update) {
    Random random = new Random(seed);
    GradNormBuilder settings = settings(seed % 5).weightUpdate(update);
    Rules.Rule rule = Rules.of(settings, Rules.names(TASKS));
    DryRun<GradNormState> state = rule.init(Rules.ones(TASKS));
    List<TaskSettings> tasks = settings.weighting().settings().of(List.of(Rules.names(TASKS)));
    for (int step = 0; step < STEPS; step++) {
      boolean clean = step >= STEPS - CLEAN_STEPS_AT_THE_END;
      double[] losses = random.doubles(TASKS, 0.5, 2.0).toArray();
      double[] norms = random.doubles(TASKS, 0.5, 20.0).toArray();
      boolean[] present = {true, true, true};
      if (!clean && random.nextInt(3) == 0) {
        inject(random, losses, norms, present);
      }
      state = after(rule, state, measured(present, losses, norms, state.lossWeights()), clean);
      String broken = broken(tasks, update, state.lossWeights());
      if (!broken.isEmpty()) {
        fail("run %d, step %d: %s %s", seed, step, broken, Arrays.toString(state.lossWeights()));
      }
    }
  }

  /** As different as users are; those of the paper first. */
  private static GradNormBuilder settings(int which) {
    return switch (which) {
      case 0 -> GradNorm.builder();
      case 1 -> GradNorm.builder().lossWeightUpdater(new Sgd(1e-3)).weightLimits(0.05, 2.5);
      case 2 ->
          GradNorm.builder()
              .smoothing(0.9)
              .weightLimits(0.2, 2.0)
              .lossFloor("task0", 1e-6)
              .lossFloor("task1", 1e-6)
              .lossFloor("task2", 1e-6);
      case 3 -> GradNorm.builder().pin("task1", 0.5).prior("task0", 3.0).warmUp(3);
      default -> GradNorm.builder().initialLoss(InitialLoss.meanOf(5)).alpha(0.1);
    };
  }

  /** In one task or in all of them; an absent one, too, may show anything. */
  private void inject(Random random, double[] losses, double[] norms, boolean[] present) {
    double value = VALUES[random.nextInt(VALUES.length)];
    int task = random.nextInt(TASKS);
    String place;
    switch (random.nextInt(4)) {
      case 0 -> {
        place = "loss";
        losses[task] = value;
      }
      case 1 -> {
        place = "norm";
        norms[task] = value < 0.0 ? -value : value; // a norm may overflow, but not be negative
      }
      case 2 -> {
        place = "all";
        Arrays.fill(losses, value);
        Arrays.fill(norms, Math.abs(value));
      }
      default -> {
        place = "absent";
        present[task] = false;
        norms[task] = Math.abs(value);
      }
    }
    injected.merge(place + " " + value, 1, Integer::sum);
  }

  private static StepMeasurement measured(
      boolean[] present, double[] losses, double[] norms, double[] weights) {
    double[] perLabel = losses.clone();
    for (int i = 0; i < TASKS; i++) {
      losses[i] = present[i] ? losses[i] : 0.0;
      perLabel[i] = present[i] ? losses[i] : Double.NaN;
    }
    return StepMeasurement.of(List.of(Rules.names(TASKS)))
        .batchSize(10)
        .present(present)
        .losses(losses)
        .lossesPerLabel(perLabel)
        .gradientNorms(norms)
        .lossWeights(weights)
        .build();
  }

  private DryRun<GradNormState> after(
      Rules.Rule rule, DryRun<GradNormState> state, StepMeasurement measurement, boolean clean) {
    double[] before = state.lossWeights().clone();
    try {
      DryRun<GradNormState> update = rule.update(state, measurement);
      outcomes.merge("taken", update.step().skipped() ? 0 : 1, Integer::sum);
      update.step().skipCauses().values().forEach(this::count);
      if (update.step().skipped()) {
        assertThat(clean).as("a clean step is skipped").isFalse();
        assertThat(update.lossWeights()).isEqualTo(before);
        assertThat(update.state().steps()).isEqualTo(state.state().steps());
      }
      return update;
    } catch (IllegalStateException e) {
      assertThat(clean).isFalse();
      assertThat(e).hasMessageMatching("task 'task\\d': (initial )?loss \\(.*\\) must be >= .*");
      assertThat(state.lossWeights()).isEqualTo(before);
      outcomes.merge("refused", 1, Integer::sum);
      return state;
    }
  }

  private void count(Set<SkipCause> causes) {
    causes.forEach(cause -> outcomes.merge("skipped: " + cause, 1, Integer::sum));
  }

  /** What does not hold of the weights; empty if all does. */
  private static String broken(List<TaskSettings> tasks, WeightUpdate update, double[] weights) {
    boolean positive = update == WeightUpdate.MULTIPLICATIVE;
    double sum = 0.0;
    double size = 0.0;
    for (int i = 0; i < TASKS; i++) {
      TaskSettings task = tasks.get(i);
      double weight = weights[i];
      if (!Double.isFinite(weight) || weight == 0.0 || (positive && weight < 0.0)) {
        return "not a weight";
      }
      if ((task.pin() != null && weight != task.pin())
          || (task.minWeight() != null && weight < task.minWeight())
          || (task.maxWeight() != null && weight > task.maxWeight())) {
        return "outside of its limits";
      }
      sum += weight;
      size += Math.abs(weight);
    }
    return Math.abs(sum - TASKS) <= 1e-12 * size ? "" : "sum " + sum;
  }
}
