package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.persist.StateFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Whatever the settings, and whatever is measured, after every step: the weights are finite, within
 * their limits, with their sum, none has moved by more than is promised, and a state file holds the
 * state. Settings, measurements and gaps are drawn from the hard half: steps larger than the
 * weights, limits on some tasks, pins, absent tasks, gradients of zero, values that are not finite.
 */
class RulePropertyTest {
  private static final int CASES = 2000;
  private static final int STEPS = 30;

  private final Map<String, Integer> drawn = new TreeMap<>();

  @ParameterizedTest
  @EnumSource(WeightUpdate.class)
  void weights_keepLimitsAndSum_andStatesAreRestored(WeightUpdate update) throws Exception {
    for (int seed = 0; seed < CASES; seed++) {
      Case drawing = new Case(new Random(seed), update);
      Rules.Rule rule = drawing.rule();
      if (rule != null) {
        run(seed, drawing, rule);
      }
    }
    System.out.printf(Locale.ROOT, "%s: %s%n", update, drawn);
    assertThat(drawn.get("refused")).isGreaterThan(CASES / 100);
    for (String what : List.of("moved", "absent", "zero gradient", "at a limit", "pinned", "cut")) {
      assertThat(drawn.get(what)).as(what).isGreaterThan(CASES);
    }
    if (update == WeightUpdate.ADDITIVE) {
      assertThat(drawn.get("negative weight")).isGreaterThan(CASES);
    }
  }

  private void note(String what, boolean seen) {
    drawn.merge(what, seen ? 1 : 0, Integer::sum);
  }

  private void run(int seed, Case drawing, Rules.Rule rule) throws IOException {
    DryRun<GradNormState> state = rule.init(drawing.configured);
    double[] before = drawing.start(state.lossWeights());
    for (int t = 0; t < STEPS; t++) {
      StepMeasurement measurement = drawing.measure(state.lossWeights());
      DryRun<GradNormState> next = rule.update(state, measurement);
      state = next;
      String broken = drawing.broken(before, state, measurement, next.step().skipped());
      assertThat(broken).as("case %d, step %d", seed, t).isEmpty();
      note("moved", !Arrays.equals(before, state.lossWeights()));
      note("cut", next.notices().containsKey("step cut"));
      note("skipped", next.step().skipped());
      for (int i = 0; i < before.length; i++) {
        note("absent", !measurement.present()[i]);
        note("zero gradient", measurement.present()[i] && measurement.gradientNorms()[i] == 0.0);
        note("negative weight", state.lossWeights()[i] < 0.0);
        note("pinned", drawing.pins[i] > 0);
        boolean limited = drawing.pins[i] == 0 && drawing.min[i] > 0;
        double weight = state.lossWeights()[i];
        note("at a limit", limited && (weight == drawing.min[i] || weight == drawing.max[i]));
      }
      before = state.lossWeights();
      if (t % 15 == 14) {
        assertThat(restored(drawing, state)).as("case %d, step %d", seed, t).isTrue();
      }
    }
  }

  private static boolean restored(Case drawing, DryRun<GradNormState> at) throws IOException {
    if (drawing.names.length < 2) {
      return true; // attach refuses one task
    }
    byte[] file = written(drawing.settings.weighting().settings(), at.state());
    StateFile read = StateFile.read(new ByteArrayInputStream(file), "state");
    GradNormSettings settings = read.part("settings", GradNormSettings.class);
    GradNormState state = read.part("state", GradNormState.class);
    new GradNormWeighting(settings)
        .check(state, at.lossWeights(), Tasks.of(List.of(drawing.names)));
    return Arrays.equals(written(settings, state), file);
  }

  private static byte[] written(GradNormSettings settings, GradNormState state) {
    return StateFile.builder().part("settings", settings).part("state", state).write();
  }

  /** Settings of one case, and what is measured under them. */
  private final class Case {
    private final Random random;
    private final WeightUpdate update;
    private final String[] names;
    private final double[] configured;
    private final double total;
    private final double[] min;
    private final double[] max;
    private final double[] pins;
    private final GradNormBuilder settings;

    Case(Random random, WeightUpdate update) {
      this.random = random;
      this.update = update;
      int tasks = 1 + random.nextInt(20);
      names = Rules.names(tasks);
      configured = new double[tasks];
      boolean ones = random.nextBoolean();
      Arrays.setAll(configured, i -> ones ? 1.0 : logUniform(-2, 1));
      total = Arrays.stream(configured).sum();
      min = new double[tasks];
      max = new double[tasks];
      pins = new double[tasks];
      settings =
          GradNorm.builder()
              .alpha(3 * random.nextDouble())
              .weightUpdate(update)
              .lossWeightUpdater(updater())
              .smoothing(random.nextInt(3) == 0 ? 0.8 : 0.0)
              .taskWindow(1 + random.nextInt(10))
              .warmUp(random.nextInt(3));
      double least = update == WeightUpdate.ADDITIVE ? Double.NEGATIVE_INFINITY : 1e-12 * total;
      for (int i = 0; i < tasks; i++) {
        min[i] = least;
        max[i] = Double.POSITIVE_INFINITY;
        settings.lossFloor(names[i], 1e-6);
        if (random.nextInt(3) == 0) {
          settings.prior(names[i], logUniform(-1, 1));
        }
        if (random.nextInt(3) == 0) {
          min[i] = configured[i] * random.nextDouble() * 1.2;
          max[i] = random.nextInt(4) == 0 ? max[i] : min[i] * logUniform(0, 0.7);
          settings.weightLimits(names[i], min[i], max[i]);
        }
        if (random.nextInt(6) == 0) {
          pins[i] = configured[i] * 2 * (1 - random.nextDouble());
          settings.pin(names[i], pins[i]);
          min[i] = pins[i];
          max[i] = pins[i];
        }
      }
    }

