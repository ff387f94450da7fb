package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.StepMeasurement;
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
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossFMeasure;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossMixtureDensity;
import org.nd4j.linalg.lossfunctions.impl.LossMultiLabel;

/** Every loss function and every shape of label mask, beside a mean squared error. */
class LossKindTest {
  private static final int BATCH = 5;
  private static final int TIME = 3;
  private static final int CLASSES = 3;

  /** Every loss DL4J has a name for; some only make sense of such labels. */
  @ParameterizedTest
  @EnumSource(LossFunction.class)
  void everyNamedLoss(LossFunction loss) {
    Activation activation = loss == LossFunction.XENT ? Activation.SIGMOID : Activation.SOFTMAX;
    MultiDataSet batch = batch(false, DataType.DOUBLE, CLASSES);
    if (loss == LossFunction.SPARSE_MCXENT) {
      batch.setLabels(1, Nd4j.createFromArray(new double[][] {{0}, {2}, {1}, {2}, {0}}));
    }
    ILossFunction function = loss.getILossFunction();
    check(graph(false, DataType.DOUBLE, function, activation, CLASSES), batch, 1e-12);
  }

  static Stream<Arguments> otherLosses() {
    INDArray weights = Nd4j.createFromArray(1.0, 2.0, 0.5);
    LossMixtureDensity mixture =
        LossMixtureDensity.builder().gaussians(2).labelWidth(CLASSES).build();
    return Stream.of(
        Arguments.of(new LossFMeasure(), Activation.SIGMOID, 1, 1, DataType.DOUBLE),
        Arguments.of(new LossMSE(weights), Activation.IDENTITY, 3, 3, DataType.DOUBLE),
        Arguments.of(new LossMCXENT(weights), Activation.SOFTMAX, 3, 3, DataType.DOUBLE),
        Arguments.of(new LossBinaryXENT(weights), Activation.SIGMOID, 3, 3, DataType.DOUBLE),
        // DL4J computes these two in FLOAT only.
        Arguments.of(new LossMultiLabel(), Activation.SIGMOID, 3, 3, DataType.FLOAT),
        Arguments.of(mixture, Activation.IDENTITY, 2 * (CLASSES + 2), CLASSES, DataType.FLOAT));
  }

  @ParameterizedTest
  @MethodSource("otherLosses")
  void otherLosses(
      ILossFunction loss, Activation activation, int outputs, int labels, DataType type) {
    MultiDataSet batch = batch(false, type, labels);
    if (activation == Activation.SIGMOID) {
      INDArray oneHot = Nd4j.zeros(type, BATCH, labels);
      IntStream.range(0, BATCH - 1).forEach(i -> oneHot.putScalar(i, i % labels, 1.0));
      if (labels > 1) {
        oneHot.putScalar(BATCH - 1, 0, 1.0);
      }
      batch.setLabels(1, oneHot);
    }
    double tolerance = type == DataType.DOUBLE ? 1e-12 : 1e-5;
    check(graph(false, type, loss, activation, outputs), batch, tolerance);
  }

  enum Mask {
    ARRAYS_OF_NULL,
    PER_EXAMPLE_OF_ANOTHER_TYPE,
    PER_OUTPUT,
    EVERY_TASK_ABSENT
  }

  @ParameterizedTest
  @EnumSource(Mask.class)
  void labelMasks_ofVectors(Mask kind) {
    labelMasks(kind, false);
  }

  @ParameterizedTest
  @EnumSource(Mask.class)
  void labelMasks_ofSeries(Mask kind) {
    labelMasks(kind, true);
  }

  private static void labelMasks(Mask kind, boolean series) {
    MultiDataSet batch = batch(series, DataType.DOUBLE, CLASSES);
    long[] perExample = series ? new long[] {BATCH, TIME} : new long[] {BATCH, 1};
    INDArray[] masks = new INDArray[2];
    switch (kind) {
      case ARRAYS_OF_NULL -> batch.setFeaturesMaskArrays(new INDArray[1]);
      case PER_EXAMPLE_OF_ANOTHER_TYPE -> {
        masks[0] = Nd4j.ones(DataType.FLOAT, perExample);
        masks[0].putScalar(1, 0, 0.0);
      }
      case PER_OUTPUT -> {
        masks[1] = Nd4j.ones(DataType.DOUBLE, batch.getLabels(1).shape());
        masks[1].putScalar(series ? new int[] {1, 1, 1} : new int[] {1, 1}, 0.0);
      }
      case EVERY_TASK_ABSENT -> {
        masks[0] = Nd4j.zeros(DataType.DOUBLE, perExample);
        masks[1] = masks[0].dup();
      }
    }
    batch.setLabelsMaskArray(masks);
    check(
        graph(series, DataType.DOUBLE, new LossMAE(), Activation.IDENTITY, CLASSES), batch, 1e-12);
  }

  private static MultiDataSet batch(boolean series, DataType type, int labels) {
    Nd4j.getRandom().setSeed(3);
    return new MultiDataSet(
        new INDArray[] {values(series, type, 4)},
        new INDArray[] {values(series, type, CLASSES), values(series, type, labels)});
  }

  private static INDArray values(boolean series, DataType type, int size) {
    return series ? Nd4j.rand(type, BATCH, size, TIME) : Nd4j.rand(type, BATCH, size);
  }

  private static ComputationGraph graph(
      boolean series, DataType type, ILossFunction loss, Activation activation, int outputs) {
    Layer shared =
        series ? new LSTM.Builder().nOut(4).build() : new DenseLayer.Builder().nOut(4).build();
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(7)
                .dataType(type)
                .activation(Activation.TANH)
                .updater(new Adam(0.01))
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(series ? InputType.recurrent(4, TIME) : InputType.feedForward(4))
                .addLayer("shared", shared, "in")
                .addLayer(
                    "a", output(series, new LossMSE(), Activation.IDENTITY, CLASSES), "shared")
                .addLayer("b", output(series, loss, activation, outputs), "shared")
                .setOutputs("a", "b")
                .build());
    graph.init();
    return graph;
  }

  private static Layer output(
      boolean series, ILossFunction loss, Activation activation, int outputs) {
    return series
        ? new RnnOutputLayer.Builder(loss).nOut(outputs).activation(activation).build()
        : new OutputLayer.Builder(loss).nOut(outputs).activation(activation).build();
  }

  /** Two steps at weights 1 beside plain DL4J, one at others. */
  private static void check(ComputationGraph plain, MultiDataSet batch, double tolerance) {
    ComputationGraph net = new ComputationGraph(plain.getConfiguration().clone());
    net.init(plain.params().dup(), false);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, steps::add);
    OneTaskOracle oracle = new OneTaskOracle(plain, List.of("shared"));
    for (int step = 0; step < 3; step++) {
      if (step == 2) {
        assertBitIdentical(net.params(), plain.params());
        probe.lossWeights(0.5, 1.5);
      }
      double[] expected = oracle.gradientNorms(net.params(), batch, 1);
      plain.fit(batch);
      net.fit(batch);
      double scale = Math.max(expected[0], expected[1]);
      assertThat(steps.get(step).gradientNorms())
          .containsExactly(expected, within(tolerance * scale));
    }
  }
}
