package org.gradnorm4j.core.probe;

import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** Smallest networks of two tasks whose layer "shared" gets the features, and their batches. */
final class InputNetworks {
  private static final int N = 4;
  private static final int IN = 3;
  private static final int OUT = 2;
  private static final int TIME = 3;
  private static final int SIDE = 4;

  private InputNetworks() {}

  /** An array of a minibatch; masks are those of the first output and of the one input. */
  enum Role {
    FEATURES((batch, array) -> batch.setFeatures(0, array)),
    LABELS((batch, array) -> batch.setLabels(0, array)),
    LABEL_MASK(
        (batch, array) -> {
          INDArray[] masks = new INDArray[batch.numLabelsArrays()];
          masks[0] = array;
          batch.setLabelsMaskArray(masks);
        }),
    FEATURE_MASK((batch, array) -> batch.setFeaturesMaskArrays(new INDArray[] {array}));

    private final BiConsumer<MultiDataSet, INDArray> put;

    Role(BiConsumer<MultiDataSet, INDArray> put) {
      this.put = put;
    }
  }

  /** What runs through the network, and which of DL4J's two kinds it is. */
  enum Kind {
    GRAPH_OF_VECTORS(2, InputNetworks::graphOfVectors),
    GRAPH_OF_SERIES(3, InputNetworks::graphOfSeries),
    GRAPH_OF_IMAGES(4, InputNetworks::graphOfImages),
    NETWORK_OF_VECTORS(2, InputNetworks::networkOfVectors),
    NETWORK_OF_SERIES(3, InputNetworks::networkOfSeries);

    private final int rank;
    private final Function<DataType, Model> builder;

    Kind(int rank, Function<DataType, Model> builder) {
      this.rank = rank;
      this.builder = builder;
    }

    Model build(DataType type) {
      return builder.apply(type);
    }

    private long[] shape(int width) {
      return switch (rank) {
        case 2 -> new long[] {N, width};
        case 3 -> new long[] {N, width, TIME};
        default -> new long[] {N, width, SIDE, SIDE};
      };
    }

    /** Those DL4J knows in this place, and some it does not. */
    List<long[]> shapes(Role role) {
      return switch (role) {
        case FEATURES -> List.of(shape(IN));
        case LABELS -> List.of(shape(OUT), new long[] {N, 1}, new long[] {N});
        case LABEL_MASK, FEATURE_MASK -> shapesOfMasks();
      };
    }

    private List<long[]> shapesOfMasks() {
      return switch (rank) {
        case 2 ->
            List.of(
                shape(OUT),
                new long[] {N, 1},
                new long[] {N},
                new long[] {1, OUT},
                new long[] {1, 1},
                new long[] {});
        case 3 ->
            List.of(
                shape(OUT),
                shape(1),
                new long[] {N, TIME},
                new long[] {N, 1},
                new long[] {N * TIME, 1});
        default ->
            List.of(
                shape(OUT),
                shape(1),
                new long[] {N, 1, SIDE, 1},
                new long[] {N, 1, 1, 1},
                new long[] {N, SIDE, SIDE},
                new long[] {N, 1});
      };
    }

    /** A minibatch in the type of the network, but for one array. */
    MultiDataSet batch(DataType type, Role role, INDArray array) {
      INDArray[] labels = new INDArray[name().startsWith("GRAPH") ? 2 : 1];
      Arrays.setAll(labels, i -> bits(shape(OUT)).castTo(type).muli(i + 1));
      MultiDataSet batch = new MultiDataSet(new INDArray[] {bits(shape(IN)).castTo(type)}, labels);
      role.put.accept(batch, array);
      return batch;
    }
  }

  /** Ones and zeros, which every type can hold, and no example like the next. */
  static INDArray bits(long... shape) {
    INDArray array = Nd4j.ones(DataType.DOUBLE, shape);
    for (long i = 0; i < array.length() && shape.length > 0; i++) {
      array.putScalar(i, i % 3 == 0 || i % 7 == 1 ? 1.0 : 0.0);
    }
    return array;
  }

  static void fit(Model net, MultiDataSet batch) {
    if (net instanceof ComputationGraph graph) {
      graph.fit(batch);
    } else {
      ((MultiLayerNetwork) net)
          .fit(
              batch.getFeatures(0),
              batch.getLabels(0),
              batch.getFeaturesMaskArray(0),
              batch.getLabelsMaskArray(0));
    }
  }

  private static GraphBuilder graph(DataType type, InputType input, Layer shared) {
    return configuration(type)
        .graphBuilder()
        .addInputs("in")
        .setInputTypes(input)
        .setOutputs("a", "b")
        .addLayer("shared", shared, "in");
  }

  private static NeuralNetConfiguration.Builder configuration(DataType type) {
    return new NeuralNetConfiguration.Builder()
        .seed(3)
        .dataType(type)
        .activation(Activation.IDENTITY)
        .updater(new Sgd(0.1));
  }

  private static ComputationGraph built(GraphBuilder configuration) {
    ComputationGraph net = new ComputationGraph(configuration.build());
    net.init();
    return net;
  }

  private static ComputationGraph graphOfVectors(DataType type) {
    Layer shared = new DenseLayer.Builder().nOut(OUT).activation(Activation.RELU).build();
    return built(
        graph(type, InputType.feedForward(IN), shared)
            .addLayer("a", new OutputLayer.Builder(new LossMSE()).nOut(OUT).build(), "shared")
            .addLayer("b", new OutputLayer.Builder(new LossMAE()).nOut(OUT).build(), "shared"));
  }

  private static ComputationGraph graphOfSeries(DataType type) {
    return built(
        graph(type, InputType.recurrent(IN, TIME), new LSTM.Builder().nOut(OUT).build())
            .addLayer("a", new RnnOutputLayer.Builder(new LossMSE()).nOut(OUT).build(), "shared")
            .addLayer("b", new RnnOutputLayer.Builder(new LossMAE()).nOut(OUT).build(), "shared"));
  }

  private static ComputationGraph graphOfImages(DataType type) {
    Layer shared = new ConvolutionLayer.Builder(1, 1).nOut(OUT).activation(Activation.RELU).build();
    return built(
        graph(type, InputType.convolutional(SIDE, SIDE, IN), shared)
            .addLayer("headA", new ConvolutionLayer.Builder(1, 1).nOut(OUT).build(), "shared")
            .addLayer("headB", new ConvolutionLayer.Builder(1, 1).nOut(OUT).build(), "shared")
            .addLayer("a", new CnnLossLayer.Builder(new LossMSE()).build(), "headA")
            .addLayer("b", new CnnLossLayer.Builder(new LossMAE()).build(), "headB"));
  }

  private static MultiLayerNetwork networkOfVectors(DataType type) {
    return network(
        type,
        InputType.feedForward(IN),
        new DenseLayer.Builder().name("shared").nOut(OUT).build(),
        new OutputLayer.Builder(terms()).nOut(OUT).build());
  }

  private static MultiLayerNetwork networkOfSeries(DataType type) {
    return network(
        type,
        InputType.recurrent(IN, TIME),
        new LSTM.Builder().name("shared").nOut(OUT).build(),
        new RnnOutputLayer.Builder(terms()).nOut(OUT).build());
  }

  private static CompositeLoss terms() {
    return CompositeLoss.builder()
        .term("a", 1.0, new LossMSE())
        .term("b", 1.0, new LossMAE())
        .build();
  }

  private static MultiLayerNetwork network(
      DataType type, InputType input, Layer shared, Layer output) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            configuration(type).list().layer(shared).layer(output).setInputType(input).build());
    net.init();
    return net;
  }
}
