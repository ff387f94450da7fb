package org.gradnorm4j.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.history.HistoryLimit.Kind;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import org.gradnorm4j.weighting.SkipCause;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How much of a run stays. Oracle: the same steps in a history of all. */
class HistoryLimitTest {
  private static final Quantity OWN = Quantity.perTask("own", "Own", "o");
  private static final Quantity OF_STEP = Quantity.ofStep("of_step", "Of the step", "s");
  private static final List<String> TASKS = List.of("a", "b", "c");

  private static HistoryRecorder recorder(HistoryLimit limit) {
    return new HistoryRecorder(limit, TASKS, List.of(OWN, OF_STEP), Map.of());
  }

  /** Numbers of all sizes and signs, some NaN or infinite, some tasks absent. */
  private static BalancedStep step(int iteration, Random random) {
    double[] weights = values(random, 3);
    boolean skipped = random.nextInt(50) == 0;
    StepMeasurement measurement =
        StepMeasurement.of(TASKS)
            .at(iteration, iteration / 7)
            .batchSize(1)
            .present(random.nextInt(9) > 0, true, random.nextInt(3) > 0)
            .losses(values(random, 3))
            .gradientNorms(values(random, 3))
            .lossWeights(weights)
            .build();
    return BalancedStep.of(
        measurement,
        ordered(values(random, 3), values(random, 1)),
        weights,
        skipped ? Map.of("b", Set.of(SkipCause.LOSS)) : Map.of());
  }

  private static Map<Quantity, double[]> ordered(double[] own, double[] ofStep) {
    Map<Quantity, double[]> values = new LinkedHashMap<>();
    values.put(OWN, own);
    values.put(OF_STEP, ofStep);
    return values;
  }

  private static double[] values(Random random, int count) {
    return random
        .ints(count, 0, 200)
        .mapToDouble(
            kind ->
                switch (kind) {
                  case 0 -> Double.NaN;
                  case 1 -> Double.POSITIVE_INFINITY;
                  case 2 -> Double.NEGATIVE_INFINITY;
                  default -> random.nextGaussian() * Math.pow(10, random.nextInt(9) - 4);
                })
        .toArray();
  }

