package org.gradnorm4j.core;

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
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The norms of all tasks by one kernel, given what the heads send back: the part of a step that
 * grows with the number of tasks. Is in the kernels' package, as they are not public.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class NormKernelBenchmark {
  /** The kernel: the dense one by each of its methods, or that of convolutions. */
  public enum Kernel {
    /** xᵀδ for each task. */
    DENSE_DIRECT,
    /** xᵀ[δ_1 … δ_T]. */
    DENSE_STACKED,
    /** ⟨xxᵀ, δδᵀ⟩. */
    DENSE_GRAM,
    /** What the cost model chooses of these. */
    DENSE_CHEAPEST,
    /** 5 × 5 patches of the input, once. */
    CONVOLUTION
  }

  /** Which kernel. */
  @Param public Kernel kernel;

  /**
   * Minibatch × width (in = out), both squared for a convolution: N × channels × 12 × 12 images.
   */
  @Param({"100x100", "256x1024", "32x16"})
  public String shape;

  /** Number of tasks. */
  @Param({"2", "10"})
  public int tasks;

  /** Of the parameters. */
  @Param({"FLOAT", "DOUBLE"})
  public DataType precision;

  private NormKernel normKernel;
  private INDArray output;
  private INDArray[] epsilons;
  private double[] squaredNorms;

  /** A layer after its forward pass, and random epsilons. */
  @Setup(Level.Trial)
  public void setUp() {
    String[] sizes = shape.split("x");
    int n = Integer.parseInt(sizes[0]);
    int width = Integer.parseInt(sizes[1]);
    boolean convolution = kernel == Kernel.CONVOLUTION;
    var configuration =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .dataType(precision)
            .updater(new Sgd(1e-3))
            .list()
            .layer(
                convolution
                    ? new ConvolutionLayer.Builder(5, 5)
                        .nOut(width)
                        .activation(Activation.RELU)
                        .build()
                    : new DenseLayer.Builder().nOut(width).activation(Activation.RELU).build())
            .layer(new LossLayer.Builder(new LossMSE()).activation(Activation.IDENTITY).build())
            .setInputType(
                convolution
                    ? InputType.convolutional(12, 12, width)
                    : InputType.feedForward(width))
            .build();
    MultiLayerNetwork net = new MultiLayerNetwork(configuration);
    net.init();
    Layer layer = net.getLayer(0);
    INDArray input =
        convolution ? Nd4j.randn(precision, n, width, 12, 12) : Nd4j.randn(precision, n, width);
    layer.setInput(input, LayerWorkspaceMgr.noWorkspaces());
    output = layer.activate(true, LayerWorkspaceMgr.noWorkspaces());
    normKernel = NormKernels.of(layer, denseMethod()).orElseThrow();
    epsilons = new INDArray[tasks];
    Arrays.setAll(epsilons, i -> Nd4j.randn(precision, output.shape()));
    squaredNorms = new double[tasks];
  }

  private DenseNormKernel.Method denseMethod() {
    return switch (kernel) {
      case DENSE_DIRECT -> DenseNormKernel.Method.DIRECT;
      case DENSE_STACKED -> DenseNormKernel.Method.STACKED;
      case DENSE_GRAM -> DenseNormKernel.Method.GRAM;
      default -> DenseNormKernel.Method.CHEAPEST;
    };
  }

  /**
   * What a step does for the norms, in the forward and in the backward pass.
   *
   * @return the squared norms
   */
  @Benchmark
  public double[] norms() {
    Arrays.fill(squaredNorms, 0.0);
    normKernel.forward(output);
    normKernel.addSquaredNorms(epsilons, squaredNorms, LayerWorkspaceMgr.noWorkspaces());
    return squaredNorms;
  }
}
