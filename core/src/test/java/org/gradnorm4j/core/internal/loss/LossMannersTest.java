package org.gradnorm4j.core.internal.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.probe.GradientNormProbe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossFMeasure;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossMixtureDensity;
import org.nd4j.linalg.lossfunctions.impl.LossMultiLabel;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossWasserstein;

/** What is written into: never what belongs to the user or to another term. */
class LossMannersTest {
  private static final int ROWS = 4;
  private static final IActivation IDENTITY = new ActivationIdentity();

  /** Every loss that counts as known, with and without weights. */
  static Stream<ILossFunction> knownLosses() {
    INDArray weights = Nd4j.createFromArray(1f, 2f, 0.5f);
    return Stream.concat(
            Arrays.stream(LossFunction.values()).map(LossFunction::getILossFunction),
            Stream.of(
                new LossMSE(weights),
                new LossL2(weights),
                new LossMCXENT(weights),
                new LossBinaryXENT(weights),
                new LossFMeasure(),
                new LossMultiLabel(),
                LossMixtureDensity.builder().gaussians(1).labelWidth(3).build()))
        .filter(LossManners::isKnown);
  }

  /** The promise that no copies are made for, over DL4J's activations and the kinds of masks. */
  @ParameterizedTest
  @MethodSource("knownLosses")
  void knownLoss_writesIntoNothingButTheOutput_andOwnsItsGradient(ILossFunction loss) {
    int checked = 0;
    for (Activation activation : Activation.values()) {
      for (INDArray mask : masks()) {
        checked += check(loss, activation.getActivationFunction(), mask) ? 1 : 0;
      }
    }
    assertThat(checked).isPositive();
  }

  private static List<INDArray> masks() {
    INDArray rows = Nd4j.createFromArray(new float[][] {{1}, {0}, {1}, {1}});
    INDArray elements = Nd4j.ones(DataType.FLOAT, ROWS, 3);
    elements.putScalar(1, 2, 0.0);
    List<INDArray> masks = new ArrayList<>(List.of(rows, elements));
    masks.add(null);
    return masks;
  }

  /** Whether the loss can be computed at all with these. */
  private static boolean check(ILossFunction loss, IActivation activation, INDArray mask) {
    boolean sparse = loss instanceof LossSparseMCXENT;
    int width = loss instanceof LossMixtureDensity ? 5 : loss instanceof LossFMeasure ? 1 : 3;
    INDArray labels = Nd4j.zeros(DataType.FLOAT, ROWS, width == 1 || sparse ? 1 : 3);
    for (int row = 0; row < ROWS; row++) {
      labels.putScalar(row, row % (int) labels.size(1), 1.0);
    }
    INDArray preOutput = Nd4j.rand(DataType.FLOAT, ROWS, width);
    INDArray sameLabels = labels.dup();
    INDArray samePreOutput = preOutput.dup();
    INDArray sameMask = LossManners.copy(mask);
    INDArray gradient;
    try {
      loss.computeScore(labels, preOutput, activation, mask, false);
      if (!(loss instanceof LossFMeasure)) { // is no sum over examples
        loss.computeScoreArray(labels, preOutput, activation, mask);
      }
      assertBitIdentical(preOutput, samePreOutput);
      gradient = loss.computeGradient(labels, preOutput, activation, mask);
    } catch (RuntimeException e) {
      return false;
    }
    assertThat(LossManners.ownsGradient(loss, activation)).isTrue();
    INDArray first = gradient.dup();
    gradient.assign(7.0);
    assertBitIdentical(labels, sameLabels);
    if (mask != null) {
      assertBitIdentical(mask, sameMask);
    }
    INDArray again = loss.computeGradient(labels, samePreOutput.dup(), activation, mask);
    assertBitIdentical(again, first);
    return true; // some losses are of FLOAT only
  }

  /** Why it is not among the known ones: as DL4J has it, masked labels are lost to the user. */
  @Test
  void wasserstein_masksTheLabelsInPlace_butNotThoseOfAnotherTerm() {
    INDArray mask = masks().get(1);
    INDArray labels = Nd4j.ones(DataType.DOUBLE, ROWS, 3);
    INDArray z = Nd4j.rand(DataType.DOUBLE, ROWS, 3);
    assertThat(LossManners.isKnown(new LossWasserstein())).isFalse();
    new LossWasserstein().computeGradient(labels, z.dup(), IDENTITY, mask);
    assertThat(labels.sumNumber().doubleValue()).isEqualTo(11.0);

    INDArray ofTerms = Nd4j.ones(DataType.DOUBLE, ROWS, 3);
    CompositeLoss loss =
        CompositeLoss.builder()
            .term("distance", 0.5, new LossWasserstein())
            .term("error", 2.0, new LossMSE())
            .build();
    INDArray gradient = loss.computeGradient(ofTerms, z.dup(), IDENTITY, mask);
    assertThat(ofTerms.sumNumber().doubleValue()).isEqualTo(12.0);
    INDArray ones = Nd4j.ones(DataType.DOUBLE, ROWS, 3);
    INDArray expected =
        new LossMSE().computeGradient(ones.dup(), z.dup(), IDENTITY, mask).muli(2.0);
    expected.addi(
        new LossWasserstein().computeGradient(ones.dup(), z.dup(), IDENTITY, mask).muli(0.5));
    assertThat(gradient.equalsWithEps(expected, 1e-15)).isTrue();
  }

