package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.internal.dl4j.UninformedLoss;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** Which tasks a minibatch has labels of. The oracle is the loss by plain loops over the output. */
class MaskedTaskTest {
  private static final int BATCH = 8;
  private static final int TIME = 5;

  private final List<StepMeasurement> steps = new ArrayList<>();

  private StepMeasurement last() {
    return steps.get(steps.size() - 1);
  }

  private static ComputationGraph graph() {
    return MultiTaskNetworks.network(MultiTaskNetworks.Spec.dense(2, 1, WorkspaceMode.ENABLED));
  }

  private static MultiDataSet batch(INDArray... masks) {
    MultiDataSet batch =
        MultiTaskNetworks.batch(
            MultiTaskNetworks.Spec.dense(2, 1, WorkspaceMode.ENABLED), BATCH, 3);
    batch.setLabelsMaskArray(masks);
    return batch;
  }

  /** Σ_e mask · (prediction − label)² / columns, as LossMSE has it, summed over all elements. */
  private static double squaredError(INDArray output, INDArray labels, INDArray elementMask) {
    double sum = 0.0;
    for (int row = 0; row < labels.size(0); row++) {
      for (int column = 0; column < labels.size(1); column++) {
        double difference = output.getDouble(row, column) - labels.getDouble(row, column);
        sum += elementMask.getDouble(row, column) * difference * difference / labels.size(1);
      }
    }
    return sum;
  }

  @Test
  void withoutMasks_allArePresent_andBothMeansAreOne() {
    ComputationGraph net = graph();
    GradientNormProbe.attach(net, steps::add);
    net.fit(batch((INDArray[]) null));
    assertThat(last().present()).containsExactly(true, true);
    assertThat(last().lossesPerLabel()).isEqualTo(last().losses());
  }

  @Test
  void maskOfZeros_makesATaskAbsent() {
    ComputationGraph net = graph();
    GradientNormProbe.attach(net, steps::add);
    for (INDArray zeros :
        List.of(Nd4j.zeros(DataType.DOUBLE, BATCH, 1), Nd4j.zeros(DataType.DOUBLE, BATCH, 3))) {
      net.fit(batch(zeros, null));
      assertThat(last().present()).containsExactly(false, true);
      assertThat(last().losses()[0]).isZero();
      assertThat(last().lossesPerLabel()[0]).isNaN();
      assertThat(last().gradientNorms()[0]).isZero();
      assertThat(last().lossesPerLabel()[1]).isEqualTo(last().losses()[1]).isPositive();
    }
    net.fit(batch((INDArray[]) null));
    assertThat(last().present()).containsExactly(true, true);
  }

  /** A loss of exactly zero is not an absent task: only the mask tells. */
  @Test
  void zeroLoss_isPresent() {
    ComputationGraph net = graph();
    GradientNormProbe.attach(net, steps::add);
    MultiDataSet batch = batch((INDArray[]) null);
    batch.setLabels(0, net.output(batch.getFeatures())[0].dup());
    net.fit(batch);
    assertThat(last().losses()[0]).isZero();
    assertThat(last().present()).containsExactly(true, true);
  }

  @Test
  void partialMasks_byRowAndByElement() {
    ComputationGraph net = graph();
    GradientNormProbe.attach(net, steps::add);
    INDArray rows = Nd4j.zeros(DataType.DOUBLE, BATCH, 1);
    rows.putScalar(2, 0, 1.0);
    rows.putScalar(5, 0, 1.0);
    INDArray elements = Nd4j.zeros(DataType.DOUBLE, BATCH, 3);
    elements.putScalar(1, 0, 1.0);
    elements.putScalar(1, 2, 1.0);
    elements.putScalar(7, 1, 1.0);
    for (INDArray mask : List.of(rows, elements)) {
      MultiDataSet batch = batch(mask, null);
      INDArray byElement = mask.size(1) == 1 ? mask.repeat(1, 3) : mask;
      INDArray output = net.output(batch.getFeatures())[0];
      double sum = squaredError(output, batch.getLabels(0), byElement);
      double labels = byElement.sumNumber().doubleValue() / 3; // 2 rows; 3 of 24 elements: 1 row
      net.fit(batch);
      assertThat(last().present()).containsExactly(true, true);
      assertThat(last().losses()[0]).isCloseTo(sum / BATCH, within(1e-12));
      assertThat(last().lossesPerLabel()[0]).isCloseTo(sum / labels, within(1e-12));
    }
  }

