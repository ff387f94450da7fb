package org.gradnorm4j.gradnorm;

/** The shares of the tasks in the gradient. Asked step by step: keeps the sum of one step. */
final class TaskShares implements Extremes.Value {
  private final StepTable.View history;
  private double total;
  private int step = -1;

  TaskShares(StepTable.View history) {
    this.history = history;
  }

  /** As {@link StepTable.View#share}, which adds up all tasks for each. */
  @Override
  public double of(int wanted, int task) {
    if (wanted != step) {
      step = wanted;
      total = history.totalGradientNorm(wanted);
    }
    return history.weightedGradientNormOrZero(wanted, task) / total;
  }
}
