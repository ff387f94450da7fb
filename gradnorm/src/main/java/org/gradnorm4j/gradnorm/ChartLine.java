package org.gradnorm4j.gradnorm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.commons.math3.util.MathArrays;

/**
 * A line of a chart: what is drawn of one value of one task, or of several together, over all
 * steps.
 *
 * @param place among the lines of its kind, from 0; it gives the line its colour
 * @param name of the task
 * @param kind what it is of
 * @param x iterations, ascending
 * @param y values, finite
 */
record ChartLine(int place, String name, Kind kind, double[] x, double[] y) {

  /** What a line is of. */
  enum Kind {
    /** The value of a task. */
    TASK,
    /** The target of a task; it has the colour of the task. */
    TARGET,
    /** The tasks that have no line of their own. */
    OTHERS
  }

  /**
   * One line per task, of the tasks that have a finite value; of many tasks as {@link ChartTasks}.
   */
  static List<ChartLine> perTask(StepTable.View history, Extremes.Value value) {
    return perTask(history, ChartTasks.outlying(history, value), value);
  }

  /** The values, then the targets of the same tasks. */
  static List<ChartLine> withTargets(
      StepTable.View history, Extremes.Value value, Extremes.Value target) {
    int[] tasks = ChartTasks.outlying(history, value);
    List<ChartLine> lines = perTask(history, tasks, value);
    lines.addAll(lines(history, tasks, target, Kind.TARGET));
    return lines;
  }

  private static List<ChartLine> perTask(
      StepTable.View history, int[] tasks, Extremes.Value value) {
    List<ChartLine> lines = lines(history, tasks, value, Kind.TASK);
    int[] others = ChartTasks.others(history, tasks);
    if (others.length > 0) {
      OtherTasks together = new OtherTasks(others, value);
      int[][] steps = Extremes.of(history.size(), OtherTasks.NAMES.length, together);
      for (int i = 0; i < steps.length; i++) {
        String name =
            String.format(Locale.ROOT, "%d others: %s", others.length, OtherTasks.NAMES[i]);
        add(lines, line(history, i, name, Kind.OTHERS, steps[i], i, together));
      }
    }
    return lines;
  }

  private static List<ChartLine> lines(
      StepTable.View history, int[] tasks, Extremes.Value value, Kind kind) {
    List<ChartLine> lines = new ArrayList<>();
    int[][] steps =
        Extremes.of(history.size(), tasks.length, (step, i) -> value.of(step, tasks[i]));
    for (int i = 0; i < tasks.length; i++) {
      String name = history.taskNames().get(tasks[i]);
      add(lines, line(history, i, name, kind, steps[i], tasks[i], value));
    }
    return lines;
  }

  private static void add(List<ChartLine> lines, ChartLine line) {
    if (line.x.length > 0) {
      lines.add(line);
    }
  }

  /**
   * The upper edges of the tasks' bands, the first task at the bottom, the last band's, all ones,
   * first: bands are painted one over the other. Of many tasks those with the largest shares, and
   * one band of all others.
   */
  static List<ChartLine> stackedShares(StepTable.View history) {
    int[] steps = Extremes.of(history.size(), 1, (step, first) -> history.largestShare(step))[0];
    if (steps.length == 0) {
      return List.of();
    }
    List<ChartLine> bands = new ArrayList<>();
    Extremes.Value share = new TaskShares(history);
    int[] tasks = ChartTasks.largest(history, share);
    for (int i = 0; i < tasks.length; i++) {
      String name = history.taskNames().get(tasks[i]);
      bands.add(line(history, i, name, Kind.TASK, steps, tasks[i], share));
    }
    int[] others = ChartTasks.others(history, tasks);
    if (others.length > 0) {
      Extremes.Value sum =
          (step, all) -> IntStream.of(others).mapToDouble(task -> share.of(step, task)).sum();
      bands.add(line(history, 0, others.length + " others", Kind.OTHERS, steps, 0, sum));
    }
    for (int i = 1; i < bands.size(); i++) {
      ChartLine band = bands.get(i);
      double[] upper = MathArrays.ebeAdd(band.y, bands.get(i - 1).y);
      bands.set(i, new ChartLine(band.place, band.name, band.kind, band.x, upper));
    }
    Collections.reverse(bands);
    return bands;
  }

  private static ChartLine line(
      StepTable.View history,
      int place,
      String name,
      Kind kind,
      int[] steps,
      int task,
      Extremes.Value value) {
    double[] x = new double[steps.length];
    double[] y = new double[steps.length];
    for (int i = 0; i < steps.length; i++) {
      x[i] = history.increasing() ? history.iteration(steps[i]) : steps[i];
      y[i] = value.of(steps[i], task);
    }
    return new ChartLine(place, name, kind, x, y);
  }
}