  @Test
  void series_countTimeSteps() {
    LSTM.Builder trunk = new LSTM.Builder().nIn(2).nOut(4).activation(Activation.TANH);
    ComputationGraph net =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.1))
                .graphBuilder()
                .addInputs("in")
                .addLayer("trunk", trunk.build(), "in")
                .addLayer("a", series(), "trunk")
                .addLayer("b", series(), "trunk")
                .setOutputs("a", "b")
                .setInputTypes(InputType.recurrent(2))
                .build());
    net.init();
    GradientNormProbe.attach(net, steps::add);
    Nd4j.getRandom().setSeed(4);
    INDArray x = Nd4j.randn(DataType.DOUBLE, BATCH, 2, TIME);
    INDArray y = Nd4j.randn(DataType.DOUBLE, BATCH, 3, TIME);
    INDArray mask = Nd4j.zeros(DataType.DOUBLE, BATCH, TIME);
    double sum = 0.0;
    INDArray output = net.output(x)[0];
    for (int n = 0; n < 3; n++) {
      for (int t = 0; t <= n; t++) { // 1 + 2 + 3 time steps
        mask.putScalar(n, t, 1.0);
        for (int c = 0; c < 3; c++) {
          double difference = output.getDouble(n, c, t) - y.getDouble(n, c, t);
          sum += difference * difference / 3;
        }
      }
    }
    net.fit(
        new MultiDataSet(
            new INDArray[] {x},
            new INDArray[] {y, y},
            null,
            new INDArray[] {mask, Nd4j.zeros(DataType.DOUBLE, BATCH, TIME)}));
    assertThat(last().present()).containsExactly(true, false);
    assertThat(last().losses()[0]).isCloseTo(sum / BATCH, within(1e-12));
    assertThat(last().lossesPerLabel()[0]).isCloseTo(sum / 6, within(1e-12));

    net.fit(new MultiDataSet(new INDArray[] {x}, new INDArray[] {y, y}));
    assertThat(last().lossesPerLabel()[0])
        .isCloseTo(last().losses()[0] / TIME, within(1e-12)); // N·TIME labels, N examples
  }

  private static RnnOutputLayer series() {
    return new RnnOutputLayer.Builder(LossFunction.MSE)
        .nIn(4)
        .nOut(3)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static MultiLayerNetwork composite() {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.1))
                .list()
                .layer(new DenseLayer.Builder().nIn(7).nOut(6).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(
                            CompositeLoss.builder()
                                .term("squared", 1.0, new LossMSE())
                                .term("absolute", 0.1, new LossMAE())
                                .build())
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .regularization(List.of(WeightPenalty.l2("penalty", 0.1)))
                        .build())
                .build());
    net.init();
    return net;
  }

  /** The terms of one output share its mask; a penalty needs no labels. */
  @Test
  void termsOfOneOutput_areAbsentTogether_thePenaltyIsNot() {
    MultiLayerNetwork net = composite();
    GradientNormProbe.attach(net, List.of(), steps::add);
    MultiDataSet batch = batch((INDArray[]) null);
    net.fit(batch.getFeatures(0), batch.getLabels(0), null, Nd4j.zeros(DataType.DOUBLE, BATCH, 1));
    assertThat(last().taskNames()).containsExactly("squared", "absolute", "penalty");
    assertThat(last().present()).containsExactly(false, false, true);
    assertThat(last().lossesPerLabel()[2]).isEqualTo(last().losses()[2]).isPositive();
    net.fit(batch.getFeatures(0), batch.getLabels(0));
    assertThat(last().present()).containsExactly(true, true, true);
  }

  @Test
  void uninformedLosses_areKnownOfClassifiersOnly() {
    GradientNormProbe probe = GradientNormProbe.attach(graph(), steps::add);
    assertThat(probe.tasks().uninformedLosses()).containsExactly(Double.NaN, Math.log(3));
    assertThat(
            GradientNormProbe.attach(composite(), List.of(), steps::add).tasks().uninformedLosses())
        .containsOnly(Double.NaN);
    OutputLayer.Builder softmax = new OutputLayer.Builder().nOut(10).activation(Activation.SOFTMAX);
    OutputLayer.Builder sigmoid = new OutputLayer.Builder().nOut(4).activation(Activation.SIGMOID);
    assertThat(UninformedLoss.of(softmax.build(), new LossMCXENT())).isEqualTo(Math.log(10));
    assertThat(
            UninformedLoss.of(
                softmax.build(), LossFunction.NEGATIVELOGLIKELIHOOD.getILossFunction()))
        .isEqualTo(Math.log(10));
    assertThat(UninformedLoss.of(softmax.build(), LossFunction.SPARSE_MCXENT.getILossFunction()))
        .isEqualTo(Math.log(10));
    assertThat(UninformedLoss.of(sigmoid.build(), LossFunction.XENT.getILossFunction()))
        .isEqualTo(4 * Math.log(2));
    assertThat(UninformedLoss.of(sigmoid.build(), new LossMCXENT())).isNaN();
    assertThat(UninformedLoss.of(softmax.build(), new LossMCXENT(Nd4j.ones(1, 10)))).isNaN();
    assertThat(UninformedLoss.of(softmax.build(), new LossMSE())).isNaN();
  }
}
