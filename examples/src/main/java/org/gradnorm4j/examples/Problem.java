package org.gradnorm4j.examples;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;

/**
 * A network of several tasks, not trained yet, and its data.
 *
 * @param learner makes the network, with the same initial parameters each time
 * @param tasks by name, in the network's order
 * @param sharedLayer the layer on whose weights gradient norms are measured
 * @param train trained on
 * @param test never trained on
 */
record Problem(
    Supplier<Learner> learner,
    Map<String, TaskKind> tasks,
    String sharedLayer,
    Samples train,
    Samples test) {

  /** In a graph, the last layer that all outputs depend on. */
  static final String SHARED_LAYER = "shared";

  /**
   * A task per output of a graph.
   *
   * @param network its seed fixes the initial parameters; has a layer {@link #SHARED_LAYER}
   * @param kind of all tasks
   * @param train trained on
   * @param test never trained on
   */
  static Problem ofGraph(
      ComputationGraphConfiguration network, TaskKind kind, Samples train, Samples test) {
    Map<String, TaskKind> tasks = new LinkedHashMap<>();
    network.getNetworkOutputs().forEach(output -> tasks.put(output, kind));
    return new Problem(
        () -> new GraphLearner(network, tasks.values()), tasks, SHARED_LAYER, train, test);
  }

  /** Whether a loss is of the parameters alone. */
  boolean hasPenalty() {
    return tasks.containsValue(TaskKind.PENALTY);
  }
}
