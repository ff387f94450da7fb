package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;

/** Histories of made-up measurements, balanced by the real rule. */
final class SyntheticHistory {
  private final GradNormHistory history;
  private final List<String> taskNames;
  private final GradNormRule rule;
  private final Random random = new Random(5);
  private GradNormState state;

  SyntheticHistory(String... tasks) {
    taskNames = List.of(tasks);
    history = new GradNormHistory(taskNames, Map.of("alpha", "1.5"));
    rule = Rules.of(GradNorm.builder(), tasks);
    double[] ones = new double[tasks.length];
    Arrays.fill(ones, 1.0);
    state = rule.init(ones);
  }

  static String[] names(int tasks) {
    return IntStream.range(0, tasks).mapToObj(i -> "task " + i).toArray(String[]::new);
  }

  /** Falling losses of unlike scale and speed, with noise. */
  SyntheticHistory steps(int steps) {
    int tasks = taskNames.size();
    for (int t = 0; t < steps; t++) {
      double progress = (double) t / steps;
      double[] losses = new double[tasks];
      double[] norms = new double[tasks];
      for (int i = 0; i < tasks; i++) {
        double noise = 1.0 + 0.1 * random.nextDouble();
        losses[i] = (1 + i) * noise * Math.exp(-progress * (1 + i % 4));
        norms[i] = (1 + i) * (1 + i) * noise * Math.exp(-progress * (1 + i % 3));
      }
      step(losses, norms);
    }
    return this;
  }

  SyntheticHistory step(double[] losses, double[] norms) {
    return step(
        StepMeasurement.of(taskNames)
            .at(history.size(), 0)
            .batchSize(32)
            .losses(losses)
            .gradientNorms(norms)
            .lossWeights(state.lossWeights())
            .build());
  }

  /** A minibatch with labels of the first of two tasks only. */
  SyntheticHistory stepWithoutLastTask(double loss, double norm) {
    return step(
        StepMeasurement.of(taskNames)
            .at(history.size(), 0)
            .batchSize(32)
            .present(true, false)
            .losses(loss, 0.0)
            .lossesPerLabel(loss, Double.NaN)
            .gradientNorms(norm, 0.0)
            .lossWeights(state.lossWeights())
            .build());
  }

  private SyntheticHistory step(StepMeasurement measurement) {
    GradNormRule.Update update = rule.update(state, measurement);
    state = update.state();
    history.add(update.step());
    return this;
  }

  double[] lossWeights() {
    return state.lossWeights();
  }

  GradNormHistory history() {
    return history;
  }
}
