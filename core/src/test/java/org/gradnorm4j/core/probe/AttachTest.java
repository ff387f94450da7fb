package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.Tasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What cannot be measured is refused at attach, by name, with reason and remedy. */
class AttachTest {

  private static ComputationGraph graph(Consumer<GraphBuilder> layers) {
    return graph(OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT, layers);
  }

  private static ComputationGraph graph(
      OptimizationAlgorithm algorithm, Consumer<GraphBuilder> layers) {
    GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .updater(new Sgd(0.1))
            .optimizationAlgo(algorithm)
            .graphBuilder()
            .addInputs("in");
    layers.accept(builder);
    ComputationGraph graph = new ComputationGraph(builder.build());
    graph.init();
    return graph;
  }

  private static Layer dense() {
    return new DenseLayer.Builder().nIn(4).nOut(4).build();
  }

  private static Layer output() {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nIn(4)
        .nOut(4)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static GraphBuilder twoHeads(GraphBuilder graph, String below) {
    return graph.addLayer("a", output(), below).addLayer("b", output(), below).setOutputs("a", "b");
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(
            "unknown layer",
            graph(g -> twoHeads(g.addLayer("fc", dense(), "in"), "fc")),
            "fc9",
            "layer 'fc9' is not in the graph. Shared by all outputs: [fc]"),
        Arguments.of(
            "vertex without a layer",
            graph(
                g ->
                    twoHeads(
                        g.addLayer("fc", dense(), "in").addVertex("merge", new MergeVertex(), "fc"),
                        "merge")),
            "merge",
            "'merge' is no layer. Shared by all outputs: [fc]"),
        Arguments.of(
            "frozen",
            graph(
                g ->
                    twoHeads(
                        g.addLayer("fc", new FrozenLayer(dense()), "in")
                            .addLayer("fc2", dense(), "fc"),
                        "fc2")),
            "fc",
            "layer 'fc' is frozen, its weights do not train. Unfreeze it, or choose another. Shared by all outputs: [fc2]"),
        Arguments.of(
            "frozen, but lets gradients pass",
            graph(
                g -> twoHeads(g.addLayer("fc", new FrozenLayerWithBackprop(dense()), "in"), "fc")),
            "fc",
            "layer 'fc' is frozen, its weights do not train. Unfreeze it, or choose another. Shared by all outputs: []"),
        Arguments.of(
            "without weights",
            graph(
                g ->
                    twoHeads(
                        g.addLayer("fc", dense(), "in")
                            .addLayer("relu", new ActivationLayer(Activation.RELU), "fc"),
                        "relu")),
            "relu",
            "layer 'relu' (ActivationLayer) has no weights to take a gradient of. Shared by all outputs: [fc]"),
        Arguments.of(
            "not shared",
            graph(
                g ->
                    g.addLayer("fc1", dense(), "in")
                        .addLayer("fc2", dense(), "fc1")
                        .addLayer("a", output(), "fc2")
                        .addLayer("b", output(), "fc1")
                        .setOutputs("a", "b")),
            "fc2",
            "layer 'fc2' is not shared: output 'b' does not depend on it. Shared by all outputs: [fc1]"),
        Arguments.of(
            "cut off by a frozen layer",
            graph(
                g ->
                    g.addLayer("fc1", dense(), "in")
                        .addLayer("fc2", new FrozenLayer(dense()), "fc1")
                        .addLayer("a", output(), "fc2")
                        .addLayer("b", output(), "fc1")
                        .setOutputs("a", "b")),
            "fc1",
            "layer 'fc1' gets no gradient from output 'a': frozen layers lie between them. Unfreeze them, or choose another. Shared by all outputs: []"),
        Arguments.of(
            "an output",
            graph(g -> twoHeads(g.addLayer("fc", dense(), "in"), "fc")),
            "a",
            "layer 'a' is not shared: output 'b' does not depend on it. Shared by all outputs: [fc]"),
        Arguments.of(
            "an output without an ILossFunction of its own",
            graph(
                g ->
                    g.addLayer("fc", dense(), "in")
                        .addLayer("a", output(), "fc")
                        .addLayer(
                            "b",
                            new CenterLossOutputLayer.Builder(LossFunction.MSE)
                                .nIn(4)
                                .nOut(4)
                                .activation(Activation.IDENTITY)
                                .build(),
                            "fc")
                        .setOutputs("a", "b")),
            null,
            "output 'b' (CenterLossOutputLayer): its gradient does not come from an ILossFunction alone, so it cannot be weighted. Use OutputLayer, LossLayer, or their Rnn/Cnn forms"),
        Arguments.of(
            "an output that is no output layer",
            graph(
                g ->
                    g.addLayer("fc", dense(), "in")
                        .addLayer("a", output(), "fc")
                        .addLayer("b", dense(), "fc")
                        .setOutputs("a", "b")),
            null,
            "output 'b' (DenseLayer): its gradient does not come from an ILossFunction alone, so it cannot be weighted. Use OutputLayer, LossLayer, or their Rnn/Cnn forms"),
        Arguments.of(
            "an output that is a vertex",
            graph(
                g ->
                    g.addLayer("fc", dense(), "in")
                        .addLayer("a", output(), "fc")
                        .addVertex("b", new MergeVertex(), "fc")
                        .setOutputs("a", "b")),
            null,
            "output 'b' is no output layer, it has no loss. End it with an OutputLayer"),
        Arguments.of(
            "an output that feeds another head",
            graph(
                g ->
                    g.addLayer("fc", dense(), "in")
                        .addLayer("a", output(), "fc")
                        .addLayer("b", output(), "a")
                        .setOutputs("a", "b")),
            null,
            "output 'a' feeds other layers, and DL4J does not train through an output. Let them start from the layer below it"),
        Arguments.of(
            "line search",
            graph(
                OptimizationAlgorithm.LBFGS, g -> twoHeads(g.addLayer("fc", dense(), "in"), "fc")),
            null,
            "optimization algorithm LBFGS searches along a line and takes several gradients a step. Use STOCHASTIC_GRADIENT_DESCENT with any updater"),
        Arguments.of(
            "one task",
            graph(
                g -> g.addLayer("fc", dense(), "in").addLayer("a", output(), "fc").setOutputs("a")),
            null,
            "there is the one loss [a] only: balancing takes two or more. Use several outputs, a CompositeLoss of several terms, or a WeightPenalty"),
        Arguments.of(
            "nothing shared",
            graph(
                g ->
                    g.addLayer("fa", dense(), "in")
                        .addLayer("fb", dense(), "in")
                        .addLayer("a", output(), "fa")
                        .addLayer("b", output(), "fb")
                        .setOutputs("a", "b")),
            null,
            "no trainable layer with weights is shared by all outputs [a, b]: there is no gradient to balance. Let the outputs depend on a common layer"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void attach_toWhatCannotBeMeasured_isRefusedAndChangesNothing(
      String why, ComputationGraph graph, String layer, String message) {
    GraphVertex[] before = graph.getVertices().clone();
    String json = graph.getConfiguration().toJson();
    assertThatThrownBy(
            () ->
                GradientNormProbe.attach(
                    graph, layer == null ? List.of() : List.of(layer), step -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
    assertThat(graph.getVertices()).hasSameSizeAs(before);
    for (int i = 0; i < before.length; i++) {
      assertThat(graph.getVertices()[i]).isSameAs(before[i]);
    }
    assertThat(graph.getConfiguration().toJson()).isEqualTo(json).doesNotContain("gradnorm4j");
  }

  @Test
  void attach_byDefault_takesTheLastLayerAllOutputsDependOn() {
    ComputationGraph graph =
        graph(
            g ->
                g.addLayer("fc1", dense(), "in")
                    .addLayer("fc2", dense(), "fc1")
                    .addLayer("ha", dense(), "fc2")
                    .addLayer("hb", dense(), "fc2")
                    .addLayer("a", output(), "ha")
                    .addLayer("b", output(), "hb")
                    .setOutputs("b", "a"));
    GradientNormProbe probe = GradientNormProbe.attach(graph, step -> {});
    assertThat(probe.sharedLayers()).containsExactly("fc2");
    assertThat(probe.taskNames()).containsExactly("b", "a");
    assertThat(probe.lossWeights()).containsExactly(1, 1);
  }

  @Test
  void nullArguments_areRefusedByName() {
    ComputationGraph graph = graph(g -> twoHeads(g.addLayer("fc", dense(), "in"), "fc"));
    GradientNormProbe probe = GradientNormProbe.attach(graph, step -> {});
    String network =
        "network (null) must not be null. Attach to a ComputationGraph or MultiLayerNetwork";
    assertRefused(() -> GradientNormProbe.attach((ComputationGraph) null, step -> {}), network);
    assertRefused(
        () -> GradientNormProbe.attach((MultiLayerNetwork) null, List.of(), step -> {}), network);
    String layers =
        ") must not be or contain null. Name layers of the network, or give an empty list for the default";
    assertRefused(
        () -> GradientNormProbe.attach(graph, null, step -> {}), "sharedLayers (null" + layers);
    assertRefused(
        () -> GradientNormProbe.attach(graph, Arrays.asList("fc", null), step -> {}),
        "sharedLayers ([fc, null]" + layers);
    assertRefused(
        () -> GradientNormProbe.attach(graph, null),
        "listener (null) must not be null. To measure without listening, give step -> {}");
    assertRefused(() -> probe.notAStep(null), "work (null) must not be null");
    assertRefused(
        () -> probe.lossWeights((double[]) null),
        "lossWeights (null) must have one value per task [a, b]");
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  @Test
  void lossWeights_byTask_leaveOthersAsTheyAre() {
    ComputationGraph graph = graph(g -> twoHeads(g.addLayer("fc", dense(), "in"), "fc"));
    GradientNormProbe probe = GradientNormProbe.attach(graph, step -> {});
    assertThat(probe.tasks()).isEqualTo(Tasks.of(List.of("a", "b")));
    probe.lossWeights(Map.of("b", 0.25));
    assertThat(probe.lossWeights()).containsExactly(1, 0.25);
    assertThat(probe.lossWeightsByTask()).hasToString("{a=1.0, b=0.25}");
    assertRefused(
        () -> probe.lossWeights(Map.of("c", 1.0)),
        "lossWeights has a weight for 'c', which is no task. Tasks: [a, b]");
    assertRefused(
        () -> probe.lossWeights(Map.of("a", 0.0)),
        "task 'a': loss weight (0.0) must be finite and not 0. Use a small weight instead, such as 1e-6");
    assertRefused(
        () -> probe.lossWeights((Map<String, Double>) null),
        "lossWeights (null) must name tasks [a, b]");
    assertThat(probe.lossWeights()).containsExactly(1, 0.25);
  }

  @Test
  void close_detaches() {
    ComputationGraph graph = graph(g -> twoHeads(g.addLayer("fc", dense(), "in"), "fc"));
    try (GradientNormProbe probe = GradientNormProbe.attach(graph, step -> {})) {
      assertThat(probe.taskNames()).containsExactly("a", "b");
    }
    GradientNormProbe.attach(graph, step -> {}).close(); // is not attached any more
  }

  @Test
  void attach_beforeInit_saysSo() {
    ComputationGraph graph =
        new ComputationGraph(
            graph(g -> twoHeads(g.addLayer("fc", dense(), "in"), "fc")).getConfiguration());
    assertThatThrownBy(() -> GradientNormProbe.attach(graph, step -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the graph is not initialised. Call init() first");
  }

  @Test
  void attach_twice_isRefusedUntilDetached() {
    ComputationGraph graph = graph(g -> twoHeads(g.addLayer("fc", dense(), "in"), "fc"));
    ComputationGraph sameConfiguration = new ComputationGraph(graph.getConfiguration());
    sameConfiguration.init();
    GradientNormProbe probe = GradientNormProbe.attach(graph, step -> {});
    for (ComputationGraph again : new ComputationGraph[] {graph, sameConfiguration}) {
      assertThatThrownBy(() -> GradientNormProbe.attach(again, step -> {}))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "output 'a' is attached already, to this graph or to one built from the same configuration object. Detach that one first, or build this graph from configuration.clone()");
    }
    probe.detach();
    GradientNormProbe.attach(graph, step -> {}).detach();
    GradientNormProbe.attach(sameConfiguration, step -> {}).detach();
  }

  @Test
  void lossWeights_thatCannotBeMeasured_areRefusedByTask() {
    ComputationGraph graph = graph(g -> twoHeads(g.addLayer("fc", dense(), "in"), "fc"));
    GradientNormProbe probe = GradientNormProbe.attach(graph, step -> {});
    probe.lossWeights(0.5, 1.5);
    assertThatThrownBy(() -> probe.lossWeights(1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("lossWeights (length 1) must have one value per task [a, b]");
    for (double bad : new double[] {0.0, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> probe.lossWeights(1, bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("task 'b': loss weight (" + bad + ") must be finite and not 0");
    }
    assertThat(probe.lossWeights()).containsExactly(0.5, 1.5);
  }

  @Test
  void attach_byDefault_takesNeitherNormalizationNorPRelu() {
    ComputationGraph graph =
        graph(
            g ->
                twoHeads(
                    g.addLayer("fc", dense(), "in")
                        .addLayer("bn", new BatchNormalization.Builder().nOut(4).build(), "fc")
                        .addLayer("prelu", new PReLULayer.Builder().inputShape(4).build(), "bn"),
                    "prelu"));
    GradientNormProbe probe = GradientNormProbe.attach(graph, step -> {});
    assertThat(probe.sharedLayers()).containsExactly("fc");
    probe.detach();
    probe = GradientNormProbe.attach(graph, List.of("bn", "prelu"), step -> {});
    assertThat(probe.sharedLayers()).containsExactly("bn", "prelu");
    probe.detach();
    assertThatThrownBy(() -> GradientNormProbe.attach(graph, List.of("bn", "bn"), step -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("layer 'bn' is named twice as a shared layer. Name it once");
  }

  /** Each addition doubles the number of paths through the frozen layers. */
  @Test
  @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
  void manyFrozenResidualBlocks_areReadOnce() {
    ComputationGraph net =
        graph(
            g -> {
              String block = "in";
              for (int i = 0; i < 40; i++) {
                g.addLayer("frozen" + i, new FrozenLayer(dense()), block)
                    .addVertex("sum" + i, new ElementWiseVertex(Op.Add), "frozen" + i, block);
                block = "sum" + i;
              }
              twoHeads(g.addLayer("w", dense(), block), "w");
            });
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of(), step -> {});
    assertThat(probe.sharedLayers()).containsExactly("w");
  }
}
