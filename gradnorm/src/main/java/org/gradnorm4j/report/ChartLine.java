package org.gradnorm4j.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.commons.math3.util.MathArrays;
import org.gradnorm4j.history.HistoryView;
import org.gradnorm4j.history.TaskShares;
import org.gradnorm4j.weighting.Quantity;

/**
 * A line of a chart: what is drawn of one quantity of one task, or of several together, over all
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
    /** The value of a task, or of the step. */
    MAIN,
    /** What is drawn with it, as its target; it has the colour of the task. */
    DRAWN_WITH,
    /** The tasks that have no line of their own. */
    OTHERS
  }

  /**
   * One line per task, of the tasks that have a finite value, or one for the step; of many tasks as
   * {@link ChartTasks}. Then the same of what is drawn with it.
   */
  static List<ChartLine> of(HistoryView history, Quantity main, List<Quantity> drawnWith) {
    HistoryView.Value value = history.values(main);
    int[] tasks = main.isPerTask() ? ChartTasks.outlying(history, value) : new int[1];
    List<ChartLine> lines = lines(history, tasks, main, Kind.MAIN);
    if (main.isPerTask()) {
      addOthers(lines, history, tasks, value);
    }
    for (Quantity quantity : drawnWith) {
      lines.addAll(lines(history, tasks, quantity, Kind.DRAWN_WITH));
    }
    return lines;
  }

  private static void addOthers(
      List<ChartLine> lines, HistoryView history, int[] tasks, HistoryView.Value value) {
    int[] others = ChartTasks.others(history, tasks);
    if (others.length == 0) {
      return;
    }
    OtherTasks together = new OtherTasks(others, value);
    int[][] rows = Extremes.of(history, OtherTasks.NAMES.length, together);
    for (int i = 0; i < rows.length; i++) {
      String name = String.format(Locale.ROOT, "%d others: %s", others.length, OtherTasks.NAMES[i]);
      add(lines, line(history, i, name, Kind.OTHERS, rows[i], i, together));
    }
  }

  private static List<ChartLine> lines(
      HistoryView history, int[] tasks, Quantity quantity, Kind kind) {
    List<ChartLine> lines = new ArrayList<>();
    HistoryView.Value value = history.values(quantity);
    int[][] rows = Extremes.of(history, tasks.length, (row, i) -> value.of(row, tasks[i]));
    for (int i = 0; i < tasks.length; i++) {
      String name = quantity.isPerTask() ? history.taskNames().get(tasks[i]) : quantity.name();
      add(lines, line(history, i, name, kind, rows[i], tasks[i], value));
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
  static List<ChartLine> stackedShares(HistoryView history) {
    TaskShares share = history.shares();
    int[] rows = Extremes.of(history, 1, (row, first) -> share.largest(row))[0];
    if (rows.length == 0) {
      return List.of();
    }
    List<ChartLine> bands = new ArrayList<>();
    int[] tasks = ChartTasks.largest(history, share);
    for (int i = 0; i < tasks.length; i++) {
      String name = history.taskNames().get(tasks[i]);
      bands.add(line(history, i, name, Kind.MAIN, rows, tasks[i], share));
    }
    int[] others = ChartTasks.others(history, tasks);
    if (others.length > 0) {
      HistoryView.Value sum =
          (row, all) -> IntStream.of(others).mapToDouble(task -> share.of(row, task)).sum();
      bands.add(line(history, 0, others.length + " others", Kind.OTHERS, rows, 0, sum));
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
      HistoryView history,
      int place,
      String name,
      Kind kind,
      int[] rows,
      int task,
      HistoryView.Value value) {
    double[] x = new double[rows.length];
    double[] y = new double[rows.length];
    for (int i = 0; i < rows.length; i++) {
      x[i] = history.increasing() ? history.iteration(rows[i]) : history.number(rows[i]);
      y[i] = value.of(rows[i], task);
    }
    return new ChartLine(place, name, kind, x, y);
  }
}
