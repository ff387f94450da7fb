package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;

/** Rules and measurements without a network. */
final class Rules {
  private Rules() {}

  static String[] names(int tasks) {
    return IntStream.range(0, tasks).mapToObj(i -> "task" + i).toArray(String[]::new);
  }

  /** For tasks whose weights are configured as 1. */
  static GradNormRule of(GradNormBuilder settings, String... tasks) {
    return of(settings, WeightOptimizer.of(settings.settings().lossWeightUpdater()), tasks);
  }

  static GradNormRule of(GradNormBuilder settings, WeightOptimizer optimizer, String... tasks) {
    double[] unknown = new double[tasks.length];
    Arrays.fill(unknown, Double.NaN);
    return new GradNormRule(settings.settings(), optimizer, List.of(tasks), tasks.length, unknown);
  }

  static double[] ones(int tasks) {
    double[] ones = new double[tasks];
    Arrays.fill(ones, 1.0);
    return ones;
  }

  static StepMeasurement measured(double[] losses, double[] norms, double[] weights) {
    return StepMeasurement.of(List.of(names(losses.length)))
        .batchSize(10)
        .losses(losses)
        .gradientNorms(norms)
        .lossWeights(weights)
        .build();
  }

  /** With some tasks absent, as Deeplearning4j shows it. */
  static StepMeasurement measured(
      boolean[] present, double[] losses, double[] norms, double[] weights) {
    double[] masked = new double[losses.length];
    double[] perLabel = new double[losses.length];
    double[] maskedNorms = new double[losses.length];
    for (int i = 0; i < losses.length; i++) {
      masked[i] = present[i] ? losses[i] : 0.0;
      perLabel[i] = present[i] ? losses[i] : Double.NaN;
      maskedNorms[i] = present[i] ? norms[i] : 0.0;
    }
    return StepMeasurement.of(List.of(names(losses.length)))
        .batchSize(10)
        .present(present)
        .losses(masked)
        .lossesPerLabel(perLabel)
        .gradientNorms(maskedNorms)
        .lossWeights(weights)
        .build();
  }
}
