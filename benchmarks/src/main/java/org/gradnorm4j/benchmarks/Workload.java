package org.gradnorm4j.benchmarks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The networks that are timed, each with a minibatch of random numbers. They train by SGD, so that
 * the updater hides nothing.
 */
public enum Workload {
  /** 250 → 4 × 100 ReLU, heads 100 → 100, squared error. */
  MLP_SMALL("mlp-small", List.of(2, 10), 100, InputType.feedForward(250)) {
    @Override
    String trunk(GraphBuilder graph) {
      return dense(graph, dense(graph, "in", 3, 100), SHARED, 100);
    }

    @Override
    void head(GraphBuilder graph, String name, String below) {
      graph.addLayer(
          name,
          new OutputLayer.Builder(LossFunction.MSE)
              .nOut(100)
              .activation(Activation.IDENTITY)
              .build(),
          below);
    }
  },

  /** 256 → 3 × 1024 ReLU, heads 1024 → 64 ReLU → 10 softmax. */
  MLP_WIDE("mlp-wide", List.of(2, 4, 10, 40), 256, InputType.feedForward(256)) {
    @Override
    String trunk(GraphBuilder graph) {
      return dense(graph, dense(graph, "in", 2, 1024), SHARED, 1024);
    }

    @Override
    void head(GraphBuilder graph, String name, String below) {
      softmax(graph, name, dense(graph, below, name + "-hidden", 64));
    }
  },

  /** 28 × 28 → conv 5 × 5 × 10, pool, ReLU → conv 5 × 5 × 20, pool, ReLU → 50, heads 50 → 10. */
  LENET("lenet", List.of(2), 256, InputType.convolutional(28, 28, 1)) {
    @Override
    String trunk(GraphBuilder graph) {
      convolution(graph, "in", "conv1", 10);
      convolution(graph, pooled(graph, "conv1"), "conv2", 20);
      return dense(graph, pooled(graph, "conv2"), SHARED, 50);
    }

    @Override
    void head(GraphBuilder graph, String name, String below) {
      softmax(graph, name, below);
    }
  },

  /** The same up to the second convolution, which is W; pool, ReLU, 50 and 10 for each head. */
  LENET_CONV("lenet-conv", List.of(2, 4), 256, InputType.convolutional(28, 28, 1)) {
    @Override
    String trunk(GraphBuilder graph) {
      convolution(graph, "in", "conv1", 10);
      convolution(graph, pooled(graph, "conv1"), SHARED, 20);
      return SHARED;
    }

    @Override
    void head(GraphBuilder graph, String name, String below) {
      graph
          .addLayer(name + "-pool", maxPool(), below)
          .addLayer(name + "-relu", new ActivationLayer(Activation.RELU), name + "-pool");
      softmax(graph, name, dense(graph, name + "-relu", name + "-hidden", 50));
    }
  };

  /** The layer whose weights are W. */
  static final String SHARED = "shared";

  private final String label;
  private final List<Integer> tasks;
  private final int batchSize;
  private final InputType input;

  Workload(String label, List<Integer> tasks, int batchSize, InputType input) {
    this.label = label;
    this.tasks = tasks;
    this.batchSize = batchSize;
    this.input = input;
  }

  abstract String trunk(GraphBuilder graph);

  abstract void head(GraphBuilder graph, String name, String below);

  /** The numbers of tasks it is timed with. */
  List<Integer> tasks() {
    return tasks;
  }

  /** A new network; the same parameters each time. */
  ComputationGraph network(int tasks, DataType precision) {
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .dataType(precision)
            .updater(new Sgd(1e-3))
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(input);
    String top = trunk(graph);
    List<String> outputs = new ArrayList<>();
    for (int task = 0; task < tasks; task++) {
      outputs.add("task" + task);
      head(graph, outputs.get(task), top);
    }
    ComputationGraph net =
        new ComputationGraph(graph.setOutputs(outputs.toArray(String[]::new)).build());
    net.init();
    return net;
  }

  /** Random features; labels that sum to 1, which fit every loss here. */
  MultiDataSet batch(ComputationGraph net, DataType precision) {
    Nd4j.getRandom().setSeed(2);
    long[] shape = input.getShape(true);
    shape[0] = batchSize;
    INDArray features = Nd4j.randn(precision, shape);
    INDArray[] labels =
        Arrays.stream(net.output(features))
            .map(output -> Nd4j.rand(precision, output.shape()))
            .map(random -> random.divColumnVector(random.sum(1)))
            .toArray(INDArray[]::new);
    return new MultiDataSet(new INDArray[] {features}, labels);
  }

  private static String dense(GraphBuilder graph, String below, int layers, int width) {
    String top = below;
    for (int i = 1; i <= layers; i++) {
      top = dense(graph, top, "fc" + i, width);
    }
    return top;
  }

  private static String dense(GraphBuilder graph, String below, String name, int width) {
    graph.addLayer(
        name, new DenseLayer.Builder().nOut(width).activation(Activation.RELU).build(), below);
    return name;
  }

  private static void convolution(GraphBuilder graph, String below, String name, int channels) {
    graph.addLayer(
        name,
        new ConvolutionLayer.Builder(5, 5).nOut(channels).activation(Activation.IDENTITY).build(),
        below);
  }

  private static SubsamplingLayer maxPool() {
    return new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build();
  }

  private static String pooled(GraphBuilder graph, String below) {
    graph
        .addLayer(below + "-pool", maxPool(), below)
        .addLayer(below + "-relu", new ActivationLayer(Activation.RELU), below + "-pool");
    return below + "-relu";
  }

  private static void softmax(GraphBuilder graph, String name, String below) {
    graph.addLayer(
        name,
        new OutputLayer.Builder(LossFunction.MCXENT)
            .nOut(10)
            .activation(Activation.SOFTMAX)
            .build(),
        below);
  }

  /** The name in reports and options. */
  @Override
  public String toString() {
    return label;
  }
}
