package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.batch;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.network;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.io.Serial;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.memory.MemoryReport;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.BaseGraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.probe.MultiTaskNetworks.Spec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/**
 * Vertices and layers are told apart by identity. DL4J makes them equal by value: {@code hashCode}
 * of one whose arrays lie in a workspace that was closed by an exception throws.
 */
class IdentityTest {

  /** How a fit fails, so that its arrays stay behind. */
  enum Failure {
    LABELS_OF_ANOTHER_SHAPE,
    LISTENER_AFTER_THE_FORWARD_PASS,
    LISTENER_AFTER_THE_BACKWARD_PASS
  }

  private static Spec dense() {
    return Spec.dense(2, 2, WorkspaceMode.ENABLED);
  }

  /** Vertices with and without layers between W and the point where the tasks part. */
  private static Spec replayed() {
    return Spec.of(
        (graph, net) -> {
          graph
              .addLayer("below", new DenseLayer.Builder().nIn(7).nOut(6).build(), "in")
              .addLayer("fc", new DenseLayer.Builder().nIn(6).nOut(5).build(), "below")
              .addVertex("scaled", new ScaleVertex(0.5), "fc")
              .addLayer("shared", new BatchNormalization.Builder().nOut(5).build(), "scaled");
        });
  }

  static Stream<Arguments> failures() {
    return Stream.of(Failure.values())
        .flatMap(
            failure ->
                Stream.of(
                    Arguments.of(failure, dense(), List.of("shared")),
                    Arguments.of(failure, dense(), List.of("below", "shared")),
                    Arguments.of(failure, replayed(), List.of("below", "fc"))));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void attachDetachAndAttachAgain_afterAFitThatThrew(
      Failure failure, Spec spec, List<String> sharedLayers) {
    ComputationGraph net = network(spec);
    ComputationGraph plain = network(spec);
    List<StepMeasurement> steps = new ArrayList<>();
    fail(net, spec, failure);
    fail(plain, spec, failure);
    GradientNormProbe.attach(net, sharedLayers, steps::add).detach();
    GradientNormProbe probe = GradientNormProbe.attach(net, sharedLayers, steps::add);
    fail(net, spec, failure);
    fail(plain, spec, failure);
    probe.detach();
    steps.clear();
    GradientNormProbe.attach(net, sharedLayers, steps::add);
    for (int i = 1; i <= 2; i++) {
      net.fit(batch(spec, 8, i));
      plain.fit(batch(spec, 8, i));
    }
    assertThat(steps).hasSize(2);
    assertBitIdentical(net.params(), plain.params());
  }

  private static void fail(ComputationGraph net, Spec spec, Failure failure) {
    MultiDataSet batch = batch(spec, 8, 1);
    if (failure == Failure.LABELS_OF_ANOTHER_SHAPE) {
      batch.setLabels(1, Nd4j.zeros(spec.dataType(), 8, 9));
    } else {
      net.setListeners(
          new BaseTrainingListener() {
            @Override
            public void onForwardPass(Model model, Map<String, INDArray> activations) {
              if (failure == Failure.LISTENER_AFTER_THE_FORWARD_PASS) {
                throw new IllegalStateException("no");
              }
            }

            @Override
            public void onBackwardPass(Model model) {
              throw new IllegalStateException("no");
            }
          });
    }
    assertThatThrownBy(() -> net.fit(batch)).isInstanceOf(RuntimeException.class);
    net.setListeners();
  }

  @Test
  void attachToAMultiLayerNetwork_afterAFitThatThrew() {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .dataType(DataType.DOUBLE)
                .list()
                .layer(new DenseLayer.Builder().nIn(7).nOut(6).build())
                .layer(
                    new OutputLayer.Builder(
                            CompositeLoss.builder()
                                .term("squared", 1.0, new LossMSE())
                                .term("absolute", 1.0, new LossMAE())
                                .build())
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    net.init();
    INDArray features = batch(dense(), 8, 1).getFeatures(0);
    List<StepMeasurement> steps = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> net.fit(features, Nd4j.zeros(DataType.DOUBLE, 8, 9)))
          .isInstanceOf(RuntimeException.class);
      GradientNormProbe probe = GradientNormProbe.attach(net, List.of("layer0"), steps::add);
      net.fit(features, Nd4j.ones(DataType.DOUBLE, 8, 3));
      probe.detach();
    }
    assertThat(steps).hasSize(2);
  }

