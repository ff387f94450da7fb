package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.CacheMode;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.L2Vertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CapsuleLayer;
import org.deeplearning4j.nn.conf.layers.CapsuleStrengthLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.PrimaryCapsules;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskLayer;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.StepMeasurement;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Layers that are rarer than those of {@link OracleMatrix}, as shared layer with two heads on it or
 * between a common shared layer and the heads. Convolutions run without workspaces and with DL4J
 * caching what it can, the others with workspaces.
 */
class FurtherLayersTest {
  private static final InputType VECTOR = InputType.feedForward(4);
  private static final InputType IMAGE = InputType.convolutional(6, 6, 2);
  private static final InputType IMAGE_NHWC = InputType.convolutional(6, 6, 2, CNN2DFormat.NHWC);
  private static final InputType VOLUME =
      InputType.convolutional3D(Convolution3D.DataFormat.NCDHW, 4, 4, 4, 2);
  private static final InputType VOLUME_NDHWC =
      InputType.convolutional3D(Convolution3D.DataFormat.NDHWC, 4, 4, 4, 2);
  private static final InputType SERIES = InputType.recurrent(3, 4);
  private static final InputType SERIES_NWC = InputType.recurrent(3, 4, RNNFormat.NWC);
  private static final int BATCH = 4;

  /** Adds the layers of a case on top of a vertex; returns the last. */
  private interface Piece {
    String add(GraphBuilder graph, String below);
  }

  /** The series' format is null if the heads take vectors. */
  private record Case(String name, InputType input, RNNFormat series, Piece piece) {}

  private static Case shared(String name, InputType input, Layer layer) {
    RNNFormat series = input == SERIES ? RNNFormat.NCW : input == SERIES_NWC ? RNNFormat.NWC : null;
    return new Case(
        name,
        input,
        series,
        (graph, below) -> {
          graph.addLayer("shared", layer.clone(), below);
          return "shared";
        });
  }

  private static Case between(String name, InputType input, Piece piece) {
    Layer shared =
        input == SERIES
            ? new LSTM.Builder().nOut(4).build()
            : input == IMAGE ? convolution(CNN2DFormat.NCHW) : dense();
    return new Case(
        name,
        input,
        input == SERIES ? RNNFormat.NCW : null,
        (graph, below) -> piece.add(graph.addLayer("shared", shared, below), "shared"));
  }

  private static Case between(String name, InputType input, Layer layer) {
    return between(
        name,
        input,
        (graph, below) -> {
          graph.addLayer("between", layer.clone(), below);
          return "between";
        });
  }

  private static Layer dense() {
    return new DenseLayer.Builder().nOut(4).build();
  }

  private static Layer convolution(CNN2DFormat format) {
    return new ConvolutionLayer.Builder(3, 3)
        .nOut(2)
        .dataFormat(format)
        .convolutionMode(ConvolutionMode.Same)
        .build();
  }

  private static Layer autoencoder() {
    return new VariationalAutoencoder.Builder()
        .nOut(4)
        .encoderLayerSizes(5)
        .decoderLayerSizes(5)
        .build();
  }

