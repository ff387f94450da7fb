package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import org.gradnorm4j.optimizer.TaskwiseOptimizer;

/**
 * All that the rule remembers from one step to the next, beside the weights. Immutable by
 * convention: who holds one does not write into its arrays. Arrays are by task.
 *
 * @param steps measured steps so far, without the skipped ones
 * @param totalWeight Σ λ_i, which stays as it was at the start
 * @param updates number of weight updates the task took part in
 * @param optimizer state of the weights' optimiser
 * @param initialLosses see {@link InitialLosses}
 * @param averageLosses see {@link Smoothing}
 * @param averageNorms see {@link Smoothing}
 * @param lastKnown by task, the step its loss and norm are known from, see {@link TaskWindow}
 */
record GradNormState(
    int steps,
    double totalWeight,
    int[] updates,
    double[] optimizer,
    Tally initialLosses,
    Tally averageLosses,
    Tally averageNorms,
    int[] lastKnown) {

  GradNormState {
    require(steps >= 0, "steps");
    require(totalWeight > 0.0 && Double.isFinite(totalWeight), "totalWeight");
    require(Arrays.stream(updates).allMatch(count -> count >= 0), "updates");
    require(Arrays.stream(optimizer).allMatch(Double::isFinite), "optimizer");
    require(lastKnown.length == updates.length, "lastKnown");
    for (Tally tally : new Tally[] {initialLosses, averageLosses, averageNorms}) {
      require(tally.counts().length == updates.length, "averages");
    }
    for (int i = 0; i < lastKnown.length; i++) {
      boolean known =
          lastKnown[i] > 0
              && lastKnown[i] <= steps
              && initialLosses.counts()[i] > 0
              && averageLosses.counts()[i] > 0
              && averageNorms.counts()[i] > 0;
      require(known || lastKnown[i] == 0, "lastKnown");
    }
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new IllegalArgumentException(what + " is not one that GradNorm can have");
    }
  }

  /** Under another sum. */
  GradNormState withTotal(double total) {
    return new GradNormState(
        steps, total, updates, optimizer, initialLosses, averageLosses, averageNorms, lastKnown);
  }

  /** With another state of the weights' optimiser. */
  GradNormState withOptimizer(int[] counts, double[] moments) {
    return new GradNormState(
        steps, totalWeight, counts, moments, initialLosses, averageLosses, averageNorms, lastKnown);
  }

  /** As if nothing had been averaged; what tasks are compared by is in the averages. */
  GradNormState withoutAverages() {
    int tasks = updates.length;
    return new GradNormState(
        steps,
        totalWeight,
        updates,
        optimizer,
        initialLosses,
        Tally.empty(tasks),
        Tally.empty(tasks),
        new int[tasks]);
  }

  /** One more step, with what it showed. */
  GradNormState seen(Tally initial, Tally losses, Tally norms, int[] known) {
    return new GradNormState(
        steps + 1, totalWeight, updates, optimizer, initial, losses, norms, known);
  }

  /** After a step of the optimiser. */
  GradNormState moved(TaskwiseOptimizer.Step taken) {
    return withOptimizer(taken.counts(), taken.state());
  }
}
