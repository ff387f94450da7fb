package org.gradnorm4j.gradnorm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
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
  /** Sections of the history of which a line keeps two steps each, once there are more. */
  static final int SECTIONS = 500;

  /** A value of a task in a step. */
  interface Value {
    double of(int step, int task);
  }

  /** One line per task, of the tasks that have a finite value. */
  static List<ChartLine> perTask(StepTable.View history, Value value) {
    List<ChartLine> lines = new ArrayList<>();
    for (int task = 0; task < history.tasks(); task++) {
      int index = task;
      IntToDoubleFunction ofStep = step -> value.of(step, index);
      int[] steps = extremes(history.size(), ofStep);
      if (steps.length > 0) {
        lines.add(line(history, task, steps, ofStep));
      }
    }
    return lines;
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
    int[] steps = extremes(history.size(), history::largestShare);
    List<ChartLine> bands = new ArrayList<>();
    if (steps.length > 0) {
      for (int task = 0; task < history.tasks(); task++) {
        int index = task;
        bands.add(line(history, task, steps, step -> history.share(step, index)));
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
      StepTable.View history, int task, int[] steps, IntToDoubleFunction value) {
    double[] x = new double[steps.length];
    double[] y = new double[steps.length];
    for (int i = 0; i < steps.length; i++) {
      x[i] = history.increasing() ? history.iteration(steps[i]) : steps[i];
      y[i] = value.applyAsDouble(steps[i]);
    }
    return new ChartLine(task, history.taskNames().get(task), false, x, y);
  }

  /**
   * The steps to draw: all with a finite value if they are few, else the first and the last, and of
   * each section those of the smallest and of the largest value.
   *
   * @return ascending
   */
  static int[] extremes(int steps, IntToDoubleFunction value) {
    SortedSet<Integer> kept = new TreeSet<>();
    int sections = Math.min(SECTIONS, (steps + 1) / 2);
    for (int section = 0; section < sections; section++) {
      int begin = (int) ((long) section * steps / sections);
      int end = (int) ((section + 1L) * steps / sections);
      addExtremes(begin, end, value, kept);
    }
    IntPredicate finite = step -> Double.isFinite(value.applyAsDouble(step));
    IntStream.range(0, steps).filter(finite).findFirst().ifPresent(kept::add);
    IntStream.range(0, steps)
        .map(i -> steps - 1 - i)
        .filter(finite)
        .findFirst()
        .ifPresent(kept::add);
    return kept.stream().mapToInt(step -> step).toArray();
  }

  private static void addExtremes(
      int begin, int end, IntToDoubleFunction value, SortedSet<Integer> kept) {
    int smallest = -1;
    int largest = -1;
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (int step = begin; step < end; step++) {
      double y = value.applyAsDouble(step);
      if (Double.isFinite(y) && y < min) {
        min = y;
        smallest = step;
      }
      if (Double.isFinite(y) && y >= max) { // of equals the last: two equal steps are both kept
        max = y;
        largest = step;
      }
    }
    if (largest >= 0) {
      kept.add(smallest);
      kept.add(largest);
    }
  }
}
