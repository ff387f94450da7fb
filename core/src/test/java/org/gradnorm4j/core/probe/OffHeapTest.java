package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What is held off-heap while the shape of the minibatch changes from step to step. */
class OffHeapTest {
  private static final int STEPS = 300;

  /** Beyond plain Deeplearning4j: kernels' arrays at their largest, replays' workspaces. */
  private static final long MORE_THAN_PLAIN = 4_000_000;

  /**
   * A network's trunk, which ends in the layer "w" or behind it, and sizes from 1 to 1 + varies.
   */
  private record Case(
      String name,
      InputType input,
      Consumer<GraphBuilder> trunk,
      IntFunction<long[]> features,
      IntFunction<long[]> labels,
      int varies) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> cases() {
    return Stream.of(
            new Case(
                "dense layer, Gram and direct",
                InputType.feedForward(128),
                g -> g.addLayer("w", dense(128), "in"),
                n -> new long[] {n, 128},
                n -> new long[] {n, 2},
                300),
            new Case(
                "dropout between W and the heads",
                InputType.feedForward(16),
                g -> g.addLayer("w", dense(128), "in").addLayer("drop", new DropoutLayer(0.7), "w"),
                n -> new long[] {n, 16},
                n -> new long[] {n, 2},
                400),
            new Case(
                "convolution",
                InputType.convolutional(8, 8, 2),
                g ->
                    g.addLayer(
                        "w",
                        new ConvolutionLayer.Builder(3, 3)
                            .nOut(16)
                            .activation(Activation.TANH)
                            .build(),
                        "in"),
                n -> new long[] {n, 2, 8, 8},
                n -> new long[] {n, 2},
                64),
            new Case(
                "series",
                InputType.recurrent(8),
                g ->
                    g.addLayer("w", new LSTM.Builder().nOut(32).build(), "in")
                        .addLayer("drop", new DropoutLayer(0.7), "w"),
                n -> new long[] {32, 8, n},
                n -> new long[] {32, 2, n},
                10))
        .map(Arguments::of);
  }

  private static DenseLayer dense(int width) {
    return new DenseLayer.Builder().nOut(width).activation(Activation.TANH).build();
  }

  private static ComputationGraph network(Case each) {
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .updater(new Sgd(1e-4))
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(each.input());
    each.trunk().accept(graph);
    String last = List.copyOf(graph.getVertices().keySet()).get(graph.getVertices().size() - 1);
    boolean series = each.input() instanceof InputType.InputTypeRecurrent;
    for (String task : List.of("a", "b", "c")) {
      graph.addLayer(
          task,
          series
              ? new RnnOutputLayer.Builder(LossFunction.MSE)
                  .nOut(2)
                  .activation(Activation.IDENTITY)
                  .build()
              : new OutputLayer.Builder(LossFunction.MSE)
                  .nOut(2)
                  .activation(Activation.IDENTITY)
                  .build(),
          last);
    }
    ComputationGraph net = new ComputationGraph(graph.setOutputs("a", "b", "c").build());
    net.init();
    return net;
  }

  /** In workspaces, and in arrays outside of them, those that await collection included. */
  private static long bytesHeld() {
    return Nd4j.getEnvironment().getDeviceCouner(0)
        + Nd4j.getWorkspaceManager().getAllWorkspacesForCurrentThread().stream()
            .mapToLong(MemoryWorkspace::getCurrentSize)
            .sum();
  }

  /**
   * The most that was held after a step, beyond what was held before the first. What plain
   * Deeplearning4j leaves to the garbage collector is the same for both, and small.
   */
  private static long train(Case each, ComputationGraph net) {
    long before = bytesHeld();
    long most = 0;
    Random random = new Random(1);
    for (int i = 0; i < STEPS; i++) {
      int n = 1 + random.nextInt(each.varies());
      Nd4j.getRandom().setSeed(i + 1);
      INDArray features = Nd4j.rand(DataType.FLOAT, each.features().apply(n));
      INDArray labels = Nd4j.rand(DataType.FLOAT, each.labels().apply(n));
      net.fit(new MultiDataSet(new INDArray[] {features}, new INDArray[] {labels, labels, labels}));
      features.close();
      labels.close();
      most = Math.max(most, bytesHeld() - before);
    }
    return most;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void threeHundredShapes_holdLittleMoreThanPlain_andTrainBitIdentically(Case each) {
    ComputationGraph plain = network(each);
    long ofPlain = train(each, plain);
    for (boolean gram : new boolean[] {false, true}) {
      ComputationGraph attached = network(each);
      int[] steps = new int[1];
      GradientNormProbe.attach(attached, List.of("w"), step -> steps[0]++).measureGram(gram);
      long ofAttached = train(each, attached);
      System.out.printf(
          Locale.ROOT,
          "%s%s: off-heap %,d bytes, plain %,d%n",
          each,
          gram ? ", Gram matrix" : "",
          ofAttached,
          ofPlain);
      assertThat(steps[0]).isEqualTo(STEPS);
      assertBitIdentical(attached.params(), plain.params());
      assertThat(ofAttached - ofPlain).isLessThan(MORE_THAN_PLAIN);
    }
  }
}
