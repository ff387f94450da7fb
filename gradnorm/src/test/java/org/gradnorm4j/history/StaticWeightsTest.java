package org.gradnorm4j.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.BalancedStep;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Means of the loss weights. */
class StaticWeightsTest {
  /** Steps whose weights are given. */
  private static HistoryView history(double[]... steps) {
    return history(History.all(), steps);
  }

  private static HistoryView history(HistoryLimit limit, double[]... steps) {
    List<String> tasks = IntStream.range(0, steps[0].length).mapToObj(i -> "task" + i).toList();
    HistoryRecorder recorder = new HistoryRecorder(limit, tasks, List.of(), Map.of());
    double[] ones = new double[tasks.size()];
    Arrays.fill(ones, 1.0);
    for (int i = 0; i < steps.length; i++) {
      StepMeasurement measurement =
          StepMeasurement.of(tasks)
              .at(i, 0)
              .batchSize(1)
              .losses(ones)
              .gradientNorms(ones)
              .lossWeights(steps[i])
              .build();
      recorder.add(BalancedStep.of(measurement, Map.of(), steps[i], Map.of()));
    }
    return recorder.history().view();
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "5, 5", "12, 12", "1000, 12"})
  void mean_isOverTheLastSteps(int asked, int averaged) {
    HistoryView history = new SyntheticHistory("a", "b").steps(12).history().view();
    StaticWeights mean = StaticWeights.of(history, asked);
    assertThat(mean.steps()).isEqualTo(averaged);
    for (int task = 0; task < 2; task++) {
      int i = task;
      double byHand =
          IntStream.range(12 - averaged, 12)
              .mapToDouble(row -> history.lossWeight(row, i))
              .average()
              .orElseThrow();
      assertThat(mean.lossWeights().get(task == 0 ? "a" : "b")).isCloseTo(byHand, within(1e-14));
    }
  }

  /** 1e-8 and 1e-4 in turn: the arithmetic mean is half of the larger, the geometric one 1e-6. */
  @Test
  void weightThatMovesByDecades_isAveragedGeometrically() {
    StaticWeights mean =
        StaticWeights.of(
            history(
                new double[] {1e-8, 2.5 - 1e-8, 0.5},
                new double[] {1e-4, 2.5 - 1e-4, 0.5},
                new double[] {1e-8, 2.5 - 1e-8, 0.5},
                new double[] {1e-4, 2.5 - 1e-4, 0.5}),
            4);
    assertThat(mean.geometric()).isTrue();
    assertThat(mean.lossWeights().get("task0")).isCloseTo(1e-6, within(1e-10));
    assertThat(mean.lossWeights().get("task2")).isEqualTo(0.5);
    assertThat(mean.lossWeights().values().stream().mapToDouble(w -> w).sum())
        .isCloseTo(3, within(1e-12));
    assertThat(mean.describe())
        .isEqualTo("Geometric mean of each task's weight over the last 4 recorded steps");
  }

  @Test
  void weightsWithinADecade_orOfBothSigns_areAveragedArithmetically() {
    StaticWeights near =
        StaticWeights.of(history(new double[] {0.1, 2.9}, new double[] {1.0, 2.0}), 2);
    assertThat(near.geometric()).isFalse();
    assertThat(near.lossWeights().get("task0")).isCloseTo(0.55, within(1e-15));
    StaticWeights signs =
        StaticWeights.of(history(new double[] {-0.5, 2.5}, new double[] {0.1, 1.9}), 2);
    assertThat(signs.geometric()).isFalse();
    assertThat(signs.lossWeights().get("task0")).isCloseTo(-0.2, within(1e-15));
    assertThat(signs)
        .hasToString("FixedWeights.of(Map.of(\"task0\", -0.200000, \"task1\", 2.20000))");
  }

  /** A run that falls for three quarters, and lives at 1e-6 then. */
  @Test
  void lateSteps_leaveTheDescentOut() {
    double[][] steps = new double[400][];
    for (int t = 0; t < steps.length; t++) {
      double weight = Math.pow(10, -6.0 * Math.min(1, t / 300.0));
      steps[t] = new double[] {weight, 2 - weight};
    }
    StaticWeights late = StaticWeights.ofLateSteps(history(steps));
    assertThat(late.steps()).isEqualTo(100);
    assertThat(late.lossWeights().get("task0")).isCloseTo(1e-6, within(1e-18));
    assertThat(StaticWeights.ofLateSteps(history(steps[0])).steps()).isEqualTo(1);
  }

  @Test
  void text_isCodeThatHoldsTheWeights() {
    Map<String, Double> weights = new LinkedHashMap<>();
    weights.put("a", 1.25);
    weights.put("b", 0.75);
    weights.put("c", 1.0);
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.GERMANY); // writes 1,25
      assertThat(new StaticWeights(weights, 10, false))
          .hasToString("FixedWeights.of(Map.of(\"a\", 1.25000, \"b\", 0.750000, \"c\", 1.00000))");
      assertThat(new StaticWeights(Map.of("say \"x\\y\"", 1e-7), 1, false))
          .hasToString("FixedWeights.of(Map.of(\"say \\\"x\\\\y\\\"\", 1.00000e-07))");
    } finally {
      Locale.setDefault(before);
    }
  }

  /** {@code Map.of} has up to ten pairs. */
  @Test
  void text_ofManyTasks_compiles() {
    double[] weights = new double[11];
    Arrays.fill(weights, 1.0);
    assertThat(StaticWeights.of(history(weights), 1).toString())
        .startsWith("FixedWeights.of(Map.ofEntries(Map.entry(\"task0\", 1.00000), Map.entry(")
        .endsWith(", Map.entry(\"task10\", 1.00000)))");
  }

  /** Merged steps have no mean; those that are left have. */
  @Test
  void ofAThinnedRun_theMeanIsOfTheStepsThatAreLeft() {
    double[][] steps = new double[2000][];
    for (int t = 0; t < steps.length; t++) {
      steps[t] = new double[] {t, 1.0};
    }
    HistoryView thinned = history(new HistoryLimit(HistoryLimit.Kind.THINNED, 64), steps);
    StaticWeights late = StaticWeights.ofLateSteps(thinned);
    int left = thinned.size() - thinned.exact();
    assertThat(late.steps()).isEqualTo(left).isBetween(32, 64);
    assertThat(late.lossWeights().get("task0")).isCloseTo(1999 - (left - 1) / 2.0, within(1e-10));
  }

  @Test
  void withoutSteps_thereIsNoMean() {
    HistoryView none = new SyntheticHistory("a").history().view();
    assertThatThrownBy(() -> StaticWeights.of(none, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no step is recorded yet. Train first");
    assertThatThrownBy(() -> StaticWeights.of(none, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("lastSteps (0) must be >= 1");
    assertThatThrownBy(
            () -> StaticWeights.ofLateSteps(history(History.none(), new double[] {1, 1})))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("no step is kept. Build the balancer with history(History.all())");
  }
}
