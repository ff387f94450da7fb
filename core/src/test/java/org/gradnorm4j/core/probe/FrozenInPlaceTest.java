package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.batch;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.network;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearningHelper;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.internal.dl4j.MeasuredNetwork;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.probe.MultiTaskNetworks.Spec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.slf4j.LoggerFactory;

/** Layers frozen in the network itself while a probe is attached: told once, and as in plain. */
class FrozenInPlaceTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger(MeasuredNetwork.class);
  private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

  @BeforeEach
  void listen() {
    logger.setAdditive(false);
    logger.addAppender(appender);
    appender.start();
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(appender);
    logger.setAdditive(true);
  }

  /** W is "shared"; "between" lies between it and the heads, and "below" before it. */
  private static Spec spec() {
    return Spec.of(
        (graph, net) ->
            graph
                .addLayer("below", new DenseLayer.Builder().nIn(7).nOut(6).build(), "in")
                .addLayer(
                    "w",
                    new DenseLayer.Builder()
                        .nIn(6)
                        .nOut(5)
                        .activation(Activation.RELU)
                        .dropOut(new Dropout(0.8)) // none where the layer is frozen
                        .build(),
                    "below")
                .addLayer(
                    "shared",
                    new DenseLayer.Builder().nIn(5).nOut(5).activation(Activation.RELU).build(),
                    "w"));
  }

  private void assertToldOnce(String layer) {
    assertThat(appender.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(
            "shared layer ["
                + layer
                + "] gets no gradient any more: it, or a layer behind it, was frozen or replaced after"
                + " attaching. The losses keep their weights, and nothing is measured. Detach, and attach to a"
                + " layer that trains");
  }

  @ParameterizedTest
  @ValueSource(strings = {"w", "shared"})
  void helperFreezesWOrALayerBehindIt_inAGraph(String frozen) {
    ComputationGraph net = network(spec());
    ComputationGraph plain = network(spec());
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("w"), steps::add);
    fit(net, plain, 1);
    assertThat(steps).hasSize(1);
    assertThat(appender.list).isEmpty();
    new TransferLearningHelper(net, frozen);
    new TransferLearningHelper(plain, frozen);
    for (int i = 2; i <= 4; i++) {
      fit(net, plain, i);
    }
    assertThat(steps).hasSize(1);
    assertToldOnce("w");
    probe.detach();
    assertThat(net.getVertex(frozen).getLayer()).isInstanceOf(FrozenLayer.class);
    fit(net, plain, 5); // what was frozen stays frozen
  }

  private static void fit(ComputationGraph net, ComputationGraph plain, int seed) {
    for (ComputationGraph each : List.of(net, plain)) {
      var batch = batch(spec(), 8, seed);
      Nd4j.getRandom().setSeed(seed);
      each.fit(batch);
    }
    assertBitIdentical(net.params(), plain.params());
  }

  @Test
  void helperFreezesALayerBelowW_measuringGoesOn() {
    ComputationGraph net = network(spec());
    ComputationGraph plain = network(spec());
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, List.of("shared"), steps::add);
    new TransferLearningHelper(net, "below");
    new TransferLearningHelper(plain, "below");
    fit(net, plain, 1);
    assertThat(steps).hasSize(1);
    assertThat(appender.list).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void helperFreezesW_inAMultiLayerNetwork(boolean afterAStep) {
    MultiLayerNetwork net = layers();
    MultiLayerNetwork plain = layers();
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, List.of("w"), steps::add);
    if (afterAStep) {
      fit(net, plain, 1);
    }
    int measured = steps.size();
    new TransferLearningHelper(net, 0);
    new TransferLearningHelper(plain, 0);
    for (int i = 2; i <= 4; i++) {
      fit(net, plain, i);
    }
    assertThat(steps).hasSize(measured);
    assertToldOnce("w");
  }

  private static MultiLayerNetwork layers() {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .trainingWorkspaceMode(WorkspaceMode.ENABLED)
                .list()
                .layer(new DenseLayer.Builder().name("w").nIn(7).nOut(6).build())
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
    return net;
  }

  private static void fit(MultiLayerNetwork net, MultiLayerNetwork plain, int seed) {
    Nd4j.getRandom().setSeed(seed);
    DataSet batch =
        new DataSet(Nd4j.randn(DataType.DOUBLE, 8, 7), Nd4j.randn(DataType.DOUBLE, 8, 3));
    net.fit(batch);
    plain.fit(batch);
    assertBitIdentical(net.params(), plain.params());
  }
}
