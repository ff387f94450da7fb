package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.Need;

/**
 * The part of a step that is decided on: tasks that are present, and whose gradient or loss is not
 * 0 where it is divided by. Arrays are by these tasks, in the order of the network's. Nobody writes
 * into them.
 *
 * @param step all of it
 * @param tasks indices of the tasks, ascending
 * @param losses L
 */
record Deciding(StepMeasurement step, int[] tasks, double[] losses) {

  /**
   * Leaves out the others.
   *
   * @param positiveLosses whether the strategy divides by losses: one of 0 is then left out
   * @throws IllegalStateException if it does, and a loss is negative
   */
  static Deciding of(StepMeasurement step, Set<Need> needs, boolean positiveLosses) {
    boolean[] counts = step.present();
    double[] losses = step.losses();
    double[] norms = step.gradientNorms();
    double[][] gram = needs.contains(Need.GRAM) ? step.gram() : null;
    for (int i = 0; i < counts.length; i++) {
      counts[i] &= !positiveLosses || positive(losses[i], step.taskNames().get(i));
      counts[i] &= !needs.contains(Need.GRADIENT_NORMS) || norms[i] > 0.0;
      counts[i] &= gram == null || gram[i][i] >= Gram.SMALLEST;
    }
    int[] tasks = IntStream.range(0, counts.length).filter(i -> counts[i]).toArray();
    return new Deciding(step, tasks, some(losses, tasks));
  }

  /**
   * Whether a loss can be divided by.
   *
   * @throws IllegalStateException if it is negative
   */
  static boolean positive(double loss, String task) {
    if (loss < 0.0) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "task '%s': loss (%s) must be >= 0, the strategy looks at ratios of losses. Add a constant to the loss, or use a strategy that looks at gradients",
              task,
              loss));
    }
    return loss > 0.0;
  }

  int size() {
    return tasks.length;
  }

  /** Names of the tasks. */
  List<String> names() {
    return Arrays.stream(tasks).mapToObj(step.taskNames()::get).toList();
  }

  /** n. */
  double[] norms() {
    return some(step.gradientNorms(), tasks);
  }

  /** G. */
  Gram gram() {
    double[][] all = step.gram();
    return Gram.of(
        Arrays.stream(tasks).mapToObj(i -> some(all[i], tasks)).toArray(double[][]::new));
  }

  /** 1/T for each task. */
  double[] mean() {
    double[] mean = new double[size()];
    Arrays.fill(mean, 1.0 / size());
    return mean;
  }

  private static double[] some(double[] values, int[] tasks) {
    return Arrays.stream(tasks).mapToDouble(i -> values[i]).toArray();
  }

  /** Weights by task of the network: these for the tasks here, the last ones for others. */
  double[] among(double[] lastWeights, double[] weights) {
    double[] all = lastWeights.clone();
    for (int k = 0; k < tasks.length; k++) {
      all[tasks[k]] = weights[k];
    }
    return all;
  }
}
