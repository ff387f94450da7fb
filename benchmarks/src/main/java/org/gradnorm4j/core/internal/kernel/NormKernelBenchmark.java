package org.gradnorm4j.core.internal.kernel;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
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
 * The norms of all tasks, or the Gram matrix of their gradients, by one kernel, given what the
 * heads send back: the part of a step that grows with the number of tasks. Is in the kernels'
 * package, as they are core's own.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class NormKernelBenchmark {

  /** A layer after its forward pass, its kernel, and random epsilons. */
  @State(Scope.Benchmark)
  public abstract static class Kernel {
    /** Number of tasks. */
    @Param({"2", "10"})
    public int tasks;

    /** Of the parameters. */
    @Param({"FLOAT", "DOUBLE"})
    public DataType precision;

    private NormKernel kernel;
    private INDArray output;
    private INDArray[] epsilons;
    private double[] squaredNorms;
    private double[][] gram;

    void setUp(
        org.deeplearning4j.nn.conf.layers.Layer configuration,
        InputType type,
        int minibatch,
        DenseNormKernel.Method method) {
      MultiLayerNetwork net =
          new MultiLayerNetwork(
              new NeuralNetConfiguration.Builder()
                  .seed(1)
                  .dataType(precision)
                  .list()
                  .layer(configuration)
                  .layer(
                      new LossLayer.Builder(new LossMSE()).activation(Activation.IDENTITY).build())
                  .setInputType(type)
                  .build());
      net.init();
      Layer layer = net.getLayer(0);
      long[] shape = type.getShape(true);
      shape[0] = minibatch;
      layer.setInput(Nd4j.randn(precision, shape), LayerWorkspaceMgr.noWorkspaces());
      output = layer.activate(true, LayerWorkspaceMgr.noWorkspaces());
      kernel = NormKernels.of(layer, method).orElseThrow();
      epsilons = new INDArray[tasks];
      Arrays.setAll(epsilons, i -> Nd4j.randn(precision, output.shape()));
      squaredNorms = new double[tasks];
      gram = new double[tasks][tasks];
    }

    /** What a step does for the norms, in the forward and in the backward pass. */
    double[] norms() {
      Arrays.fill(squaredNorms, 0.0);
      kernel.forward(output);
      kernel.addSquaredNorms(epsilons, squaredNorms, LayerWorkspaceMgr.noWorkspaces());
      return squaredNorms;
    }

    /** Likewise for the Gram matrix, which has the norms on its diagonal. */
    double[][] gram() {
      for (double[] row : gram) {
        Arrays.fill(row, 0.0);
      }
      kernel.forward(output);
      kernel.addGram(epsilons, gram, LayerWorkspaceMgr.noWorkspaces());
      return gram;
    }
  }

  /** A dense layer with ReLU, by each method of its kernel. */
  public static class Dense extends Kernel {
    /** xᵀδ for each task, for all at once, by Gram matrices, or what the cost model chooses. */
    @Param({"DIRECT", "STACKED", "GRAM", "CHEAPEST"})
    public String method;

    /** Minibatch × width (in = out). */
    @Param({"100x100", "256x1024"})
    public String dense;

    /** Runs the forward pass. */
    @Setup
    public void setUp() {
      int width = sizes(dense)[1];
      setUp(
          new DenseLayer.Builder().nOut(width).activation(Activation.RELU).build(),
          InputType.feedForward(width),
          sizes(dense)[0],
          DenseNormKernel.Method.valueOf(method));
    }
  }

  /** A convolution 5 × 5 of images 12 × 12. */
  public static class Convolution extends Kernel {
    /** Minibatch × channels (in = out). */
    @Param({"256x10", "32x64"})
    public String images;

    /** Runs the forward pass. */
    @Setup
    public void setUp() {
      int channels = sizes(images)[1];
      setUp(
          new ConvolutionLayer.Builder(5, 5).nOut(channels).activation(Activation.RELU).build(),
          InputType.convolutional(12, 12, channels),
          sizes(images)[0],
          DenseNormKernel.Method.CHEAPEST);
    }
  }

  private static int[] sizes(String shape) {
    return Arrays.stream(shape.split("x")).mapToInt(Integer::parseInt).toArray();
  }

  /**
   * Of a dense layer.
   *
   * @param kernel see there
   * @return the squared norms
   */
  @Benchmark
  public double[] dense(Dense kernel) {
    return kernel.norms();
  }

  /**
   * Of a convolution.
   *
   * @param kernel see there
   * @return the squared norms
   */
  @Benchmark
  public double[] convolution(Convolution kernel) {
    return kernel.norms();
  }

  /**
   * Of a dense layer.
   *
   * @param kernel see there
   * @return the Gram matrix
   */
  @Benchmark
  public double[][] denseGram(Dense kernel) {
    return kernel.gram();
  }

  /**
   * Of a convolution.
   *
   * @param kernel see there
   * @return the Gram matrix
   */
  @Benchmark
  public double[][] convolutionGram(Convolution kernel) {
    return kernel.gram();
  }
}
