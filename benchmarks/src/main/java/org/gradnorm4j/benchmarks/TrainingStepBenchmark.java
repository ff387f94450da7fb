package org.gradnorm4j.benchmarks;

import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.gradnorm.GradNorm;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One training step of a three-layer ReLU trunk with one linear head per task, batch 128, plain
 * SGD: Deeplearning4j alone and with GradNorm attached.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
public class TrainingStepBenchmark {
  private static final int BATCH = 128;

  /** Width of the trunk. */
  @Param({"64", "512"})
  public int width;

  /** Number of tasks. */
  @Param({"2", "10"})
  public int tasks;

  private MultiDataSet batch;
  private ComputationGraph plain;
  private ComputationGraph balanced;

  /** Builds two equal networks, one of them with GradNorm. */
  @Setup
  public void setUp() {
    INDArray[] labels = new INDArray[tasks];
    for (int task = 0; task < tasks; task++) {
      labels[task] = Nd4j.randn(BATCH, width).muli(1 + task);
    }
    batch = new MultiDataSet(new INDArray[] {Nd4j.randn(BATCH, width)}, labels);
    plain = network();
    balanced = network();
    GradNorm.builder().build().attach(balanced);
  }

  private ComputationGraph network() {
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .updater(new Sgd(1e-4))
            .activation(Activation.RELU)
            .graphBuilder()
            .addInputs("in");
    String below = "in";
    for (String layer : new String[] {"fc1", "fc2", "shared"}) {
      graph.addLayer(layer, new DenseLayer.Builder().nIn(width).nOut(width).build(), below);
      below = layer;
    }
    String[] outputs = new String[tasks];
    for (int task = 0; task < tasks; task++) {
      outputs[task] = "task" + task;
      graph.addLayer(
          outputs[task],
          new OutputLayer.Builder(LossFunction.MSE)
              .nIn(width)
              .nOut(width)
              .activation(Activation.IDENTITY)
              .build(),
          below);
    }
    ComputationGraph net = new ComputationGraph(graph.setOutputs(outputs).build());
    net.init();
    return net;
  }

  /** Deeplearning4j alone. */
  @Benchmark
  public void plain() {
    plain.fit(batch);
  }

  /** With GradNorm attached: measuring, the update rule and the history included. */
  @Benchmark
  public void gradNorm() {
    balanced.fit(batch);
  }
}