  private static Stream<Case> sharedLayers() {
    return Stream.of(
        shared(
            "element-wise multiplication",
            VECTOR,
            new ElementWiseMultiplicationLayer.Builder().nIn(4).nOut(4).build()),
        shared("autoencoder", VECTOR, new AutoEncoder.Builder().nOut(4).build()),
        shared("variational autoencoder", VECTOR, autoencoder()),
        shared(
            "batch normalization, log σ",
            VECTOR,
            new BatchNormalization.Builder().useLogStd(true).build()),
        shared("convolution, Same, NHWC", IMAGE_NHWC, convolution(CNN2DFormat.NHWC)),
        shared(
            "convolution, Strict, padding",
            IMAGE,
            new ConvolutionLayer.Builder(2, 2)
                .nOut(2)
                .padding(1, 1)
                .stride(2, 2)
                .convolutionMode(ConvolutionMode.Strict)
                .build()),
        shared(
            "convolution, weight noise",
            IMAGE,
            new ConvolutionLayer.Builder(3, 3).nOut(2).weightNoise(new DropConnect(0.7)).build()),
        shared(
            "deconvolution, Same, strided",
            IMAGE,
            new Deconvolution2D.Builder(2, 2)
                .nOut(2)
                .stride(2, 2)
                .convolutionMode(ConvolutionMode.Same)
                .build()),
        shared(
            "deconvolution, NHWC",
            IMAGE_NHWC,
            new Deconvolution2D.Builder(2, 2).nOut(2).dataFormat(CNN2DFormat.NHWC).build()),
        shared(
            "depthwise convolution, NHWC",
            IMAGE_NHWC,
            new DepthwiseConvolution2D.Builder(2, 2)
                .depthMultiplier(2)
                .dataFormat(CNN2DFormat.NHWC)
                .build()),
        shared(
            "separable convolution, NHWC",
            IMAGE_NHWC,
            new SeparableConvolution2D.Builder(2, 2).nOut(2).dataFormat(CNN2DFormat.NHWC).build()),
        shared(
            "locally connected",
            IMAGE,
            new LocallyConnected2D.Builder().kernelSize(2, 2).nOut(2).build()),
        new Case("capsules", IMAGE, null, FurtherLayersTest::capsules),
        shared(
            "convolution 3D, NDHWC",
            VOLUME_NDHWC,
            new Convolution3D.Builder(2, 2, 2)
                .nOut(2)
                .dataFormat(Convolution3D.DataFormat.NDHWC)
                .build()),
        shared(
            "deconvolution 3D",
            VOLUME,
            new Deconvolution3D.Builder().kernelSize(2, 2, 2).nOut(2).build()),
        shared(
            "LSTM, NWC", SERIES_NWC, new LSTM.Builder().nOut(4).dataFormat(RNNFormat.NWC).build()),
        shared(
            "simple RNN, NWC",
            SERIES_NWC,
            new SimpleRnn.Builder().nOut(4).dataFormat(RNNFormat.NWC).build()),
        shared(
            "bidirectional, concatenated",
            SERIES,
            new Bidirectional(new SimpleRnn.Builder().nOut(3).build())),
        shared(
            "bidirectional, multiplied",
            SERIES,
            new Bidirectional(Bidirectional.Mode.MUL, new LSTM.Builder().nOut(3).build())),
        shared("dense in TimeDistributed", SERIES, new TimeDistributed(dense())),
        shared(
            "LSTM under MaskZero",
            SERIES,
            new MaskZeroLayer.Builder()
                .setUnderlying(new LSTM.Builder().nIn(3).nOut(4).build())
                .setMaskValue(0.0)
                .build()),
        shared(
            "convolution 1D, Causal",
            SERIES,
            new Convolution1DLayer.Builder()
                .kernelSize(3)
                .nOut(4)
                .convolutionMode(ConvolutionMode.Causal)
                .build()),
        shared(
            "convolution 1D, Truncate, strided",
            SERIES,
            new Convolution1DLayer.Builder().kernelSize(2).stride(2).nOut(4).build()));
  }

  private static String capsules(GraphBuilder graph, String below) {
    graph
        .addLayer("shared", new PrimaryCapsules.Builder(3, 2).kernelSize(2, 2).build(), below)
        .addLayer("capsules", new CapsuleLayer.Builder(3, 4, 2).build(), "shared")
        .addLayer("strength", new CapsuleStrengthLayer.Builder().build(), "capsules");
    return "strength";
  }

