package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.probe.GradientNormProbe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Means of the loss weights, held or pasted. */
class StaticWeightsTest {
  private static final int STEPS = 12;

  private static GradNorm trained(ComputationGraph net) {
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    TrainingProcess.train(net, STEPS);
    return gradNorm;
  }

  /** By hand, from the rows of the history. */
  private static double mean(GradNorm gradNorm, String task, int lastSteps) {
    List<Double> weights =
        gradNorm
            .history()
            .rows()
            .filter(row -> row.task().equals(task))
            .map(GradNormHistory.Row::lossWeight)
            .toList();
    double sum = 0.0;
    for (double weight : weights.subList(weights.size() - lastSteps, weights.size())) {
      sum += weight;
    }
    return sum / lastSteps;
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "5, 5", "12, 12", "1000, 12"})
  void staticWeights_areTheMeanOverTheLastSteps(int asked, int averaged) {
    GradNorm gradNorm = trained(TrainingProcess.network());
    Map<String, Double> before = gradNorm.lossWeights();
    StaticWeights mean = gradNorm.staticWeights(asked);
    assertThat(mean.steps()).isEqualTo(averaged);
    assertThat(mean.lossWeights().keySet()).containsExactly(TrainingProcess.TASKS);
    for (String task : TrainingProcess.TASKS) {
      assertThat(mean.lossWeights().get(task))
          .isCloseTo(mean(gradNorm, task, averaged), within(1e-14));
    }
    assertThat(mean.lossWeights()).isNotEqualTo(before);
    assertThat(gradNorm.lossWeights()).isEqualTo(before);
  }

  @Test
  void freeze_holdsTheMean_inTheNetworkToo() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = trained(net);
    double expected = mean(gradNorm, "a", 4);
    StaticWeights mean = gradNorm.freeze(4);
    assertThat(mean.lossWeights().get("a")).isCloseTo(expected, within(1e-14));
    TrainingProcess.train(net, 4);
    assertThat(gradNorm.lossWeights()).isEqualTo(mean.lossWeights());
    assertThat(gradNorm.history().size()).isEqualTo(STEPS); // nothing is measured meanwhile
    gradNorm.unfreeze();
    TrainingProcess.train(net, 1);
    assertThat(gradNorm.lastStep().orElseThrow().measurement().lossWeights())
        .containsExactly(values(mean));
    assertThat(gradNorm.lossWeights()).isNotEqualTo(mean.lossWeights());
  }

  @Test
  void frozen_trainsAsWithConstantWeights() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = trained(net);
    StaticWeights mean = gradNorm.freeze(4);
    ComputationGraph constant = net.clone();
    GradientNormProbe.attach(constant, step -> {}).lossWeights(values(mean));
    constant.getConfiguration().setIterationCount(STEPS);
    TrainingProcess.train(net, 4);
    TrainingProcess.train(constant, 4);
    assertThat(net.params().toDoubleVector()).isEqualTo(constant.params().toDoubleVector());
  }

  @Test
  void detached_freezeHoldsFromTheNextAttachmentOn() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = trained(net);
    gradNorm.detach();
    StaticWeights mean = gradNorm.freeze(STEPS);
    gradNorm.attach(net);
    TrainingProcess.train(net, 2);
    assertThat(gradNorm.lossWeights()).isEqualTo(mean.lossWeights());
    assertThat(gradNorm.history().size()).isEqualTo(STEPS);
    gradNorm.unfreeze();
    TrainingProcess.train(net, 1);
    assertThat(gradNorm.lastStep().orElseThrow().measurement().lossWeights())
        .containsExactly(values(mean));
  }

  /** Steps whose weights are given. */
  private static StepTable.View history(double[]... steps) {
    StepTable table = new StepTable(List.of(Rules.names(steps[0].length)));
    for (double[] weights : steps) {
      StepTable.Row[] rows = new StepTable.Row[weights.length];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = new StepTable.Row(table.size(), 0, 1, weights[i], 1, 1, 1, 1, true, false);
      }
      table.add(rows);
    }
    return table.view();
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
        .hasToString(
            "GradNorm.builder()/* \"task0\": -0.200000 is not > 0 */.pin(\"task1\", 2.20000).build()");
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
  void withoutANumber_theMeanIsOverTheLastQuarter() {
    GradNorm gradNorm = trained(TrainingProcess.network());
    assertThat(gradNorm.staticWeights()).isEqualTo(gradNorm.staticWeights(STEPS / 4));
  }

  /** A geometric mean, brought to the sum, may be outside of limits that each weight is within. */
  @Test
  void freeze_staysWithinTheLimits() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm =
        GradNorm.builder()
            .weightLimits("a", 0.01, 1.2)
            .lossWeightUpdater(new org.nd4j.linalg.learning.config.Sgd(5))
            .build()
            .attach(net);
    TrainingProcess.train(net, STEPS);
    StaticWeights asked = gradNorm.staticWeights(STEPS);
    assertThat(asked.geometric()).isTrue();
    StaticWeights held = gradNorm.freeze(STEPS);
    assertThat(gradNorm.lossWeights()).isEqualTo(held.lossWeights());
    assertThat(held.lossWeights().get("a")).isBetween(0.01, 1.2);
    assertThat(held.lossWeights().values().stream().mapToDouble(w -> w).sum())
        .isCloseTo(3, within(1e-12));
  }

  private static double[] values(StaticWeights weights) {
    return weights.lossWeights().values().stream().mapToDouble(Double::doubleValue).toArray();
  }

  @Test
  void withoutSteps_thereIsNoMean() {
    GradNorm gradNorm = GradNorm.builder().build();
    assertThatThrownBy(() -> gradNorm.freeze(1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("not attached to a network yet");
    gradNorm.attach(TrainingProcess.network());
    assertThatThrownBy(() -> gradNorm.staticWeights(1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no step is recorded yet. Train first");
    assertThatThrownBy(() -> gradNorm.freeze(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("lastSteps (0) must be >= 1");
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
          .hasToString(
              "GradNorm.builder().pin(\"a\", 1.25000).pin(\"b\", 0.750000).pin(\"c\", 1.00000).build()");
      assertThat(new StaticWeights(Map.of("say \"x\\y\"", 1e-7), 1, false))
          .hasToString("GradNorm.builder().pin(\"say \\\"x\\\\y\\\"\", 1.00000e-07).build()");
    } finally {
      Locale.setDefault(before);
    }
    // pasted:
    GradNorm pasted =
        GradNorm.builder().pin("a", 1.25000).pin("b", 0.750000).pin("c", 1.00000).build();
    ComputationGraph net = TrainingProcess.network();
    pasted.attach(net);
    TrainingProcess.train(net, 5);
    assertThat(pasted.lossWeights()).isEqualTo(weights);
  }
}