  /** The kind: nobody asks a vertex of the user's whether it equals another. */
  @Test
  void vertexThatCannotBeComparedOrHashed_isAttachedTrainedAndDetached() {
    Spec spec =
        Spec.of(
            (graph, net) -> {
              graph
                  .addLayer(
                      "below",
                      new DenseLayer.Builder().nIn(7).nOut(5).activation(Activation.TANH).build(),
                      "in")
                  .addVertex("apart", new IncomparableConfiguration(), "below")
                  .addLayer("wide", new DenseLayer.Builder().nIn(5).nOut(5).build(), "apart")
                  .addVertex("shared", new IncomparableConfiguration(), "wide");
            });
    for (List<String> sharedLayers : List.of(List.of("wide"), List.of("below", "wide"))) {
      ComputationGraph net = network(spec);
      ComputationGraph plain = network(spec);
      List<StepMeasurement> steps = new ArrayList<>();
      for (int i = 1; i <= 2; i++) {
        GradientNormProbe probe = GradientNormProbe.attach(net, sharedLayers, steps::add);
        net.fit(batch(spec, 8, i));
        plain.fit(batch(spec, 8, i));
        probe.detach();
      }
      assertThat(steps).hasSize(2);
      assertBitIdentical(net.params(), plain.params());
    }
  }

  /** Passes on what it gets. */
  @SuppressWarnings("overrides") // DL4J declares setInputs with and without varargs
  private static final class Incomparable extends BaseGraphVertex {
    @Serial private static final long serialVersionUID = 1L;

    Incomparable(ComputationGraph graph, String name, int index, DataType type) {
      super(graph, name, index, new VertexIndices[1], new VertexIndices[1], type);
    }

    @Override
    public boolean hasLayer() {
      return false;
    }

    @Override
    public org.deeplearning4j.nn.api.Layer getLayer() {
      return null;
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
      return workspaces.dup(ArrayType.ACTIVATIONS, inputs[0]);
    }

    @Override
    public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
      return new Pair<>(
          null, new INDArray[] {workspaces.dup(ArrayType.ACTIVATION_GRAD, getEpsilon())});
    }

    @Override
    public void setBackpropGradientsViewArray(INDArray gradients) {}

    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArrays(
        INDArray[] masks, MaskState state, int batchSize) {
      return null;
    }

    @Override
    public boolean equals(Object other) {
      throw new UnsupportedOperationException("equals");
    }

    @Override
    public int hashCode() {
      throw new UnsupportedOperationException("hashCode");
    }

    @Override
    public String toString() {
      return vertexName;
    }
  }

  /** Makes {@link Incomparable}s. */
  static final class IncomparableConfiguration extends GraphVertex {
    @Serial private static final long serialVersionUID = 1L;

    @Override
    public GraphVertex clone() {
      return new IncomparableConfiguration();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof IncomparableConfiguration;
    }

    @Override
    public int hashCode() {
      return 1;
    }

    @Override
    public long numParams(boolean backprop) {
      return 0;
    }

    @Override
    public int minVertexInputs() {
      return 1;
    }

    @Override
    public int maxVertexInputs() {
      return 1;
    }

    @Override
    public org.deeplearning4j.nn.graph.vertex.GraphVertex instantiate(
        ComputationGraph graph,
        String name,
        int index,
        INDArray params,
        boolean initializeParams,
        DataType type) {
      return new Incomparable(graph, name, index, type);
    }

    @Override
    public InputType getOutputType(int index, InputType... inputs) {
      return inputs[0];
    }

    @Override
    public MemoryReport getMemoryReport(InputType... inputs) {
      throw new UnsupportedOperationException();
    }
  }
}