  private static Stream<Case> betweens() {
    return Stream.of(
        between("variational autoencoder between", VECTOR, autoencoder()),
        between("frozen dense between", VECTOR, new FrozenLayerWithBackprop(dense())),
        between(
            "dense with weight noise between",
            VECTOR,
            new DenseLayer.Builder().nOut(4).weightNoise(new DropConnect(0.7)).build()),
        between(
            "batch normalization without γ, β",
            VECTOR,
            new BatchNormalization.Builder().lockGammaBeta(true).build()),
        between("maximum", VECTOR, pair(new ElementWiseVertex(ElementWiseVertex.Op.Max))),
        between("difference", VECTOR, pair(new ElementWiseVertex(ElementWiseVertex.Op.Subtract))),
        between("distance", VECTOR, pair(new L2Vertex())),
        between(
            "product with itself",
            VECTOR,
            twice(new ElementWiseVertex(ElementWiseVertex.Op.Product))),
        between("merge with itself", VECTOR, twice(new MergeVertex())),
        between(
            "preprocessor",
            VECTOR,
            (graph, below) -> {
              graph.addVertex(
                  "between",
                  new PreprocessorVertex(
                      new ComposableInputPreProcessor(
                          new FeedForwardToCnnPreProcessor(2, 2, 1),
                          new CnnToFeedForwardPreProcessor(2, 2, 1))),
                  below);
              return "between";
            }),
        between(
            "repeat, average",
            VECTOR,
            (graph, below) -> {
              graph
                  .addLayer("repeat", new RepeatVector.Builder<>(3).build(), below)
                  .addLayer("average", new GlobalPoolingLayer(PoolingType.AVG), "repeat");
              return "average";
            }),
        between("convolution between", IMAGE, convolution(CNN2DFormat.NCHW)),
        between("deconvolution between", IMAGE, new Deconvolution2D.Builder(2, 2).nOut(2).build()),
        between(
            "separable convolution with dropout between",
            IMAGE,
            new SeparableConvolution2D.Builder(2, 2).nOut(2).dropOut(0.7).build()),
        between("cropping", IMAGE, new Cropping2D(1, 1)),
        between("space to depth", IMAGE, new SpaceToDepthLayer.Builder<>().blocks(2).build()),
        between(
            "p-norm pooling",
            IMAGE,
            new SubsamplingLayer.Builder(PoolingType.PNORM).pnorm(2).kernelSize(2, 2).build()),
        between("softmax over channels", IMAGE, new ActivationLayer(Activation.SOFTMAX)),
        between(
            "bidirectional with dropout between",
            SERIES,
            new Bidirectional(new LSTM.Builder().nOut(4).dropOut(0.6).build())),
        between("mask layer", SERIES, new MaskLayer()),
        between("upsampling 1D", SERIES, new Upsampling1D.Builder(2).build()),
        between("zero padding 1D", SERIES, new ZeroPadding1DLayer(1)),
        between(
            "max pooling 1D",
            SERIES,
            new Subsampling1DLayer.Builder(SubsamplingLayer.PoolingType.MAX, 2, 1).build()),
        between(
            "attention vertex",
            SERIES,
            (graph, below) -> {
              graph.addVertex(
                  "between",
                  new AttentionVertex.Builder()
                      .nInQueries(4)
                      .nInKeys(4)
                      .nInValues(4)
                      .nOut(4)
                      .nHeads(1)
                      .projectInput(false)
                      .build(),
                  below,
                  below,
                  below);
              return "between";
            }),
        between(
            "last step, repeated",
            SERIES,
            (graph, below) -> {
              graph
                  .addVertex("last", new LastTimeStepVertex("in"), below)
                  .addVertex("between", new DuplicateToTimeSeriesVertex("in"), "last");
              return "between";
            }));
  }

  private static Piece pair(org.deeplearning4j.nn.conf.graph.GraphVertex vertex) {
    return (graph, below) -> {
      graph.addLayer("other", dense(), below).addVertex("between", vertex, below, "other");
      return "between";
    };
  }

  private static Piece twice(org.deeplearning4j.nn.conf.graph.GraphVertex vertex) {
    return (graph, below) -> {
      graph.addVertex("between", vertex, below, below);
      return "between";
    };
  }

