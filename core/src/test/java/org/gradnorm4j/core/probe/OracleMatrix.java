package org.gradnorm4j.core.probe;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.AlphaDropout;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.GaussianDropout;
import org.deeplearning4j.nn.conf.dropout.GaussianNoise;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.StepMeasurement;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Every kind of shared layer × what may stand between it and the heads × shape of the heads × masks
 * × workspace mode: norms and Gram matrices against {@link OneTaskOracle}, training against plain
 * DL4J. All of it in the profile {@code exhaustive}; otherwise, of each kind, so much that any two
 * of the others meet.
 */
@Tag(TestSize.EXHAUSTIVE)
abstract class OracleMatrix {
  private static final int BATCH = 4;
  private static final int TIME = 4;
  static final int STEPS = 5;
  static final int MANY_STEPS = 20;
  private static final int CLASSES = 3;

  /** Adds something on top of a vertex and returns the name of its last vertex. */
  interface Piece {
    String add(GraphBuilder graph, String below);
  }

  /** A named piece. */
  record Named(String name, Piece piece) {}

  /** Things that fit together. */
  record Family(
      String name, InputType input, List<Named> kinds, List<Named> betweens, List<Named> heads) {}

  enum Masks {
    NONE,
    SOME,
    TASK_ABSENT
  }

