package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.modelimport.keras.KerasModelImport;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.gradnorm4j.core.StepMeasurement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Graphs and settings that users come with, beside those of the matrix. */
class GraphShapesTest {
  private static final int BATCH = 4;

  private static NeuralNetConfiguration.Builder settings() {
    return new NeuralNetConfiguration.Builder()
        .seed(7)
        .dataType(DataType.DOUBLE)
        .activation(Activation.TANH)
        .updater(new Adam(0.01));
  }

  private static ComputationGraph init(GraphBuilder graph) {
    ComputationGraph net = new ComputationGraph(graph.build());
    net.init();
    return net;
  }

  private static DenseLayer dense() {
    return new DenseLayer.Builder().nOut(4).build();
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nOut(3)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static ConvolutionLayer convolution(int size, int out) {
    return new ConvolutionLayer.Builder(size, size)
        .nOut(out)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static GraphBuilder twoHeads(NeuralNetConfiguration.Builder settings) {
    return settings
        .graphBuilder()
        .addInputs("in")
        .setInputTypes(InputType.feedForward(4))
        .addLayer("fc1", dense(), "in")
        .addLayer("fc2", dense(), "fc1")
        .addLayer("a", output(), "fc2")
        .addLayer("b", output(), "fc2")
        .setOutputs("a", "b");
  }

  private static MultiDataSet batch(ComputationGraph net, long seed, long[]... inputShapes) {
    Nd4j.getRandom().setSeed(seed);
    INDArray[] features = new INDArray[inputShapes.length];
    for (int i = 0; i < features.length; i++) {
      features[i] = Nd4j.randn(DataType.DOUBLE, inputShapes[i]).castTo(net.params().dataType());
    }
    INDArray[] outputs = net.output(features);
    INDArray[] labels = new INDArray[outputs.length];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = Nd4j.rand(net.params().dataType(), outputs[i].shape());
    }
    return new MultiDataSet(features, labels);
  }

  private static ComputationGraph copy(ComputationGraph model) {
    ComputationGraph copy = new ComputationGraph(model.getConfiguration().clone());
    copy.init(model.params().dup(), false);
    return copy;
  }

  /** Trains three steps beside plain DL4J and compares norms and parameters. */
  private static void check(
      ComputationGraph model, List<String> shared, double tolerance, long[]... inputShapes) {
    ComputationGraph plain = copy(model);
    ComputationGraph net = copy(model);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, shared, steps::add);
    OneTaskOracle oracle = new OneTaskOracle(plain, probe.sharedLayers());
    for (int step = 1; step <= 3; step++) {
      MultiDataSet batch = batch(plain, step, inputShapes);
      double[][] gradients = oracle.sharedGradients(plain.params(), batch, step);
      double[] expected = OneTaskOracle.norms(gradients);
      probe.measureGram(step > 1);
      for (ComputationGraph graph : List.of(plain, net)) {
        Nd4j.getRandom().setSeed(step);
        graph.fit(batch);
      }
      for (int task = 0; task < expected.length; task++) {
        assertThat(steps.get(step - 1).gradientNorms()[task])
            .as(probe.taskNames().get(task))
            .isPositive()
            .isCloseTo(expected[task], within(tolerance * expected[task]));
      }
      if (step > 1) {
        Grams.assertGram(steps.get(step - 1), gradients, tolerance);
      }
    }
    assertBitIdentical(net.params(), plain.params());
    probe.detach();
  }