  @TestFactory
  Stream<DynamicTest> furtherLayers() {
    List<Case> cases = Stream.concat(sharedLayers(), betweens()).toList();
    System.out.println("further layers: " + cases.size());
    return cases.stream().map(each -> DynamicTest.dynamicTest(each.name(), () -> check(each)));
  }

  /** The list in docs/exactness.md is this one. */
  @Test
  void document_listsThem() throws Exception {
    assertThat(Files.readString(Path.of("..", "docs", "exactness.md")))
        .contains("As shared layer: " + names(sharedLayers()) + ".")
        .contains("Between: " + names(betweens()) + ".");
  }

  private static String names(Stream<Case> cases) {
    return cases.map(Case::name).collect(Collectors.joining("; "));
  }

  private static void check(Case each) {
    ComputationGraph plain = network(each);
    ComputationGraph net = network(each);
    net.setParams(plain.params().dup());
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("shared"), steps::add);
    OneTaskOracle oracle = new OneTaskOracle(plain, List.of("shared"));
    for (int step = 0; step < 3; step++) {
      MultiDataSet batch = batch(each, plain, step + 1);
      if (step == 2) {
        assertBitIdentical(net.params(), plain.params());
        probe.lossWeights(0.4, 1.7);
      }
      double[][] gradients = oracle.sharedGradients(net.params(), batch, step + 1);
      double[] expected = OneTaskOracle.norms(gradients);
      probe.measureGram(step > 0);
      for (ComputationGraph graph : List.of(plain, net)) {
        Nd4j.getRandom().setSeed(step + 1);
        graph.fit(batch);
      }
      for (int task = 0; task < 2; task++) {
        assertThat(steps.get(step).gradientNorms()[task])
            .as("step %d, task %d", step, task)
            .isPositive()
            .isCloseTo(expected[task], within(1e-10 * expected[task]));
      }
      if (step > 0) {
        Grams.assertGram(steps.get(step), gradients, 1e-10);
      }
    }
  }

  private static ComputationGraph network(Case each) {
    boolean convolutional = each.input().getShape(true).length > 3;
    WorkspaceMode workspaces = convolutional ? WorkspaceMode.NONE : WorkspaceMode.ENABLED;
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(5)
            .dataType(DataType.DOUBLE)
            .activation(Activation.TANH)
            .updater(new Adam(0.01))
            .cacheMode(convolutional ? CacheMode.DEVICE : CacheMode.NONE)
            .trainingWorkspaceMode(workspaces)
            .inferenceWorkspaceMode(workspaces)
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(each.input());
    String top = each.piece().add(graph, "in");
    RNNFormat series = each.series();
    graph
        .addLayer("a", output(series, LossFunction.MSE, Activation.IDENTITY), top)
        .addLayer(
            "b-hidden",
            series == null ? dense() : new SimpleRnn.Builder().nOut(3).dataFormat(series).build(),
            top)
        .addLayer("b", output(series, LossFunction.MCXENT, Activation.SOFTMAX), "b-hidden")
        .setOutputs("a", "b");
    ComputationGraph net = new ComputationGraph(graph.build());
    net.init();
    return net;
  }

  private static Layer output(RNNFormat series, LossFunction loss, Activation activation) {
    return series == null
        ? new OutputLayer.Builder(loss).nOut(3).activation(activation).build()
        : new RnnOutputLayer.Builder(loss)
            .nOut(3)
            .activation(activation)
            .dataFormat(series)
            .build();
  }

  private static MultiDataSet batch(Case each, ComputationGraph net, long seed) {
    Nd4j.getRandom().setSeed(seed);
    long[] shape = each.input().getShape(true);
    shape[0] = BATCH;
    INDArray features = Nd4j.randn(DataType.DOUBLE, shape);
    INDArray[] labels = net.output(features);
    for (int i = 0; i < labels.length; i++) {
      labels[i] = Nd4j.rand(DataType.DOUBLE, labels[i].shape());
    }
    return new MultiDataSet(new INDArray[] {features}, labels);
  }
}
