package org.gradnorm4j.testing;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Graphs of 4 inputs with a trunk of 6 and a regression of 2 numbers for each task. */
public final class Networks {
  private Networks() {}

  public static ComputationGraph network(String... tasks) {
    GraphBuilder trunk =
        new NeuralNetConfiguration.Builder()
            .seed(3)
            .dataType(DataType.DOUBLE)
            .updater(new Adam(0.01))
            .graphBuilder()
            .addInputs("in")
            .addLayer(
                "trunk",
                new DenseLayer.Builder().nIn(4).nOut(6).activation(Activation.TANH).build(),
                "in");
    return withHeads(trunk, tasks);
  }

  /**
   * Initialised.
   *
   * @param trunk with a layer "trunk" of 6. Modified
   */
  public static ComputationGraph withHeads(GraphBuilder trunk, String... tasks) {
    for (String task : tasks) {
      trunk.addLayer(
          task,
          new OutputLayer.Builder(LossFunction.MSE)
              .nIn(6)
              .nOut(2)
              .activation(Activation.IDENTITY)
              .build(),
          "trunk");
    }
    ComputationGraph net = new ComputationGraph(trunk.setOutputs(tasks).build());
    net.init();
    return net;
  }
}
