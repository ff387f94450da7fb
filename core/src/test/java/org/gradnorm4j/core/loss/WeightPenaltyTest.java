package org.gradnorm4j.core.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.loss.CompositeLossTest.batch;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.probe.CompositeMeasurementTest;
import org.gradnorm4j.core.probe.CompositeMeasurementTest.Kind;
import org.gradnorm4j.core.probe.GradientNormProbe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** The gradient of a penalty, and whose updates an attached probe moves. */
class WeightPenaltyTest {

  /** (R(w + h) − R(w − h)) / 2h for every weight, none of which is near 0. */
  @ParameterizedTest
  @ValueSource(doubles = {0.0, 0.3, 1.0})
  void gradient_matchesFiniteDifferencesOfTheScore(double l1Ratio) {
    WeightPenalty penalty = WeightPenalty.elasticNet("R", 0.7, l1Ratio);
    Nd4j.getRandom().setSeed(1);
    INDArray w = Nd4j.rand(DataType.DOUBLE, 3, 4).addi(0.1);
    w.putRow(1, w.getRow(1).neg());
    INDArray gradient = w.like();
    penalty.apply(w, gradient, 0.1, 0, 0);
    double h = 1e-6;
    for (long i = 0; i < w.length(); i++) {
      double value = w.getDouble(i);
      double above = penalty.score(w.putScalar(i, value + h), 0, 0);
      double below = penalty.score(w.putScalar(i, value - h), 0, 0);
      w.putScalar(i, value);
      assertThat(gradient.getDouble(i)).isCloseTo((above - below) / (2 * h), within(1e-8));
    }
  }

  /** Several configurations may hold one penalty object; only the attached network's is driven. */
  @Test
  void penaltyObjectOfSeveralNetworks_isMovedInTheAttachedOneOnly() {
    List<Regularization> same = List.of(WeightPenalty.l2("R", 0.02));
    MultiLayerNetwork net = CompositeLossTest.network(new LossMCXENT(), same);
    MultiLayerNetwork other = CompositeLossTest.network(new LossMCXENT(), same);
    MultiLayerNetwork plain =
        CompositeLossTest.network(new LossMCXENT(), List.of(WeightPenalty.l2("R", 0.02)));
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("fc"), step -> {});
    probe.lossWeights(1.0, 5.0);
    for (MultiLayerNetwork each : List.of(net, other, plain)) {
      each.fit(batch(1));
    }
    assertBitIdentical(other.params(), plain.params());
    assertThat(net.params()).isNotEqualTo(plain.params());
  }

  static Stream<Layer> layersThatHoldTheirPenaltyElsewhere() {
    return Stream.of(
        new LSTM.Builder().nOut(3).build(),
        new Bidirectional(Bidirectional.Mode.ADD, new LSTM.Builder().nOut(3).build()),
        new SelfAttentionLayer.Builder().nOut(3).nHeads(1).headSize(3).projectInput(true).build());
  }

  @ParameterizedTest
  @MethodSource("layersThatHoldTheirPenaltyElsewhere")
  void penaltyOfEveryKindOfLayer_isMovedWhileAttached(Layer layer) {
    MultiLayerNetwork net = penalised(layer, 0.02);
    MultiLayerNetwork heavy = penalised(layer, 0.5);
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("layer0"), step -> {});
    probe.lossWeights(1.0, 0.5);
    DataSet data = CompositeMeasurementTest.data(Kind.LSTM, 4, 1);
    net.fit(data);
    heavy.fit(data);
    assertBitIdentical(net.params(), heavy.params());
    probe.detach();
    MultiLayerNetwork light = penalised(layer, 0.02);
    light.setParams(net.params());
    light.getUpdater().getStateViewArray().assign(net.getUpdater().getStateViewArray());
    light.setIterationCount(net.getIterationCount());
    net.fit(data);
    light.fit(data);
    assertBitIdentical(net.params(), light.params());
  }

  private static MultiLayerNetwork penalised(Layer layer, double weight) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .updater(new Adam(0.01))
                .regularization(List.<Regularization>of(WeightPenalty.l2("R", weight)))
                .list()
                .layer(layer.clone())
                .layer(
                    new RnnOutputLayer.Builder(new LossMSE())
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(InputType.recurrent(3, 4))
                .build());
    net.init();
    return net;
  }
}