  record Row(
      Family family,
      Named kind,
      Named between,
      Named heads,
      Masks masks,
      WorkspaceMode workspaces,
      int steps) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s: %s | %s | %s | masks %s | workspaces %s | %d steps",
          family.name(),
          kind.name(),
          between.name(),
          heads.name(),
          masks,
          workspaces,
          steps);
    }
  }

  private static Named layer(String name, Layer layer) {
    return new Named(
        name,
        (graph, below) -> {
          graph.addLayer(name, layer.clone(), below);
          return name;
        });
  }

  private static Named shared(String name, Layer layer) {
    return new Named(
        name,
        (graph, below) -> {
          graph.addLayer("shared", layer.clone(), below);
          return "shared";
        });
  }

  private static Named vertex(String name, org.deeplearning4j.nn.conf.graph.GraphVertex vertex) {
    return new Named(
        name,
        (graph, below) -> {
          graph.addVertex(name, vertex, below);
          return name;
        });
  }

  private static Named chain(Named... pieces) {
    String name = String.join(" → ", Arrays.stream(pieces).map(Named::name).toList());
    return new Named(
        name,
        (graph, below) -> {
          String top = below;
          for (Named piece : pieces) {
            top = piece.piece().add(graph, top);
          }
          return top;
        });
  }

  private static Named activation(Activation activation) {
    return layer(activation.name(), new ActivationLayer(activation));
  }

  private static Named batchNormalization() {
    return layer("batch normalization", new BatchNormalization());
  }

  private static Named dropout() {
    return layer("dropout", new DropoutLayer(new Dropout(0.6)));
  }

  static final Named NOTHING = new Named("nothing", (graph, below) -> below);

  /** Two ways from one point, added up: one of them through a layer of its own. */
  private static Named residual(Layer layer) {
    return new Named(
        "residual",
        (graph, below) -> {
          graph.addLayer("res-layer", layer.clone(), below);
          graph.addVertex(
              "residual", new ElementWiseVertex(ElementWiseVertex.Op.Add), below, "res-layer");
          return "residual";
        });
  }

  private static Layer dense(Activation activation) {
    return new DenseLayer.Builder().nOut(4).activation(activation).build();
  }

  private static Layer output(LossFunction loss, Activation activation) {
    return new OutputLayer.Builder(loss).nOut(CLASSES).activation(activation).build();
  }

  private static Layer rnnOutput(LossFunction loss, Activation activation) {
    return new RnnOutputLayer.Builder(loss).nOut(CLASSES).activation(activation).build();
  }

  private static Named flat(String name, Piece third) {
    return new Named(
        name,
        (graph, below) -> {
          graph.addLayer("a", output(LossFunction.MSE, Activation.IDENTITY), below);
          graph.addLayer("b-hidden", dense(Activation.TANH), below);
          graph.addLayer("b", output(LossFunction.MCXENT, Activation.SOFTMAX), "b-hidden");
          third.add(graph, below);
          return null;
        });
  }

  private static Piece outputC() {
    return (graph, below) -> {
      graph.addLayer("c", output(LossFunction.XENT, Activation.SIGMOID), below);
      return "c";
    };
  }

  private static Family feedForward() {
    return new Family(
        "feed-forward",
        InputType.feedForward(4),
        List.of(
            shared("dense, ReLU", dense(Activation.RELU)),
            shared(
                "dense, no bias, dropout",
                new DenseLayer.Builder().nOut(4).hasBias(false).dropOut(0.7).build()),
            shared(
                "dense, layer normalization",
                new DenseLayer.Builder().nOut(4).hasLayerNorm(true).build()),
            shared(
                "dense, weight noise",
                new DenseLayer.Builder().nOut(4).weightNoise(new DropConnect(0.8)).build()),
            shared("batch normalization", new BatchNormalization()),
            shared("PReLU", new PReLULayer.Builder().inputShape(4).build())),
        List.of(
            NOTHING,
            activation(Activation.SWISH),
            chain(batchNormalization(), activation(Activation.RELU), dropout()),
            chain(dropout(), batchNormalization()),
            layer("Gaussian dropout", new DropoutLayer(new GaussianDropout(0.3))),
            layer("Gaussian noise", new DropoutLayer(new GaussianNoise(0.3))),
            layer("alpha dropout", new DropoutLayer(new AlphaDropout(0.7))),
            layer("PReLU between", new PReLULayer.Builder().inputShape(4).build()),
            chain(vertex("scale", new ScaleVertex(-1.7)), vertex("shift", new ShiftVertex(0.3))),
            vertex("L2 normalize", new L2NormalizeVertex()),
            vertex("subset", new SubsetVertex(1, 2)),
            vertex("reshape", new ReshapeVertex(-1, 2)),
            chain(dropoutDense(), residual(dense(Activation.TANH))),
            merged(),
            product(),
            stacked()),
        List.of(
            flat("three outputs", outputC()),
            flat(
                "a loss layer",
                (graph, below) -> {
                  graph.addLayer("c-hidden", dense(Activation.TANH), below);
                  graph.addLayer(
                      "c",
                      new LossLayer.Builder(LossFunction.MSE)
                          .activation(Activation.IDENTITY)
                          .build(),
                      "c-hidden");
                  return "c";
                }),
            flat(
                "a tree",
                (graph, below) -> {
                  graph.addLayer("cd", dense(Activation.RELU), below);
                  graph.addLayer("cd-bn", new BatchNormalization(), "cd");
                  graph.addLayer("c", output(LossFunction.MSE, Activation.IDENTITY), "cd-bn");
                  graph.addLayer(
                      "d",
                      output(LossFunction.MEAN_ABSOLUTE_ERROR, Activation.IDENTITY),
                      "cd-bn",
                      below);
                  return "c";
                })));
  }

  private static Named dropoutDense() {
    return layer("dense with dropout", new DenseLayer.Builder().nOut(4).dropOut(0.6).build());
  }

  private static Named merged() {
    return new Named(
        "merge",
        (graph, below) -> {
          graph.addLayer("left", dense(Activation.TANH), below);
          graph.addVertex("merge", new MergeVertex(), "left", below, "in");
          return "merge";
        });
  }

  private static Named product() {
    return new Named(
        "product",
        (graph, below) -> {
          graph.addLayer("factor1", dense(Activation.TANH), below);
          graph.addLayer("factor2", dense(Activation.TANH), below);
          graph.addVertex(
              "product", new ElementWiseVertex(ElementWiseVertex.Op.Product), "factor1", "factor2");
          return "product";
        });
  }

  private static Named stacked() {
    return new Named(
        "stack and unstack",
        (graph, below) -> {
          graph.addVertex("stack", new StackVertex(), below, below);
          graph.addLayer("on-stack", dense(Activation.TANH), "stack");
          graph.addVertex("first", new UnstackVertex(0, 2), "on-stack");
          graph.addVertex("second", new UnstackVertex(1, 2), "on-stack");
          graph.addVertex(
              "stacked", new ElementWiseVertex(ElementWiseVertex.Op.Average), "first", "second");
          return "stacked";
        });
  }

  private static Layer convolution(int stride) {
    return new ConvolutionLayer.Builder(3, 3)
        .nOut(2)
        .stride(stride, stride)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.TANH)
        .build();
  }

  private static Family images() {
    return new Family(
        "images",
        InputType.convolutional(6, 6, 2),
        List.of(
            shared("convolution, Same", convolution(1)),
            shared(
                "convolution, dilated, strided",
                new ConvolutionLayer.Builder(2, 2).nOut(2).dilation(2, 2).stride(1, 2).build()),
            shared("deconvolution", new Deconvolution2D.Builder(2, 2).nOut(2).build()),
            shared(
                "depthwise convolution",
                new DepthwiseConvolution2D.Builder(2, 2).depthMultiplier(1).build()),
            shared(
                "separable convolution", new SeparableConvolution2D.Builder(2, 2).nOut(2).build()),
            shared("batch normalization of channels", new BatchNormalization())),
        List.of(
            NOTHING,
            chain(batchNormalization(), activation(Activation.RELU), dropout()),
            layer(
                "max pooling",
                new SubsamplingLayer.Builder(PoolingType.MAX).kernelSize(2, 2).build()),
            layer(
                "average pooling",
                new SubsamplingLayer.Builder(PoolingType.AVG).kernelSize(2, 2).build()),
            layer(
                "local response normalization",
                new LocalResponseNormalization.Builder().n(2).build()),
            layer("spatial dropout", new DropoutLayer(new SpatialDropout(0.6))),
            chain(
                layer("zero padding", new ZeroPaddingLayer(1, 1)),
                layer("upsampling", new Upsampling2D.Builder(2).build())),
            residual(convolution(1))),
        List.of(
            flat("three outputs, flattened", outputC()),
            flat(
                "global pooling",
                (graph, below) -> {
                  graph.addLayer("c-pool", new GlobalPoolingLayer(PoolingType.AVG), below);
                  graph.addLayer("c", output(LossFunction.MSE, Activation.IDENTITY), "c-pool");
                  return "c";
                }),
            flat(
                "an image",
                (graph, below) -> {
                  graph.addLayer("c-conv", convolution(1), below);
                  graph.addLayer(
                      "c",
                      new CnnLossLayer.Builder(LossFunction.MSE)
                          .activation(Activation.IDENTITY)
                          .build(),
                      "c-conv");
                  return "c";
                })));
  }

  private static Family channelsLast() {
    return new Family(
        "images, channels last",
        InputType.convolutional(6, 6, 2, CNN2DFormat.NHWC),
        List.of(
            shared(
                "convolution, NHWC",
                new ConvolutionLayer.Builder(3, 3).nOut(2).dataFormat(CNN2DFormat.NHWC).build())),
        List.of(
            NOTHING,
            activation(Activation.RELU),
            layer(
                "max pooling, NHWC",
                new SubsamplingLayer.Builder(PoolingType.MAX)
                    .kernelSize(2, 2)
                    .dataFormat(CNN2DFormat.NHWC)
                    .build())),
        List.of(flat("three outputs, flattened", outputC())));
  }

  private static Layer convolution3D() {
    return new Convolution3D.Builder(2, 2, 2)
        .nOut(2)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.TANH)
        .build();
  }

  private static Family volumes() {
    return new Family(
        "volumes",
        InputType.convolutional3D(Convolution3D.DataFormat.NCDHW, 4, 4, 4, 2),
        List.of(shared("convolution 3D", convolution3D())),
        List.of(
            NOTHING,
            activation(Activation.RELU),
            layer(
                "average pooling 3D",
                new Subsampling3DLayer.Builder(PoolingType.AVG)
                    .kernelSize(2, 2, 2)
                    .stride(2, 2, 2)
                    .build())),
        List.of(
            flat("three outputs, flattened", outputC()),
            flat(
                "a volume",
                (graph, below) -> {
                  graph.addLayer("c-conv", convolution3D(), below);
                  graph.addLayer(
                      "c",
                      new Cnn3DLossLayer.Builder(Convolution3D.DataFormat.NCDHW)
                          .lossFunction(LossFunction.MSE)
                          .activation(Activation.IDENTITY)
                          .build(),
                      "c-conv");
                  return "c";
                })));
  }

  private static Family series() {
    return new Family(
        "series",
        InputType.recurrent(3, TIME),
        List.of(
            shared("LSTM", new LSTM.Builder().nOut(4).dropOut(0.7).build()),
            shared("Graves LSTM", gravesLstm()),
            shared("simple RNN", new SimpleRnn.Builder().nOut(4).build()),
            shared(
                "bidirectional",
                new Bidirectional(
                    Bidirectional.Mode.ADD, new LSTM.Builder().nOut(4).dropOut(0.7).build())),
            shared(
                "self-attention",
                new SelfAttentionLayer.Builder().nOut(4).nHeads(2).projectInput(true).build()),
            shared(
                "recurrent attention",
                new RecurrentAttentionLayer.Builder().nOut(4).nHeads(2).projectInput(true).build()),
            shared(
                "convolution 1D",
                new Convolution1DLayer.Builder()
                    .kernelSize(3)
                    .nOut(4)
                    .convolutionMode(ConvolutionMode.Same)
                    .build()),
            shared("dense, time-distributed", dense(Activation.TANH))),
        List.of(
            NOTHING,
            activation(Activation.TANH),
            layer("LSTM between, dropout", new LSTM.Builder().nOut(4).dropOut(0.7).build()),
            vertex("reverse", new ReverseTimeSeriesVertex())),
        List.of(timeSeriesHeads(), sequenceAndVectorHeads()));
  }

  private static Family seriesToVector() {
    return new Family(
        "series to vector",
        InputType.recurrent(3, TIME),
        List.of(
            shared("LSTM, vector", new LSTM.Builder().nOut(4).build()),
            shared("simple RNN, vector", new SimpleRnn.Builder().nOut(4).build())),
        List.of(
            layer("global max pooling", new GlobalPoolingLayer(PoolingType.MAX)),
            layer("global sum pooling", new GlobalPoolingLayer(PoolingType.SUM)),
            vertex("last step", new LastTimeStepVertex("in"))),
        List.of(flat("three outputs", outputC())));
  }

  private static Family lastStep() {
    return new Family(
        "last step",
        InputType.recurrent(3, TIME),
        List.of(
            shared("last step of an LSTM", new LastTimeStep(new LSTM.Builder().nOut(4).build()))),
        List.of(NOTHING, chain(batchNormalization(), activation(Activation.TANH))),
        List.of(flat("three outputs", outputC())));
  }

  private static Family indices() {
    return new Family(
        "indices",
        InputType.feedForward(7),
        List.of(shared("embedding", new EmbeddingLayer.Builder().nIn(7).nOut(4).build())),
        List.of(NOTHING, chain(batchNormalization(), activation(Activation.TANH), dropout())),
        List.of(flat("three outputs", outputC())));
  }

  private static Family indexSeries() {
    return new Family(
        "index series",
        InputType.recurrent(7, TIME),
        List.of(
            shared(
                "embedding sequence",
                new EmbeddingSequenceLayer.Builder().nIn(7).nOut(4).inputLength(TIME).build())),
        List.of(NOTHING, activation(Activation.TANH)),
        List.of(timeSeriesHeads()));
  }

  @SuppressWarnings("deprecation")
  private static Layer gravesLstm() {
    return new GravesLSTM.Builder().nOut(4).build();
  }

  private static Named timeSeriesHeads() {
    return new Named(
        "three series",
        (graph, below) -> {
          graph.addLayer("a", rnnOutput(LossFunction.MSE, Activation.IDENTITY), below);
          graph.addLayer("b-hidden", new SimpleRnn.Builder().nOut(3).build(), below);
          graph.addLayer("b", rnnOutput(LossFunction.MCXENT, Activation.SOFTMAX), "b-hidden");
          graph.addLayer("c-hidden", new LSTM.Builder().nOut(CLASSES).build(), below);
          graph.addLayer(
              "c",
              new RnnLossLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY).build(),
              "c-hidden");
          return null;
        });
  }

  private static Named sequenceAndVectorHeads() {
    return new Named(
        "a series and a vector",
        (graph, below) -> {
          graph.addLayer("a", rnnOutput(LossFunction.MSE, Activation.IDENTITY), below);
          graph.addLayer("b-pool", new GlobalPoolingLayer(PoolingType.AVG), below);
          graph.addLayer("b", output(LossFunction.MCXENT, Activation.SOFTMAX), "b-pool");
          return null;
        });
  }

  static final List<WorkspaceMode> WORKSPACES = List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE);
  static final List<Family> VECTORS = List.of(feedForward());
  static final List<Family> IMAGES = List.of(images(), channelsLast(), volumes());
  static final List<Family> SERIES =
      List.of(series(), seriesToVector(), lastStep(), indices(), indexSeries());

  /** All of them. */
  static List<Family> families() {
    return Stream.of(VECTORS, IMAGES, SERIES).flatMap(List::stream).toList();
  }

  private final WorkspaceMode workspaces;
  private final List<Family> families;

  OracleMatrix(List<Family> families, WorkspaceMode workspaces) {
    this.families = families;
    this.workspaces = workspaces;
  }

  /**
   * The rows of a family, kind by kind: every combination with many steps, or pairwise ones, the
   * first of each kind with many steps.
   */
  static List<Row> rows(Family family, boolean exhaustive) {
    int[] values = {
      family.betweens().size(), family.heads().size(), Masks.values().length, WORKSPACES.size()
    };
    List<int[]> combinations = exhaustive ? Pairwise.all(values) : Pairwise.covering(values);
    List<Row> rows = new ArrayList<>();
    for (Named kind : family.kinds()) {
      for (int[] index : combinations) {
        rows.add(
            new Row(
                family,
                kind,
                family.betweens().get(index[0]),
                family.heads().get(index[1]),
                Masks.values()[index[2]],
                WORKSPACES.get(index[3]),
                exhaustive || index == combinations.get(0) ? MANY_STEPS : STEPS));
      }
    }
    return rows;
  }

  /** What DL4J itself does not put together: it takes a dense layer's output for a vector. */
  private static boolean isRefusedByDl4j(Row row) {
    return row.kind().name().equals("dense, time-distributed")
        && row.between().name().equals("reverse");
  }

  @TestFactory
  Stream<DynamicTest> matrix() {
    List<Row> rows =
        families.stream()
            .flatMap(family -> rows(family, TestSize.isExhaustive()).stream())
            .filter(row -> row.workspaces() == workspaces)
            .toList();
    long refused = rows.stream().filter(OracleMatrix::isRefusedByDl4j).count();
    System.out.printf(
        Locale.ROOT,
        "oracle matrix, %s, workspaces %s: %d rows, of which %d are checked and %d refused by DL4J%n",
        families.stream().map(Family::name).collect(joining(", ")),
        workspaces,
        rows.size(),
        rows.size() - refused,
        refused);
    return rows.stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.toString(),
                    () -> {
                      if (isRefusedByDl4j(row)) {
                        assertThatThrownBy(() -> outputShapes(row, network(row)))
                            .isInstanceOf(RuntimeException.class);
                      } else {
                        check(row);
                      }
                    }));
  }

  private static void check(Row row) {
    ComputationGraph plain = network(row);
    ComputationGraph net = network(row);
    net.setParams(plain.params().dup());
    OneTaskOracle oracle = new OneTaskOracle(plain, List.of("shared"));
    List<long[]> outputShapes = outputShapes(row, plain);
    List<StepMeasurement> measured = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("shared"), measured::add);
    for (int step = 1; step <= row.steps(); step++) {
      // All rows end on the same data: on some a norm is 0 but for rounding, as on minibatch 6 of
      // L2 normalize, where a ReLU leaves each example one number.
      int number = step < row.steps() ? step : MANY_STEPS;
      MultiDataSet batch = batch(row, outputShapes, number);
      double[][] expected =
          step == 1 || step == row.steps()
              ? oracle.sharedGradients(plain.params(), batch, number)
              : null;
      probe.measureGram(step % 2 == 0);
      fit(plain, batch, number);
      fit(net, batch, number);
      if (expected != null) {
        assertMeasured(measured.get(step - 1), expected);
      }
    }
    assertThat(measured).hasSize(row.steps());
    assertBitIdentical(net.params(), plain.params());
    assertBitIdentical(
        net.getUpdater().getUpdaterStateViewArray(), plain.getUpdater().getUpdaterStateViewArray());

    double[] lambda = new double[probe.taskNames().size()];
    Arrays.setAll(lambda, i -> 0.3 + i);
    probe.lossWeights(lambda);
    MultiDataSet batch = batch(row, outputShapes, MANY_STEPS + 1);
    double[][] expected = oracle.sharedGradients(net.params(), batch, 99);
    probe.measureGram(true);
    computeGradient(net, batch, 99);
    StepMeasurement withGram = measured.get(row.steps());
    assertMeasured(withGram, expected);
    probe.measureGram(false);
    fit(net, batch, 99);
    StepMeasurement withoutGram = measured.get(row.steps() + 1);
    assertMeasured(withoutGram, expected);
    for (int task = 0; task < lambda.length; task++) {
      double norm = withoutGram.gradientNorms()[task];
      assertThat(withGram.gradientNorms()[task]).isCloseTo(norm, within(1e-12 * norm));
    }
  }

  /** A step of which the parameters know nothing. */
  private static void computeGradient(ComputationGraph net, MultiDataSet batch, long seed) {
    Nd4j.getRandom().setSeed(seed);
    net.setInputs(batch.getFeatures());
    net.setLabels(batch.getLabels());
    net.setLayerMaskArrays(batch.getFeaturesMaskArrays(), batch.getLabelsMaskArrays());
    net.computeGradientAndScore();
    net.clearLayerMaskArrays();
  }

  private static void fit(ComputationGraph net, MultiDataSet batch, long seed) {
    Nd4j.getRandom().setSeed(seed);
    net.fit(batch);
  }

  /** The norms, and the Gram matrix if it was asked for. */
  private static void assertMeasured(StepMeasurement step, double[][] gradients) {
    double[] expected = OneTaskOracle.norms(gradients);
    double[] actual = step.gradientNorms();
    for (int task = 0; task < expected.length; task++) {
      assertThat(actual[task])
          .as(step.taskNames().get(task))
          .isCloseTo(expected[task], within(1e-10 * expected[task]));
    }
    if (step.hasGram()) {
      Grams.assertGram(step, gradients, 1e-10);
    }
  }

  static ComputationGraph network(Row row) {
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(5)
            .dataType(DataType.DOUBLE)
            .activation(Activation.TANH)
            .updater(new Adam(0.01))
            .trainingWorkspaceMode(row.workspaces())
            .inferenceWorkspaceMode(row.workspaces())
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(row.family().input());
    String top = row.kind().piece().add(graph, "in");
    row.heads().piece().add(graph, row.between().piece().add(graph, top));
    List<String> outputs = new ArrayList<>();
    for (String name : List.of("a", "b", "c", "d")) {
      if (graph.getVertices().containsKey(name)) {
        outputs.add(name);
      }
    }
    ComputationGraph net =
        new ComputationGraph(graph.setOutputs(outputs.toArray(String[]::new)).build());
    net.init();
    return net;
  }

  private static List<long[]> outputShapes(Row row, ComputationGraph net) {
    return Arrays.stream(net.output(features(row.family()))).map(INDArray::shape).toList();
  }

  private static MultiDataSet batch(Row row, List<long[]> outputShapes, long seed) {
    Nd4j.getRandom().setSeed(seed);
    INDArray features = features(row.family());
    INDArray[] labels = new INDArray[outputShapes.size()];
    INDArray[] masks = new INDArray[labels.length];
    for (int i = 0; i < labels.length; i++) {
      // Between 0 and 1, those of classes summing to 1 at most: fits every loss.
      labels[i] = Nd4j.rand(DataType.DOUBLE, outputShapes.get(i));
      labels[i].muli(i == 1 ? 1.0 / CLASSES : 1.0);
      masks[i] = mask(row.masks(), outputShapes.get(i), i);
    }
    INDArray[] featureMasks = null;
    if (row.masks() == Masks.SOME && row.family().input().getType() == InputType.Type.RNN) {
      INDArray lengths = Nd4j.ones(DataType.DOUBLE, BATCH, TIME);
      lengths.putScalar(0, TIME - 1, 0.0);
      lengths.putScalar(1, TIME - 1, 0.0);
      lengths.putScalar(1, TIME - 2, 0.0);
      featureMasks = new INDArray[] {lengths};
    }
    return new MultiDataSet(
        new INDArray[] {features}, labels, featureMasks, row.masks() == Masks.NONE ? null : masks);
  }

  private static INDArray features(Family family) {
    if (family.name().equals("indices")) {
      return Nd4j.createFromArray(new double[][] {{1}, {4}, {4}, {6}});
    }
    if (family.name().equals("index series")) {
      return Nd4j.rand(DataType.DOUBLE, BATCH, 1, TIME)
          .muli(6.99)
          .castTo(DataType.INT32)
          .castTo(DataType.DOUBLE);
    }
    long[] shape = family.input().getShape(true);
    shape[0] = BATCH;
    return Nd4j.randn(DataType.DOUBLE, shape);
  }

  /** Some examples, or time steps, or task 1 altogether, are without a label. */
  private static INDArray mask(Masks masks, long[] output, int task) {
    if (masks == Masks.NONE) {
      return null;
    }
    long[] shape = output.clone();
    if (shape.length == 3) {
      shape = new long[] {shape[0], shape[2]}; // one per time step
    } else {
      shape[1] = 1; // one per example or pixel
    }
    INDArray mask = Nd4j.ones(DataType.DOUBLE, shape);
    if (masks == Masks.TASK_ABSENT && task == 1) {
      return mask.assign(0.0);
    }
    if (masks == Masks.SOME) {
      long[] index = new long[shape.length];
      index[0] = task % BATCH;
      mask.putScalar(index, 0.0);
    }
    return mask;
  }
}
