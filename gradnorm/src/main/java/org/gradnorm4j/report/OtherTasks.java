package org.gradnorm4j.report;

import java.util.Arrays;
import org.gradnorm4j.history.HistoryView;

/**
 * What some tasks are together in a step: the smallest, the median and the largest of their finite
 * values, as if these were three tasks. Asked step by step: keeps the values of one step.
 */
final class OtherTasks implements HistoryView.Value {
  /** Of the smallest, the median and the largest. */
  static final String[] NAMES = {"smallest", "median", "largest"};

  private final int[] tasks;
  private final HistoryView.Value value;
  private final double[] ofStep = new double[NAMES.length];
  private int step = -1;

  /**
   * Of these tasks.
   *
   * @param tasks their numbers; not modified
   * @param value of a task in a step
   */
  OtherTasks(int[] tasks, HistoryView.Value value) {
    this.tasks = tasks;
    this.value = value;
  }

  @Override
  public double of(int wanted, int which) {
    if (wanted != step) {
      step = wanted;
      double[] values =
          Arrays.stream(tasks)
              .mapToDouble(task -> value.of(wanted, task))
              .filter(Double::isFinite)
              .sorted()
              .toArray();
      int count = values.length;
      ofStep[0] = count == 0 ? Double.NaN : values[0];
      ofStep[1] = count == 0 ? Double.NaN : (values[(count - 1) / 2] + values[count / 2]) / 2.0;
      ofStep[2] = count == 0 ? Double.NaN : values[count - 1];
    }
    return ofStep[which];
  }
}