  private record Pair(HistoryRecorder limited, HistoryRecorder all) {
    static Pair of(HistoryLimit limit, int steps, int seed) {
      Pair pair = new Pair(recorder(limit), recorder(History.all()));
      Random random = new Random(seed);
      for (int i = 0; i < steps; i++) {
        BalancedStep step = step(i, random);
        pair.limited.add(step);
        pair.all.add(step);
      }
      return pair;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 255, 256, 257, 3000})
  void all_keepsEveryStep(int steps) {
    HistoryRecorder recorder = recorder(History.all());
    Random random = new Random(1);
    List<BalancedStep> added = new ArrayList<>();
    for (int i = 0; i < steps; i++) {
      added.add(step(i, random));
      recorder.add(added.get(i));
    }
    List<Row> rows = recorder.history().rows().toList();
    assertThat(rows).hasSize(3 * steps);
    assertThat(recorder.history().size()).isEqualTo(steps);
    for (int i = 0; i < steps; i++) {
      BalancedStep step = added.get(i);
      for (int task = 0; task < 3; task++) {
        Row row = rows.get(3 * i + task);
        assertThat(row.iteration()).isEqualTo(i);
        assertThat(row.epoch()).isEqualTo(i / 7);
        assertThat(row.task()).isEqualTo(TASKS.get(task));
        assertSame(row.loss(), step.values(Quantity.LOSS)[task]);
        assertSame(row.lossWeight(), step.values(Quantity.LOSS_WEIGHT)[task]);
        assertSame(row.gradientNorm(), step.values(Quantity.GRADIENT_NORM)[task]);
        assertSame(row.weightedGradientNorm(), step.values(Quantity.WEIGHTED_GRADIENT_NORM)[task]);
        assertSame(row.value(OWN), step.values(OWN)[task]);
        assertSame(row.value(OF_STEP), step.value(OF_STEP));
        assertThat(row.present()).isEqualTo(step.measurement().present()[task]);
        assertThat(row.skipped()).isEqualTo(step.skipped());
        assertThat(row.steps()).isEqualTo(1);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 600", "5, 3", "5, 5", "5, 600", "256, 1000", "300, 1000", "2000, 1000"})
  void lastSteps_keepsThoseExactly(int limit, int steps) {
    Pair pair = Pair.of(History.lastSteps(limit), steps, 2);
    int kept = Math.min(limit, steps);
    assertThat(pair.limited.history().size()).isEqualTo(kept);
    assertThat(pair.limited.history().steps()).isEqualTo(steps);
    assertThat(pair.limited.history().rows())
        .containsExactlyElementsOf(pair.all.history().rows().skip(3L * (steps - kept)).toList());
    assertThat(pair.limited.history().view().number(0)).isEqualTo(steps - kept);
  }

  @Test
  void none_keepsTheLastStepAndTheCounts() {
    Pair pair = Pair.of(History.none(), 500, 3);
    assertThat(pair.limited.history().rows()).isEmpty();
    assertThat(pair.limited.history().steps()).isEqualTo(500);
    assertThat(pair.limited.last()).isEqualTo(pair.all.last()).isPresent();
    assertThat(pair.limited.counts()).isEqualTo(pair.all.counts());
    assertThat(pair.limited.history()).asString().contains("500 steps, iterations 0 to 499");
  }

  /** Every number's smallest and largest finite value, by brute force over each section. */
  @ParameterizedTest
  @CsvSource({
    "64, 64",
    "64, 65",
    "64, 66",
    "64, 1000",
    "64, 12345",
    "65, 7777",
    "100, 5000",
    "1000, 1500",
    "1000, 20011"
  })
  void thinned_keepsMinimumAndMaximumOfEverySection(int limit, int steps) {
    Pair pair = Pair.of(new HistoryLimit(Kind.THINNED, limit), steps, limit + steps);
    HistoryView all = pair.all.history().view();
    HistoryView thinned = pair.limited.history().view();
    assertThat(thinned.size()).isLessThanOrEqualTo(limit);
    assertThat(thinned.size() - thinned.exact()).isGreaterThanOrEqualTo(Math.min(steps, limit / 2));
    int next = 0;
    for (int row = 0; row < thinned.size(); row += row < thinned.exact() ? 2 : 1) {
      int end = next + (int) thinned.steps(row);
      assertThat(thinned.number(row)).isEqualTo(next);
      assertThat(thinned.iteration(row)).isEqualTo(next);
      assertThat(thinned.epoch(row)).isEqualTo(next / 7);
      if (row < thinned.exact()) {
        assertThat(thinned.steps(row)).isBetween(2L, thinned.steps(0));
        assertThat(thinned.number(row + 1)).isEqualTo(end - 1);
        assertThat(thinned.iteration(row + 1)).isEqualTo(end - 1);
        checkSection(all, next, end, thinned, row);
      } else {
        for (int task = 0; task < 3; task++) {
          assertThat(Row.of(thinned, row, task)).isEqualTo(Row.of(all, next, task));
        }
      }
      next = end;
    }
    assertThat(next).isEqualTo(steps);
    assertThat(thinned.counts()).isEqualTo(all.counts());
    assertThat(thinned.last()).isEqualTo(all.last());
  }

  /** NaN is the same as NaN. */
  private static void assertSame(double actual, double expected) {
    assertThat(Double.valueOf(actual)).isEqualTo(Double.valueOf(expected));
  }

  private static void checkSection(
      HistoryView all, int begin, int end, HistoryView thinned, int row) {
    List<Quantity> quantities =
        List.of(
            Quantity.LOSS,
            Quantity.LOSS_WEIGHT,
            Quantity.GRADIENT_NORM,
            Quantity.WEIGHTED_GRADIENT_NORM,
            OWN,
            OF_STEP);
    for (int task = 0; task < 3; task++) {
      int i = task;
      for (Quantity quantity : quantities) {
        double[] values =
            IntStream.range(begin, end)
                .mapToDouble(step -> all.values(quantity).of(step, i))
                .filter(Double::isFinite)
                .sorted()
                .toArray();
        double least = values.length == 0 ? Double.NaN : values[0];
        double most = values.length == 0 ? Double.NaN : values[values.length - 1];
        assertSame(thinned.values(quantity).of(row, task), least);
        assertSame(thinned.values(quantity).of(row + 1, task), most);
      }
      assertThat(thinned.isPresent(row, task))
          .isEqualTo(IntStream.range(begin, end).allMatch(step -> all.isPresent(step, i)));
      assertThat(thinned.isPresent(row + 1, task))
          .isEqualTo(IntStream.range(begin, end).anyMatch(step -> all.isPresent(step, i)));
    }
    assertThat(thinned.isSkipped(row + 1))
        .isEqualTo(IntStream.range(begin, end).anyMatch(all::isSkipped));
    TaskShares shares = all.shares();
    double[] unequal =
        IntStream.range(begin, end)
            .mapToDouble(shares::largest)
            .filter(share -> !Double.isNaN(share))
            .sorted()
            .toArray();
    if (unequal.length > 0) {
      assertThat(thinned.shares().largest(row)).isEqualTo(unequal[0]);
      assertThat(thinned.shares().largest(row + 1)).isEqualTo(unequal[unequal.length - 1]);
    }
  }

  /** Oracle: counting by hand. */
  @Test
  void counts_areExact_whateverIsKept() {
    Pair pair = Pair.of(new HistoryLimit(Kind.THINNED, 64), 5000, 9);
    HistoryView all = pair.all.history().view();
    HistoryCounts counts = pair.limited.counts();
    assertThat(counts.steps()).isEqualTo(5000);
    int[] skipped = IntStream.range(0, 5000).filter(all::isSkipped).toArray();
    assertThat(counts.skipped()).isEqualTo(new HistoryCounts.Count(skipped.length, skipped[0]));
    for (int task = 0; task < 3; task++) {
      int i = task;
      int[] absent = IntStream.range(0, 5000).filter(row -> !all.isPresent(row, i)).toArray();
      assertThat(counts.absent().get(task).steps()).isEqualTo(absent.length);
      int[] losses =
          IntStream.range(0, 5000)
              .filter(row -> all.isPresent(row, i) && !Double.isFinite(all.loss(row, i)))
              .toArray();
      assertThat(losses).isNotEmpty();
      assertThat(counts.lossesNotFinite().get(task))
          .isEqualTo(new HistoryCounts.Count(losses.length, losses[0]));
      int[] norms =
          IntStream.range(0, 5000)
              .filter(row -> all.isPresent(row, i) && !Double.isFinite(all.gradientNorm(row, i)))
              .toArray();
      assertThat(counts.normsNotFinite().get(task))
          .isEqualTo(new HistoryCounts.Count(norms.length, norms[0]));
    }
    assertThat(counts.notPositive().steps())
        .isEqualTo(
            IntStream.range(0, 5000)
                .filter(
                    row -> !IntStream.range(0, 3).allMatch(task -> all.lossWeight(row, task) > 0.0))
                .count());
  }

  /** A view is of its moment, also while steps are merged and dropped. */
  @ParameterizedTest
  @ValueSource(strings = {"LAST_STEPS", "THINNED", "ALL"})
  void view_doesNotChange(Kind kind) {
    HistoryRecorder recorder = recorder(new HistoryLimit(kind, kind == Kind.ALL ? 0 : 64));
    Random random = new Random(4);
    List<HistoryView> views = new ArrayList<>();
    List<List<Row>> rows = new ArrayList<>();
    for (int i = 0; i < 700; i++) {
      recorder.add(step(i, random));
      if (i % 10 == 0) {
        views.add(recorder.history().view());
        rows.add(recorder.history().rows().toList());
      }
    }
    for (int i = 0; i < views.size(); i++) {
      HistoryView view = views.get(i);
      List<Row> again = new ArrayList<>();
      for (int row = 0; row < view.size(); row++) {
        for (int task = 0; task < 3; task++) {
          again.add(Row.of(view, row, task));
        }
      }
      assertThat(again).isEqualTo(rows.get(i));
    }
  }

  @Test
  void byDefault_isAHundredThousandStepsOfTenTasks_andAMillionRowsOfMore() {
    HistoryLimit limit = HistoryLimit.byDefault();
    assertThat(limit.capacity(1)).isEqualTo(100_000);
    assertThat(limit.capacity(10)).isEqualTo(100_000);
    assertThat(limit.capacity(100)).isEqualTo(10_000);
    assertThat(limit.capacity(5_000)).isEqualTo(1_000);
    assertThat(limit).hasToString("all steps, older ones thinned in a long run");
  }

  @Test
  void limits_areEqualByKindAndSteps_andRead() {
    assertThat(History.lastSteps(1500))
        .isEqualTo(new HistoryLimit(Kind.LAST_STEPS, 1500))
        .isNotEqualTo(History.lastSteps(1501))
        .hasSameHashCodeAs(new HistoryLimit(Kind.LAST_STEPS, 1500))
        .hasToString("the last 1,500 steps");
    assertThat(History.all()).isNotEqualTo(History.none()).hasToString("all steps");
    assertThat(History.none()).hasToString("no steps");
    assertThat(new HistoryLimit(Kind.THINNED, 2000)).hasToString("2,000 steps, older ones thinned");
  }

  @ParameterizedTest
  @CsvSource({
    "ALL, 1, 0",
    "NONE, 1, 0",
    "LAST_STEPS, 0, >= 1",
    "THINNED, 63, '>= 64, or 0 for the default'",
    "THINNED, -1, '>= 64, or 0 for the default'"
  })
  void impossibleLimits_areRefused(Kind kind, int steps, String rule) {
    assertThatThrownBy(() -> new HistoryLimit(kind, steps))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("steps (%d) of a history of kind %s must be %s", steps, kind, rule);
  }

  @Test
  void otherTasksOrQuantities_areRefused() {
    HistoryRecorder recorder = recorder(History.all());
    BalancedStep other = new SyntheticHistory("a", "b").steps(1).recorder().last().orElseThrow();
    assertThatThrownBy(() -> recorder.add(other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "step with tasks [a, b] must have those of the history, [a, b, c]. Begin another history");
    BalancedStep reports =
        new SyntheticHistory("a", "b", "c").steps(1).recorder().last().orElseThrow();
    assertThatThrownBy(() -> recorder.add(reports))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("step with quantities [target, deviation, rate] must have");
  }

  @ParameterizedTest
  @ValueSource(strings = {"task", "loss_weight", "steps", "gradient_shares"})
  void columnsOfTheHistory_areNoIdsOfAStrategy(String id) {
    List<Quantity> quantities = List.of(Quantity.perTask(id, "Name", "n"));
    assertThatThrownBy(() -> new HistoryRecorder(History.all(), TASKS, quantities, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("quantity '" + id + "' cannot be recorded");
  }
}
