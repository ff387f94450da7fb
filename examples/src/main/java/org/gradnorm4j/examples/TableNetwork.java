package org.gradnorm4j.examples;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/**
 * A multi-layer perceptron for a table: ReLU layers that all tasks share, then ReLU layers and an
 * output of each task's own. Squared error for a number, softmax and cross-entropy for a text.
 *
 * @param trunk widths of the shared layers, at least one
 * @param heads widths of each task's own hidden layers; may be empty
 * @param learningRate of Adam
 */
record TableNetwork(List<Integer> trunk, List<Integer> heads, double learningRate) {

  /** What the last shared layer is called in a network with these targets. */
  static String sharedLayer(Set<String> targets) {
    return free(Problem.SHARED_LAYER, targets);
  }

  /** A name like the one given that no target has. */
  private static String free(String name, Set<String> targets) {
    String free = name;
    while (targets.contains(free)) {
      free += "_";
    }
    return free;
  }

  /**
   * The network.
   *
   * @param encoding of inputs and targets
   * @param targets all of the table's, so that names are the same in a network with some of them
   * @param seed of the initial parameters
   */
  ComputationGraphConfiguration configuration(
      TableEncoding encoding, Set<String> targets, long seed) {
    String inputs = free("inputs", targets);
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(seed)
            .dataType(DataType.FLOAT)
            .updater(new Adam(learningRate))
            .weightInit(WeightInit.RELU)
            .graphBuilder()
            .addInputs(inputs);
    String below = inputs;
    int width = encoding.width();
    for (int i = 0; i < trunk.size(); i++) {
      boolean last = i == trunk.size() - 1;
      String name = last ? sharedLayer(targets) : free("trunk" + (i + 1), targets);
      graph.addLayer(name, relu(width, trunk.get(i)), below);
      below = name;
      width = trunk.get(i);
    }
    for (TableEncoding.Column target : encoding.targets()) {
      addHead(graph, target, below, width, targets);
    }
    return graph
        .setOutputs(
            encoding.targets().stream().map(TableEncoding.Column::name).toArray(String[]::new))
        .build();
  }

  private void addHead(
      GraphBuilder graph,
      TableEncoding.Column target,
      String shared,
      int sharedWidth,
      Set<String> targets) {
    String below = shared;
    int width = sharedWidth;
    for (int i = 0; i < heads.size(); i++) {
      String name = free(String.format(Locale.ROOT, "%s-head%d", target.name(), i + 1), targets);
      graph.addLayer(name, relu(width, heads.get(i)), below);
      below = name;
      width = heads.get(i);
    }
    OutputLayer.Builder output =
        target.isNumeric()
            ? new OutputLayer.Builder(new LossMSE()).activation(Activation.IDENTITY)
            : new OutputLayer.Builder(new LossMCXENT()).activation(Activation.SOFTMAX);
    graph.addLayer(
        target.name(),
        output.weightInit(WeightInit.XAVIER).nIn(width).nOut(target.width()).build(),
        below);
  }

  private static DenseLayer relu(int in, int out) {
    return new DenseLayer.Builder().nIn(in).nOut(out).activation(Activation.RELU).build();
  }
}