    private IUpdater updater() {
      if (random.nextInt(100) == 0) { // by ND4J, and slow
        return new Nadam(logUniform(-3, 0));
      }
      double rate = logUniform(-3, 1);
      return random.nextBoolean() ? new Adam(rate) : new Sgd(rate);
    }

    private double logUniform(double from, double to) {
      return Math.pow(10, from + (to - from) * random.nextDouble());
    }

    /** Null if no weights are within the limits, which has to be so, and to be said. */
    Rules.Rule rule() {
      boolean allPinned = Arrays.stream(pins).allMatch(pin -> pin > 0);
      double sum = allPinned ? Arrays.stream(pins).sum() : total;
      double least = Arrays.stream(min).map(m -> Math.max(m, 1e-12 * sum)).sum();
      double most = Arrays.stream(max).sum();
      boolean possible = least <= sum * (1 + 1e-13) && most >= sum * (1 - 1e-13);
      try {
        Rules.Rule rule = Rules.of(settings, sum, names);
        assertThat(possible).isTrue();
        return rule;
      } catch (IllegalArgumentException refused) {
        assertThat(possible).isFalse();
        assertThat(refused)
            .hasMessageMatching("loss weights have to sum to .* (Lower|Raise) them.*");
        note("refused", true);
        return null;
      }
    }

    double[] start(double[] weights) {
      assertThat(broken(weights, weights)).isEmpty();
      return weights;
    }

    StepMeasurement measure(double[] weights) {
      int tasks = names.length;
      boolean[] present = new boolean[tasks];
      double[] losses = new double[tasks];
      double[] norms = new double[tasks];
      for (int i = 0; i < tasks; i++) {
        present[i] = random.nextInt(3) > 0;
        losses[i] = random.nextInt(20) == 0 ? 0.0 : logUniform(-2, 2);
        norms[i] = random.nextInt(10) == 0 ? 0.0 : logUniform(-3, 3);
      }
      if (random.nextInt(30) == 0) {
        double[] values = {Double.NaN, Double.POSITIVE_INFINITY, 1e300, 1e-300};
        int task = random.nextInt(tasks);
        present[task] = true;
        (random.nextBoolean() ? losses : norms)[task] = values[random.nextInt(values.length)];
      }
      return Rules.measured(present, losses, norms, weights);
    }

    /** What does not hold of the weights; empty if all does. */
    private String broken(double[] before, double[] after) {
      double sum = 0.0;
      double size = 0.0;
      for (int i = 0; i < after.length; i++) {
        if (!Double.isFinite(after[i]) || after[i] == 0.0) {
          return names[i] + " is " + after[i];
        }
        if (after[i] < min[i] || after[i] > max[i]) {
          return String.format(
              Locale.ROOT, "%s is %s, outside of [%s, %s]", names[i], after[i], min[i], max[i]);
        }
        boolean far =
            update == WeightUpdate.ADDITIVE
                ? Math.abs(after[i] - before[i]) > 0.5 * total * (1 + 1e-9)
                : Math.abs(Math.log(after[i] / before[i])) > Math.log(4) + 1e-9;
        if (far) {
          return String.format(
              Locale.ROOT, "%s moved from %s to %s", names[i], before[i], after[i]);
        }
        sum += after[i];
        size += Math.abs(after[i]);
      }
      boolean allPinned = Arrays.stream(pins).allMatch(pin -> pin > 0);
      double expected = allPinned ? Arrays.stream(pins).sum() : total;
      return Math.abs(sum - expected) <= 1e-12 * size ? "" : "sum " + sum + " for " + expected;
    }

    /** Of a step: besides, a task without a gradient to balance, or not to be moved, stays. */
    String broken(
        double[] before,
        DryRun<GradNormState> after,
        StepMeasurement measurement,
        boolean skipped) {
      for (int i = 0; i < before.length; i++) {
        boolean dead = measurement.present()[i] && measurement.gradientNorms()[i] == 0.0;
        if ((dead || skipped || pins[i] > 0) && after.lossWeights()[i] != before[i]) {
          return String.format(
              Locale.ROOT,
              "%s must stay at %s, is %s",
              names[i],
              before[i],
              after.lossWeights()[i]);
        }
      }
      return broken(before, after.lossWeights());
    }
  }
}
