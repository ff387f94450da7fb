package org.gradnorm4j.examples;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A run as {@code summary.json} has it. A value that has no meaning, or is not a finite number, is
 * null, and absent from the file.
 *
 * @param command that was run
 * @param balancer name of the balancer
 * @param seed of data, initial parameters and minibatches
 * @param alpha of GradNorm; null for another balancer
 * @param steps trained
 * @param seconds spent in training, evaluation left out
 * @param tasks by name, in the network's order
 * @param normalizedTestLoss Σ_i L_i / L_i(0) on the test examples; null if a loss is a penalty
 */
record RunSummary(
    String command,
    String balancer,
    long seed,
    Double alpha,
    int steps,
    double seconds,
    Map<String, Task> tasks,
    Double normalizedTestLoss) {

  /**
   * One task at the end of the run.
   *
   * @param lossWeight λ_i after the last step
   * @param trainLoss mean over the training examples; of a penalty, its value
   * @param testLoss mean over the test examples; null for a penalty
   * @param testAccuracy null if the task is not a classification
   */
  record Task(Double lossWeight, Double trainLoss, Double testLoss, Double testAccuracy) {}

  static Map<String, Task> tasks(
      Map<String, TaskKind> kinds, Weighting weighting, Trainer.Result result) {
    Map<String, Task> tasks = new LinkedHashMap<>();
    Map<String, Double> lossWeights = weighting.lossWeights();
    for (Map.Entry<String, TaskKind> task : kinds.entrySet()) {
      int i = tasks.size();
      tasks.put(
          task.getKey(),
          new Task(
              finite(lossWeights.getOrDefault(task.getKey(), 1.0)),
              finite(result.train().losses()[i]),
              task.getValue() == TaskKind.PENALTY ? null : finite(result.test().losses()[i]),
              finite(result.test().accuracies()[i])));
    }
    return tasks;
  }

  /** JSON has no NaN and no infinity. */
  static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
