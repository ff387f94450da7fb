package org.gradnorm4j.history;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.gradnorm4j.history.HistoryCounts.Count;

/** Counts steps as they are recorded; see {@link HistoryCounts}. */
final class StepCounter {
  private long steps;
  private int firstIteration;
  private int firstEpoch;
  private Count skipped = Count.NONE;
  private Count notPositive = Count.NONE;
  private final Count[] absent;
  private final Count[] losses;
  private final Count[] norms;

  StepCounter(int tasks) {
    absent = none(tasks);
    losses = none(tasks);
    norms = none(tasks);
  }

  private static Count[] none(int tasks) {
    Count[] counts = new Count[tasks];
    Arrays.fill(counts, Count.NONE);
    return counts;
  }

  long steps() {
    return steps;
  }

  /** A step, as {@link RowList} keeps it. */
  void see(int iteration, int epoch, double[] cells, byte[] flags, Columns columns) {
    add(1, iteration, epoch);
    boolean positive = true;
    for (int task = 0; task < flags.length; task++) {
      positive &= cells[columns.inStep(task, Columns.LOSS_WEIGHT)] > 0.0;
      if ((flags[task] & RowList.PRESENT) == 0) {
        absent[task] = absent[task].and(iteration);
      } else {
        if (!Double.isFinite(cells[columns.inStep(task, Columns.LOSS)])) {
          losses[task] = losses[task].and(iteration);
        }
        if (!Double.isFinite(cells[columns.inStep(task, Columns.GRADIENT_NORM)])) {
          norms[task] = norms[task].and(iteration);
        }
      }
    }
    if ((flags[0] & RowList.SKIPPED) != 0) {
      skipped = skipped.and(iteration);
    }
    if (!positive) {
      notPositive = notPositive.and(iteration);
    }
  }

  /** Steps of which nothing else is known. */
  void add(long more, int iteration, int epoch) {
    if (steps == 0) {
      firstIteration = iteration;
      firstEpoch = epoch;
    }
    steps += more;
  }

  HistoryCounts counts() {
    return new HistoryCounts(
        steps,
        firstIteration,
        firstEpoch,
        skipped,
        notPositive,
        List.of(absent),
        List.of(losses),
        List.of(norms));
  }

  /**
   * Goes on from these.
   *
   * @throws IllegalArgumentException if they are not of as many tasks, or of fewer steps than were
   *     seen
   */
  void restore(HistoryCounts counts) {
    int tasks = absent.length;
    if (counts.steps() < steps
        || counts.absent().size() != tasks
        || counts.lossesNotFinite().size() != tasks
        || counts.normsNotFinite().size() != tasks) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "counts of %d steps and %d tasks must fit %d steps and %d tasks",
              counts.steps(),
              counts.absent().size(),
              steps,
              tasks));
    }
    steps = counts.steps();
    firstIteration = counts.firstIteration();
    firstEpoch = counts.firstEpoch();
    skipped = counts.skipped();
    notPositive = counts.notPositive();
    for (int task = 0; task < tasks; task++) {
      absent[task] = counts.absent().get(task);
      losses[task] = counts.lossesNotFinite().get(task);
      norms[task] = counts.normsNotFinite().get(task);
    }
  }
}