  @Test
  void termThatWritesIntoItsInput_doesNotFalsifyTheNext() {
    INDArray labels = Nd4j.rand(DataType.DOUBLE, ROWS, 3);
    INDArray z = Nd4j.rand(DataType.DOUBLE, ROWS, 3);
    INDArray same = z.dup();
    double borrowed = new BorrowingLoss().computeScore(labels, z.dup(), IDENTITY, null, false);
    double squared = new LossMSE().computeScore(labels, z.dup(), IDENTITY, null, false);
    CompositeLoss loss =
        CompositeLoss.builder()
            .term("first", 1.0, new BorrowingLoss())
            .term("next", 1.0, new LossMSE())
            .term("last", 1.0, new BorrowingLoss())
            .build();
    assertThat(LossAccess.terms(loss).scores(labels, z, IDENTITY, null, false))
        .containsExactly(borrowed, squared, borrowed);
    assertThat(loss.computeScoreArray(labels, z, IDENTITY, null).sumNumber().doubleValue())
        .isCloseTo(2 * borrowed + squared, within(1e-14));
    assertBitIdentical(z, same);
  }

  @Test
  void termWhoseGradientIsTheLabels_leavesThemAsTheyAre() {
    INDArray labels = Nd4j.rand(DataType.DOUBLE, ROWS, 3);
    INDArray same = labels.dup();
    INDArray z = Nd4j.rand(DataType.DOUBLE, ROWS, 3);
    for (double weight : new double[] {1.0, 0.5}) {
      CompositeLoss loss =
          CompositeLoss.builder()
              .term("errors", weight, new BorrowingLoss())
              .term("more", weight, new BorrowingLoss())
              .build();
      INDArray gradient = loss.computeGradient(labels, z, IDENTITY, null);
      assertBitIdentical(gradient, same.mul(2 * weight));
      gradient.assign(7.0);
      assertBitIdentical(labels, same);
    }
  }

  enum Head {
    OUTPUT_LAYER,
    LOSS_LAYER,
    TERMS
  }

  /** Two tasks of errors computed elsewhere; a step at a weight is one at errors of that size. */
  @ParameterizedTest
  @EnumSource(Head.class)
  void labelsOfAnAttachedNetwork_areNotScaled(Head head) {
    for (double weight : new double[] {1.0, 0.5}) {
      ComputationGraph plain = graph(head);
      ComputationGraph attached = graph(head);
      int tasks = head == Head.TERMS ? 4 : 2;
      double[] weights = new double[tasks];
      Arrays.fill(weights, weight);
      GradientNormProbe.attach(attached, List.of("shared"), step -> {}).lossWeights(weights);
      MultiDataSet batch = batch();
      MultiDataSet same = batch();
      MultiDataSet weighted = batch();
      Arrays.stream(weighted.getLabels()).forEach(labels -> labels.muli(weight));
      for (int step = 0; step < 3; step++) {
        plain.fit(weighted);
        attached.fit(batch);
      }
      assertBitIdentical(attached.params(), plain.params());
      for (int i = 0; i < 2; i++) {
        assertBitIdentical(batch.getLabels(i), same.getLabels(i));
      }
    }
  }

  private static MultiDataSet batch() {
    Nd4j.getRandom().setSeed(5);
    return new MultiDataSet(
        new INDArray[] {Nd4j.randn(DataType.DOUBLE, ROWS, 3)},
        new INDArray[] {
          Nd4j.randn(DataType.DOUBLE, ROWS, 3), Nd4j.randn(DataType.DOUBLE, ROWS, 3)
        });
  }

  private static ComputationGraph graph(Head head) {
    var graph =
        new NeuralNetConfiguration.Builder()
            .seed(3)
            .dataType(DataType.DOUBLE)
            .activation(Activation.RELU)
            .updater(new Sgd(0.01))
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(InputType.feedForward(3))
            .addLayer("shared", new DenseLayer.Builder().nOut(4).build(), "in")
            .setOutputs("a", "b");
    for (String name : List.of("a", "b")) {
      graph
          .addLayer("head " + name, new DenseLayer.Builder().nOut(3).build(), "shared")
          .addLayer(name, output(head), "head " + name);
    }
    ComputationGraph net = new ComputationGraph(graph.build());
    net.init();
    return net;
  }

  private static Layer output(Head head) {
    return switch (head) {
      case OUTPUT_LAYER ->
          new OutputLayer.Builder(new BorrowingLoss())
              .nOut(3)
              .activation(Activation.IDENTITY)
              .build();
      case LOSS_LAYER ->
          new LossLayer.Builder(new BorrowingLoss()).activation(Activation.IDENTITY).build();
      case TERMS ->
          new OutputLayer.Builder(
                  CompositeLoss.builder()
                      .term("x", 1.0, new BorrowingLoss())
                      .term("y", 1.0, new BorrowingLoss())
                      .build())
              .nOut(3)
              .activation(Activation.IDENTITY)
              .build();
    };
  }
}
