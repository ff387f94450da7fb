package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** What chooses the loss weights of one network in one run. */
interface Weighting {

  /** For a network with one loss: plain Deeplearning4j, nothing to choose and nothing to record. */
  static Weighting none() {
    return new Weighting() {};
  }

  /** Chooses the network's loss weights from now on. */
  default void attach(ComputationGraph net) {}

  /** Chooses the network's loss weights from now on. */
  default void attach(MultiLayerNetwork net) {}

  /** The network is plain Deeplearning4j again. */
  default void detach() {}

  /** λ_i of the next step, by task; empty if there is nothing to choose. */
  default Map<String, Double> lossWeights() {
    return Map.of();
  }

  /** Writes a table of all steps, if there is one; the files written. */
  default List<Path> writeHistory(Path file) throws IOException {
    return List.of();
  }

  /** Writes a page with charts of all steps, if there is one; the files written. */
  default List<Path> writeReport(Path file) throws IOException {
    return List.of();
  }
}
