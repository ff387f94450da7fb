package org.gradnorm4j.report;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.gradnorm4j.history.HistoryView;

/**
 * Which tasks of a chart have a line of their own: all, while they can be told apart; of more,
 * those that reach the largest and those that reach the smallest values. Of the others the chart
 * shows in between what they are.
 */
final class ChartTasks {
  /** Two for each colour. */
  static final int MOST = 20;

  /** Of each end, where there are more. */
  static final int OUTLYING = 5;

  private ChartTasks() {}

  /** Those whose largest value is largest, and those whose smallest is smallest; ascending. */
  static int[] outlying(HistoryView history, HistoryView.Value value) {
    if (history.tasks() <= MOST) {
      return IntStream.range(0, history.tasks()).toArray();
    }
    double[][] range = range(history, value);
    Integer[] byLargest = sorted(range[1], Comparator.reverseOrder());
    Integer[] bySmallest = sorted(range[0], Comparator.naturalOrder());
    return IntStream.concat(first(byLargest, OUTLYING), first(bySmallest, OUTLYING))
        .distinct()
        .sorted()
        .toArray();
  }

  /** As many, those whose largest value is largest; ascending. */
  static int[] largest(HistoryView history, HistoryView.Value value) {
    return history.tasks() <= MOST
        ? IntStream.range(0, history.tasks()).toArray()
        : first(sorted(range(history, value)[1], Comparator.reverseOrder()), 2 * OUTLYING)
            .sorted()
            .toArray();
  }

  /** All tasks but these. */
  static int[] others(HistoryView history, int[] tasks) {
    return IntStream.range(0, history.tasks())
        .filter(task -> Arrays.binarySearch(tasks, task) < 0)
        .toArray();
  }

  private static IntStream first(Integer[] tasks, int count) {
    return Arrays.stream(tasks).limit(count).mapToInt(Integer::intValue);
  }

  private static Integer[] sorted(double[] values, Comparator<Double> order) {
    return IntStream.range(0, values.length)
        .boxed()
        .filter(task -> Double.isFinite(values[task]))
        .sorted(Comparator.comparing(task -> values[task], order))
        .toArray(Integer[]::new);
  }

  /** The smallest finite value of each task, then the largest; infinite if it has none. */
  private static double[][] range(HistoryView history, HistoryView.Value value) {
    double[] smallest = new double[history.tasks()];
    double[] largest = new double[history.tasks()];
    Arrays.fill(smallest, Double.POSITIVE_INFINITY);
    Arrays.fill(largest, Double.NEGATIVE_INFINITY);
    for (int row = 0; row < history.size(); row++) {
      for (int task = 0; task < smallest.length; task++) {
        double x = value.of(row, task);
        if (Double.isFinite(x)) {
          smallest[task] = Math.min(smallest[task], x);
          largest[task] = Math.max(largest[task], x);
        }
      }
    }
    return new double[][] {smallest, largest};
  }
}
