package org.gradnorm4j.persist;

import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How far a network is. Listeners are called before Deeplearning4j counts the iteration or epoch
 * that has ended, and before it applies the layers' constraints: what they save must be ahead of
 * the network in that. Internal to the library.
 *
 * @param iterations Deeplearning4j's count of iterations
 * @param epochs Deeplearning4j's count of epochs
 * @param constrain whether constraints are due
 */
public record StepCounts(int iterations, int epochs, boolean constrain) {

  /** Saves something. */
  @FunctionalInterface
  public interface Action {
    /**
     * Saves it.
     *
     * @throws IOException if it cannot be saved
     */
    void run() throws IOException;
  }

  /**
   * How far a network is now.
   *
   * @param model a ComputationGraph or MultiLayerNetwork
   * @return its counts
   * @throws IllegalArgumentException if it is neither
   */
  public static StepCounts of(Model model) {
    if (model instanceof ComputationGraph graph) {
      ComputationGraphConfiguration counts = graph.getConfiguration();
      return new StepCounts(counts.getIterationCount(), counts.getEpochCount(), false);
    }
    MultiLayerConfiguration counts = network(model).getLayerWiseConfigurations();
    return new StepCounts(counts.getIterationCount(), counts.getEpochCount(), false);
  }

  /**
   * When the iteration that is under way is over.
   *
   * @return counts; constraints are due
   */
  public StepCounts afterIteration() {
    return new StepCounts(iterations + 1, epochs, true);
  }

  /**
   * When the epoch that is under way is over.
   *
   * @return counts
   */
  public StepCounts afterEpoch() {
    return new StepCounts(iterations, epochs + 1, false);
  }

  /**
   * Does something while the network is this far; then it is again where it was.
   *
   * @param model its counts and parameters are changed, and changed back
   * @param action done at once
   * @throws IOException from the action
   */
  public void during(Model model, Action action) throws IOException {
    StepCounts before = of(model);
    INDArray parameters = constrain && hasConstraints(model) ? model.params().dup() : null;
    set(model);
    try {
      if (parameters != null) {
        model.applyConstraints(iterations, epochs);
      }
      action.run();
    } finally {
      before.set(model);
      if (parameters != null) {
        model.params().assign(parameters);
      }
    }
  }

  private static boolean hasConstraints(Model model) {
    Layer[] layers =
        model instanceof ComputationGraph graph ? graph.getLayers() : network(model).getLayers();
    return Arrays.stream(layers)
        .map(layer -> layer.conf().getLayer().getConstraints())
        .anyMatch(constraints -> constraints != null && !constraints.isEmpty());
  }

  private void set(Model model) {
    if (model instanceof ComputationGraph graph) {
      graph.getConfiguration().setIterationCount(iterations);
      graph.getConfiguration().setEpochCount(epochs);
    } else {
      network(model).getLayerWiseConfigurations().setIterationCount(iterations);
      network(model).getLayerWiseConfigurations().setEpochCount(epochs);
    }
  }

  private static MultiLayerNetwork network(Model model) {
    if (model instanceof MultiLayerNetwork network) {
      return network;
    }
    throw new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "%s is neither a ComputationGraph nor a MultiLayerNetwork, and has no step counts",
            model.getClass().getSimpleName()));
  }
}
