package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.Quantity;

/** Rules and measurements without a network. */
final class Rules {
  private Rules() {}

  static String[] names(int tasks) {
    return IntStream.range(0, tasks).mapToObj(i -> "task" + i).toArray(String[]::new);
  }

  /** For tasks whose weights are configured as 1. */
  static Rule of(GradNormBuilder settings, String... tasks) {
    return of(settings, tasks.length, tasks);
  }

  static Rule of(GradNormBuilder settings, double total, String... tasks) {
    return of(settings, total, Tasks.of(List.of(tasks)));
  }

  static Rule of(GradNormBuilder settings, double total, Tasks tasks) {
    return new Rule(settings.weighting(), tasks, total);
  }

  static Rule of(GradNormBuilder settings, WeightOptimizer optimizer, String... tasks) {
    GradNormSettings others = settings.weighting().settings();
    return new Rule(
        new GradNormWeighting(
            new GradNormSettings(
                others.alpha(),
                others.weightUpdate(),
                optimizer,
                others.lossScale(),
                others.smoothing(),
                others.warmUp(),
                others.taskWindow(),
                others.everyTask(),
                others.tasks())),
        Tasks.of(List.of(tasks)),
        tasks.length);
  }

  /**
   * GradNorm for some tasks.
   *
   * @param total Σ λ
   */
  record Rule(GradNormWeighting weighting, Tasks tasks, double total) {
    Rule {
      new GradNormRule(weighting.settings(), tasks, total); // refuses what cannot be
    }

    /** To start from. */
    DryRun<GradNormState> init(double... weights) {
      Decision<GradNormState> first =
          new GradNormRule(weighting.settings(), tasks, total).init(weights);
      return DryRun.at(weighting, first.state(), first.lossWeights());
    }

    /** After a step. */
    DryRun<GradNormState> update(DryRun<GradNormState> at, StepMeasurement measurement) {
      return DryRun.at(weighting, at.state(), at.lossWeights()).take(measurement);
    }
  }

  /** Mean of the weighted gradient norms, of all tasks. */
  static double meanGradientNorm(DryRun<?> at) {
    return Arrays.stream(at.step().values(Quantity.WEIGHTED_GRADIENT_NORM)).average().orElseThrow();
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
    double[] masked = losses.clone();
    double[] perLabel = losses.clone();
    double[] maskedNorms = norms.clone();
    for (int i = 0; i < losses.length; i++) {
      if (!present[i]) {
        masked[i] = 0.0;
        perLabel[i] = Double.NaN;
        maskedNorms[i] = 0.0;
      }
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
