package org.gradnorm4j.gradnorm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.math3.util.MathArrays;

/**
 * A line of a chart: what is drawn of one value of one task over all steps.
 *
 * @param task its number
 * @param name of the task
 * @param target whether it is a target, not a value
 * @param x iterations, ascending
 * @param y values, finite
 */
record ChartLine(int task, String name, boolean target, double[] x, double[] y) {
  /** One line per task, of the tasks that have a finite value. */
  static List<ChartLine> perTask(StepTable.View history, Extremes.Value value) {
    int[][] steps = Extremes.of(history.size(), history.tasks(), value);
    return IntStream.range(0, steps.length)
        .filter(task -> steps[task].length > 0)
        .mapToObj(task -> line(history, task, steps[task], value))
        .toList();
  }

  /** The values, then the targets. */
  static List<ChartLine> withTargets(List<ChartLine> values, List<ChartLine> targets) {
    List<ChartLine> all = new ArrayList<>(values);
    for (ChartLine line : targets) {
      all.add(new ChartLine(line.task, line.name, true, line.x, line.y));
    }
    return all;
  }

  /**
   * The upper edges of the tasks' bands, the first task at the bottom, the last task's, all ones,
   * first: bands are painted one over the other.
   */
  static List<ChartLine> stackedShares(StepTable.View history) {
    int[] steps = Extremes.of(history.size(), 1, (step, first) -> history.largestShare(step))[0];
    List<ChartLine> bands = new ArrayList<>();
    if (steps.length > 0) {
      for (int task = 0; task < history.tasks(); task++) {
        bands.add(line(history, task, steps, history::share));
      }
      for (int task = 1; task < bands.size(); task++) {
        ChartLine band = bands.get(task);
        double[] upper = MathArrays.ebeAdd(band.y, bands.get(task - 1).y);
        bands.set(task, new ChartLine(task, band.name, false, band.x, upper));
      }
      Collections.reverse(bands);
    }
    return bands;
  }

  private static ChartLine line(
      StepTable.View history, int task, int[] steps, Extremes.Value value) {
    double[] x = new double[steps.length];
    double[] y = new double[steps.length];
    for (int i = 0; i < steps.length; i++) {
      x[i] = history.increasing() ? history.iteration(steps[i]) : steps[i];
      y[i] = value.of(steps[i], task);
    }
    return new ChartLine(task, history.taskNames().get(task), false, x, y);
  }
}
