package org.gradnorm4j.gradnorm;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Finds L_i(0). The tally has, by task, the sum over the steps averaged so far and their number;
 * pure functions of it.
 */
final class InitialLosses {
  /** GradNorm divides by it: smaller counts as none. */
  static final double SMALLEST = 1e-30;

  private final List<String> taskNames;
  private final List<InitialLossSource> sources;

  /**
   * For the tasks of a network.
   *
   * @param uninformed as {@code Tasks.uninformedLosses()} has them
   * @throws IllegalArgumentException if an uninformed loss is wanted that is not known
   */
  InitialLosses(List<String> taskNames, List<InitialLossSource> sources, double[] uninformed) {
    this.taskNames = taskNames;
    this.sources = sources;
    for (int i = 0; i < uninformed.length; i++) {
      if (sources.get(i).kind() == InitialLossSource.Kind.UNINFORMED
          && Double.isNaN(uninformed[i])) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "task '%s': the loss of an uninformed output is known for softmax or sigmoid cross-entropy without class weights only. Use InitialLoss.of(...), or measure it with InitialLoss.first()",
                taskNames.get(i)));
      }
    }
  }

  Tally init() {
    Tally tally = Tally.empty(sources.size());
    for (int i = 0; i < sources.size(); i++) {
      if (sources.get(i).kind() == InitialLossSource.Kind.GIVEN) {
        tally.sums()[i] = sources.get(i).value();
        tally.counts()[i] = 1;
      }
    }
    return tally;
  }

  /**
   * Takes a step's losses for the tasks that are not done yet.
   *
   * @param uninformed what the losses of an uninformed output would have been
   * @throws IllegalStateException if an initial loss is too small to divide by; names the task
   */
  Tally add(Tally tally, double[] losses, boolean[] present, double[] uninformed) {
    if (IntStream.range(0, losses.length).noneMatch(i -> present[i] && wants(tally, i))) {
      return tally;
    }
    Tally next = tally.copy();
    for (int i = 0; i < losses.length; i++) {
      if (present[i] && wants(tally, i)) {
        next.sums()[i] +=
            sources.get(i).kind() == InitialLossSource.Kind.UNINFORMED ? uninformed[i] : losses[i];
        next.counts()[i]++;
        check(i, next.sums()[i] / next.counts()[i]);
      }
    }
    return next;
  }

  private boolean wants(Tally tally, int task) {
    return tally.counts()[task] < Math.max(1, sources.get(task).steps());
  }

  private void check(int task, double loss) {
    if (!(loss >= SMALLEST)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "task '%s': initial loss (%s) must be >= %s, GradNorm divides by it. Set lossShift or lossFloor for the task, or its initialLoss",
              taskNames.get(task),
              loss,
              SMALLEST));
    }
  }

  /** L_i(0), NaN for a task that has not been seen yet. */
  static double[] values(Tally tally) {
    return IntStream.range(0, tally.sums().length)
        .mapToDouble(i -> tally.counts()[i] == 0 ? Double.NaN : tally.sums()[i] / tally.counts()[i])
        .toArray();
  }
}