  /** A residual trunk with a segmentation, a depth and a classification head, as on NYUv2. */
  @Test
  void residualTrunkWithThreeHeads_isMeasured_byOneLayerOrTheWholeBlock() {
    for (List<String> shared :
        List.of(
            List.<String>of(),
            List.of("block2-conv1"),
            List.of("block2-conv1", "block2-bn1", "block2-conv2", "block2-bn2"))) {
      GraphBuilder graph =
          settings()
              .graphBuilder()
              .addInputs("image")
              .setInputTypes(InputType.convolutional(8, 8, 3))
              .addLayer("stem", convolution(3, 4), "image")
              .addLayer("stem-bn", new BatchNormalization(), "stem")
              .addLayer("stem-relu", new ActivationLayer(Activation.RELU), "stem-bn");
      String top = residualBlock(graph, "block2", residualBlock(graph, "block1", "stem-relu"));
      graph
          .addLayer("segments-conv", convolution(1, 5), top)
          .addLayer(
              "segments",
              new CnnLossLayer.Builder(LossFunction.MCXENT).activation(Activation.SOFTMAX).build(),
              "segments-conv")
          .addLayer("depth-conv1", convolution(3, 4), top)
          .addLayer("depth-conv2", convolution(1, 1), "depth-conv1")
          .addLayer(
              "depth",
              new CnnLossLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY).build(),
              "depth-conv2")
          .addLayer("scene-pool", new GlobalPoolingLayer(PoolingType.AVG), top)
          .addLayer("scene", output(), "scene-pool")
          .setOutputs("segments", "depth", "scene");
      check(init(graph), shared, 1e-10, new long[] {BATCH, 3, 8, 8});
    }
  }

  private static String residualBlock(GraphBuilder graph, String name, String below) {
    graph
        .addLayer(name + "-conv1", convolution(3, 4), below)
        .addLayer(name + "-bn1", new BatchNormalization(), name + "-conv1")
        .addLayer(name + "-relu1", new ActivationLayer(Activation.RELU), name + "-bn1")
        .addLayer(name + "-conv2", convolution(3, 4), name + "-relu1")
        .addLayer(name + "-bn2", new BatchNormalization(), name + "-conv2")
        .addVertex(
            name + "-add", new ElementWiseVertex(ElementWiseVertex.Op.Add), name + "-bn2", below)
        .addLayer(name, new ActivationLayer(Activation.RELU), name + "-add");
    return name;
  }

  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      names = {"IDENTITY", "RELU", "LEAKYRELU", "TANH", "SIGMOID", "SWISH", "SOFTMAX"})
  void convolutionWithHeadsOfItsOwn_isMeasured_andTrainsBitIdentically(Activation activation) {
    for (ConvolutionMode mode : List.of(ConvolutionMode.Same, ConvolutionMode.Truncate)) {
      for (boolean dropout : new boolean[] {false, true}) {
        GraphBuilder graph =
            settings()
                .graphBuilder()
                .addInputs("image")
                .setInputTypes(InputType.convolutional(7, 6, 2))
                .addLayer("stem", convolution(3, 3), "image")
                .addLayer(
                    "shared",
                    new ConvolutionLayer.Builder(3, 2)
                        .nOut(4)
                        .stride(2, 1)
                        .hasBias(!dropout)
                        .dropOut(dropout ? 0.7 : 1.0)
                        .convolutionMode(mode)
                        .activation(activation)
                        .build(),
                    "stem")
                .addLayer("a", output(), "shared")
                .addLayer("b-hidden", convolution(1, 2), "shared")
                .addLayer("b", output(), "b-hidden")
                .addLayer(
                    "c",
                    new OutputLayer.Builder(LossFunction.MSE).nOut(2).dropOut(0.6).build(),
                    "shared")
                .setOutputs("a", "b", "c");
        check(init(graph), List.of("shared"), 1e-10, new long[] {BATCH, 2, 7, 6});
      }
    }
  }

  @Test
  void severalLayers_giveTheNormOfTheirJointGradient() {
    check(init(twoHeads(settings())), List.of("fc1", "fc2"), 1e-12, new long[] {BATCH, 4});
  }

  @Test
  void severalInputs() {
    GraphBuilder graph =
        settings()
            .graphBuilder()
            .addInputs("x", "y")
            .setInputTypes(InputType.feedForward(4), InputType.feedForward(3))
            .addLayer("fx", dense(), "x")
            .addLayer("fy", dense(), "y")
            .addVertex("xy", new MergeVertex(), "fx", "fy")
            .addLayer("shared", dense(), "xy")
            .addLayer("a", output(), "shared", "x")
            .addLayer("b", output(), "shared", "y")
            .setOutputs("a", "b");
    check(init(graph), List.of(), 1e-12, new long[] {BATCH, 4}, new long[] {BATCH, 3});
  }

  @Test
  void oneHeadsHiddenLayerFeedingAnother_isMeasuredWhereTheyStillShare() {
    GraphBuilder graph =
        settings()
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(InputType.feedForward(4))
            .addLayer("shared", dense(), "in")
            .addLayer("a-hidden", dense(), "shared")
            .addLayer("b-hidden", dense(), "shared", "a-hidden")
            .addLayer("a", output(), "a-hidden")
            .addLayer("b", output(), "b-hidden")
            .setOutputs("a", "b");
    ComputationGraph net = init(graph);
    assertThat(GradientNormProbe.attach(net.clone(), step -> {}).sharedLayers())
        .containsExactly("a-hidden"); // both outputs depend on it
    check(net, List.of(), 1e-12, new long[] {BATCH, 4});
    check(net, List.of("shared"), 1e-12, new long[] {BATCH, 4});
  }

  static Stream<Arguments> settingsOfTheUpdater() {
    return Stream.of(
        named("L1 and L2", s -> s.l1(1e-3).l2(1e-2)),
        named("weight decay", s -> s.weightDecay(1e-2)),
        named(
            "clipping by value",
            s ->
                s.gradientNormalization(GradientNormalization.ClipElementWiseAbsoluteValue)
                    .gradientNormalizationThreshold(1e-3)),
        named(
            "gradient normalization",
            s -> s.gradientNormalization(GradientNormalization.RenormalizeL2PerLayer)),
        named("constraints", s -> s.constrainWeights(new MaxNormConstraint(0.2, 1))),
        named("sums instead of means", s -> s.miniBatch(false)));
  }

  private static Arguments named(String name, Consumer<NeuralNetConfiguration.Builder> change) {
    return Arguments.of(name, change);
  }

  /** They act in the updater, after the norms are taken. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("settingsOfTheUpdater")
  void settingsOfTheUpdater_changeNothingInTheMeasurement(
      String name, Consumer<NeuralNetConfiguration.Builder> change) {
    NeuralNetConfiguration.Builder settings = settings();
    change.accept(settings);
    ComputationGraph net = init(twoHeads(settings));
    if (!net.conf().isMiniBatch()) {
      ComputationGraph plain = init(twoHeads(settings));
      MultiDataSet batch = batch(net, 1, new long[] {BATCH, 4});
      double[] means =
          new OneTaskOracle(plain, List.of("fc2")).gradientNorms(plain.params(), batch, 1);
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(net, steps::add);
      net.fit(batch);
      assertThat(steps.get(0).gradientNorms()[0])
          .isCloseTo(BATCH * means[0], within(1e-12 * means[0]));
      return;
    }
    check(net, List.of(), 1e-12, new long[] {BATCH, 4});
  }

  @Test
  void floatNetworks_areMeasuredToFloatPrecision_andCoarserTypesRefused() {
    check(
        init(twoHeads(settings().dataType(DataType.FLOAT))),
        List.of("fc1", "fc2"),
        1e-5,
        new long[] {BATCH, 4});
    ComputationGraph half = init(twoHeads(settings().dataType(DataType.FLOAT16)));
    assertThatThrownBy(() -> GradientNormProbe.attach(half, step -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "layer 'fc2' has data type HALF, too coarse to measure gradients in. Use"
                + " dataType(DataType.FLOAT) or DOUBLE");
    assertThatThrownBy(() -> twoHeads(settings().dataType(DataType.BFLOAT16)))
        .isInstanceOf(IllegalStateException.class) // DL4J has no such networks
        .hasMessageContaining("one of DOUBLE, FLOAT, or HALF");
  }

  @Test
  void transferLearning_withAFrozenTrunkAndNewHeads_isMeasuredAboveIt() {
    ComputationGraph trained = init(twoHeads(settings()));
    trained.fit(batch(trained, 1, new long[] {BATCH, 4}));
    GradientNormProbe.attach(trained, step -> {}).lossWeights(0.1, 1.9);
    ComputationGraph transferred =
        new TransferLearning.GraphBuilder(trained)
            .fineTuneConfiguration(
                new FineTuneConfiguration.Builder().updater(new Adam(0.005)).build())
            .setFeatureExtractor("fc1")
            .removeVertexAndConnections("b")
            .addLayer(
                "c",
                new OutputLayer.Builder(LossFunction.MSE)
                    .nIn(4)
                    .nOut(2)
                    .activation(Activation.IDENTITY)
                    .build(),
                "fc2")
            .setOutputs("a", "c")
            .build();
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(transferred, steps::add);
    assertThat(probe.sharedLayers()).containsExactly("fc2");
    assertThat(probe.lossWeights()).containsExactly(1, 1);
    INDArray frozen = transferred.getParam("fc1_W").dup();
    assertThat(transferred.params().dataType()).isEqualTo(DataType.FLOAT);
    MultiDataSet batch = batch(transferred, 2, new long[] {BATCH, 4});
    double[] expected =
        new OneTaskOracle(transferred, List.of("fc2"))
            .gradientNorms(transferred.params(), batch, 1);
    transferred.fit(batch);
    for (int task = 0; task < 2; task++) {
      // Transfer learning has made it a FLOAT network.
      assertThat(steps.get(0).gradientNorms()[task])
          .isCloseTo(expected[task], within(1e-6 * expected[task]));
    }
    assertBitIdentical(transferred.getParam("fc1_W"), frozen);
  }

  /** Keras keeps losses outside the model: they are added after the import, as for plain DL4J. */
  @Test
  void graphImportedFromKeras_isMeasuredOnceItsOutputsHaveLosses() throws Exception {
    String json = Path.of(getClass().getResource("/keras-two-outputs.json").toURI()).toString();
    ComputationGraph imported =
        new ComputationGraph(KerasModelImport.importKerasModelConfiguration(json));
    imported.init();
    assertThatThrownBy(() -> GradientNormProbe.attach(imported, step -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("output 'a' (DenseLayer): its gradient does not come from");
    ComputationGraph net =
        new TransferLearning.GraphBuilder(imported)
            .fineTuneConfiguration(
                new FineTuneConfiguration.Builder().updater(new Adam(0.01)).build())
            .addLayer("a-loss", loss(), "a")
            .addLayer("b-loss", loss(), "b")
            .setOutputs("a-loss", "b-loss")
            .build();
    check(net, List.of(), 1e-5, new long[] {BATCH, 4});
  }

  private static LossLayer loss() {
    return new LossLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY).build();
  }
}
