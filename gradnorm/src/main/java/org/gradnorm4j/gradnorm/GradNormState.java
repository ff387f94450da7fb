package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All that GradNorm remembers from one step to the next. Immutable by convention: who holds one
 * does not write into its arrays. Arrays are by task.
 *
 * @param steps measured steps so far, without the skipped ones
 * @param lossWeights λ_i for the next step
 * @param totalWeight Σ λ_i, which stays as it was at the start
 * @param frozen whether λ is to stay
 * @param updates number of weight updates the task took part in
 * @param optimizer state of the weights' optimiser
 * @param initialLosses see {@link InitialLosses}
 * @param averageLosses see {@link Smoothing}
 * @param averageNorms see {@link Smoothing}
 * @param lastKnown by task, the step its loss and norm are known from, see {@link TaskWindow}
 * @param skips by task and {@link SkipCause}, how many steps were skipped for it
 */
record GradNormState(
    int steps,
    double[] lossWeights,
    double totalWeight,
    boolean frozen,
    int[] updates,
    double[] optimizer,
    Tally initialLosses,
    Tally averageLosses,
    Tally averageNorms,
    int[] lastKnown,
    int[][] skips) {

  GradNormState withWeights(double[] weights, boolean freeze) {
    return new GradNormState(
        steps,
        weights,
        totalWeight,
        freeze,
        updates,
        optimizer,
        initialLosses,
        averageLosses,
        averageNorms,
        lastKnown,
        skips);
  }

  /** Under another sum. */
  GradNormState withTotal(double[] weights, double total) {
    return new GradNormState(
        steps,
        weights,
        total,
        frozen,
        updates,
        optimizer,
        initialLosses,
        averageLosses,
        averageNorms,
        lastKnown,
        skips);
  }

  /** With another state of the weights' optimiser. */
  GradNormState withOptimizer(int[] counts, double[] moments) {
    return moved(lossWeights, counts, moments);
  }

  /** As if nothing had been averaged; what tasks are compared by is in the averages. */
  GradNormState withoutAverages() {
    int tasks = lossWeights.length;
    return new GradNormState(
        steps,
        lossWeights,
        totalWeight,
        frozen,
        updates,
        optimizer,
        initialLosses,
        Tally.empty(tasks),
        Tally.empty(tasks),
        new int[tasks],
        skips);
  }

  /** One more step, with what it showed. */
  GradNormState seen(Tally initial, Tally losses, Tally norms, int[] known) {
    return new GradNormState(
        steps + 1,
        lossWeights,
        totalWeight,
        frozen,
        updates,
        optimizer,
        initial,
        losses,
        norms,
        known,
        skips);
  }

  /** With other weights, after a step of their optimiser. */
  GradNormState moved(double[] weights, TaskwiseOptimizer.Step taken) {
    return moved(weights, taken.counts(), taken.state());
  }

  private GradNormState moved(double[] weights, int[] counts, double[] moments) {
    return new GradNormState(
        steps,
        weights,
        totalWeight,
        frozen,
        counts,
        moments,
        initialLosses,
        averageLosses,
        averageNorms,
        lastKnown,
        skips);
  }

  /** One more skipped step, for these causes. */
  GradNormState skipped(List<String> taskNames, Map<String, Set<SkipCause>> causes) {
    int[][] more = Arrays.stream(skips).map(int[]::clone).toArray(int[][]::new);
    causes.forEach(
        (task, why) -> why.forEach(cause -> more[taskNames.indexOf(task)][cause.ordinal()]++));
    return new GradNormState(
        steps,
        lossWeights,
        totalWeight,
        frozen,
        updates,
        optimizer,
        initialLosses,
        averageLosses,
        averageNorms,
        lastKnown,
        more);
  }
}
