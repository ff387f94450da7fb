package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.batch;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.network;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.internal.kernel.DenseNormKernel.Method;
import org.gradnorm4j.core.loss.CompositeLossTest;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.gradnorm4j.core.probe.MultiTaskNetworks.Spec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/**
 * The Gram matrix of a dense shared layer [6, 5], by every method. Other layers: {@link
 * OracleMatrix}, {@link RandomGraphTest}, {@link CompositeMeasurementTest}.
 */
class GramMatrixTest {
  private static final List<Method> METHODS =
      List.of(Method.DIRECT, Method.STACKED, Method.GRAM, Method.CHEAPEST);

  private final List<StepMeasurement> steps = new ArrayList<>();

  static Stream<Arguments> networks() {
    return METHODS.stream()
        .flatMap(
            method ->
                Stream.of(2, 3, 10, 20)
                    .flatMap(
                        tasks ->
                            Stream.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)
                                .map(mode -> Arguments.of(method, tasks, mode))));
  }

  /** Minibatches smaller than the layer's input, for which there is a triangular factor, too. */
  @ParameterizedTest
  @MethodSource("networks")
  void everyEntry_isThatOfSeparateGradients_andTrainingIsThatOfPlainNetworks(
      Method method, int tasks, WorkspaceMode mode) {
    Spec spec = Spec.dense(tasks, 1, mode);
    ComputationGraph plain = network(spec);
    ComputationGraph net = network(spec);
    net.setParams(plain.params().dup());
    OneTaskOracle oracle = new OneTaskOracle(plain, List.of("shared"));
    GradientNormProbe probe = probe(net, method);
    int[] batchSizes = {1, 3, 6, 5, 17, 3};
    for (int i = 0; i < batchSizes.length; i++) {
      MultiDataSet batch = batch(spec, batchSizes[i], 100 + i);
      double[][] expected = oracle.sharedGradients(net.params(), batch, 1);
      plain.fit(batch);
      net.fit(batch);
      Grams.assertGram(steps.get(i), expected, 1e-12);
    }
    assertBitIdentical(net.params(), plain.params());

    double[] lambda = new double[tasks];
    Arrays.setAll(lambda, i -> Math.pow(-1, i) * Math.pow(10, i % 7 - 3));
    probe.lossWeights(lambda);
    MultiDataSet batch = batch(spec, 4, 7);
    double[][] expected = oracle.sharedGradients(net.params(), batch, 1);
    net.fit(batch);
    Grams.assertGram(steps.get(batchSizes.length), expected, 1e-12);
  }

  private GradientNormProbe probe(ComputationGraph net, Method method) {
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("shared"), method, steps::add);
    probe.measureGram(true);
    return probe;
  }

  @Test
  void notAskedFor_isNotThere() {
    Spec spec = Spec.dense(2, 1, WorkspaceMode.ENABLED);
    ComputationGraph net = network(spec);
    GradientNormProbe probe = GradientNormProbe.attach(net, steps::add);
    for (boolean asked : new boolean[] {false, true, false}) {
      probe.measureGram(asked);
      net.fit(batch(spec, 3, 1));
      assertThat(steps.get(steps.size() - 1).hasGram()).isEqualTo(asked);
    }
    assertThatThrownBy(steps.get(0)::gram)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("measureGram(true)");
  }

  @Test
  void penalty_isRefused() {
    MultiLayerNetwork net =
        CompositeLossTest.network(new LossMCXENT(), List.of(WeightPenalty.l2("R", 0.02)));
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of(), steps::add);
    assertThatThrownBy(() -> probe.measureGram(true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "penalty 'R' has no place in a Gram matrix: its gradient is not measured with those of the losses. Use Deeplearning4j's own l1 or l2 in its place, or what needs norms only");
    probe.measureGram(false);
    probe.detach();
  }

  /** As {@link GradientNormOracleTest} has it for norms; here no digit is lost to the method. */
  @Test
  void whenExamplesCancel_noMethodLosesDigits() {
    Spec spec =
        new Spec(
            3,
            1,
            WorkspaceMode.ENABLED,
            DataType.DOUBLE,
            new Sgd(0.0),
            MultiTaskNetworks.denseTrunk(Activation.IDENTITY));
    ComputationGraph net = network(spec);
    MultiDataSet batch = batch(spec, 4, 31);
    INDArray features = batch.getFeatures()[0];
    for (int row = 0; row < 4; row += 2) {
      features.putRow(row + 1, features.getRow(row));
      for (int task = 0; task < 3; task += 2) {
        INDArray labels = batch.getLabels()[task];
        INDArray prediction = net.output(features)[task].getRow(row);
        INDArray off = labels.getRow(row).dup();
        labels.putRow(row, prediction.add(off));
        labels.putRow(row + 1, prediction.sub(off).add(1e-10));
      }
    }
    double[][] expected =
        new OneTaskOracle(net, List.of("shared")).sharedGradients(net.params(), batch, 1);
    assertThat(OneTaskOracle.norms(expected)[0]).isBetween(1e-12, 1e-9);
    for (Method method : METHODS) {
      GradientNormProbe probe = probe(net, method);
      net.fit(batch);
      probe.detach();
      // Cancellation costs the oracle digits as well: its terms are up to 20 for task 2, and of its
      // result of 1e-10 the rounding of them, 20 · 1e-16, is 2e-5. By ⟨xxᵀ, δδᵀ⟩ none were left.
      Grams.assertGram(steps.get(steps.size() - 1), expected, 1e-4);
    }
  }

  /** Squares of 10^±30 are no floats. */
  @Test
  void inFloat_of1e30And1em30_isThatOfDoubles() {
    var trunk = MultiTaskNetworks.denseTrunk(Activation.RELU);
    for (int tasks : new int[] {4, 20}) {
      Spec doubles =
          new Spec(tasks, 1, WorkspaceMode.ENABLED, DataType.DOUBLE, new Adam(0.01), trunk);
      Spec floats =
          new Spec(tasks, 1, WorkspaceMode.ENABLED, DataType.FLOAT, new Adam(0.01), trunk);
      ComputationGraph reference = network(doubles);
      reference.getParam("task0_W").muli(1e-30);
      MultiDataSet batch = batch(doubles, 5, 41);
      batch.getLabels()[2].muli(1e30);
      double[][] expected =
          new OneTaskOracle(reference, List.of("shared"))
              .sharedGradients(reference.params(), batch, 1);
      MultiDataSet single =
          new MultiDataSet(
              cast(batch.getFeatures(), DataType.FLOAT), cast(batch.getLabels(), DataType.FLOAT));
      for (Method method : METHODS) {
        ComputationGraph net = network(floats);
        net.setParams(reference.params().castTo(DataType.FLOAT));
        probe(net, method);
        net.fit(single);
        Grams.assertGram(steps.get(steps.size() - 1), expected, 1e-5);
      }
    }
  }

  private static INDArray[] cast(INDArray[] arrays, DataType type) {
    return Stream.of(arrays).map(array -> array.castTo(type)).toArray(INDArray[]::new);
  }

  /** A NaN is its task's only, and a task without labels has no product, not even with it. */
  @Test
  void nan_staysInItsRowAndColumn() {
    Spec spec = Spec.dense(4, 1, WorkspaceMode.ENABLED);
    for (Method method : METHODS) {
      ComputationGraph net = network(spec);
      probe(net, method);
      MultiDataSet batch = batch(spec, 3, 5);
      batch.getLabels()[2].putScalar(0, 0, Double.NaN);
      INDArray[] masks = {Nd4j.zeros(DataType.DOUBLE, 3, 1), null, null, null};
      net.fit(new MultiDataSet(batch.getFeatures(), batch.getLabels(), null, masks));
      double[][] gram = steps.get(steps.size() - 1).gram();
      assertThat(gram[0]).containsOnly(0.0);
      assertThat(gram[2][2]).isNaN();
      assertThat(gram[2][1]).isNaN();
      assertThat(gram[1][3]).isFinite().isNotZero();
    }
  }

  @Test
  void everyTenth_isMeasuredAsAsked_andWeightsDoNotMatter() {
    Spec spec = Spec.dense(2, 1, WorkspaceMode.ENABLED);
    ComputationGraph net = network(spec);
    GradientNormProbe probe = GradientNormProbe.attach(net, steps::add);
    probe.measureGram(true);
    probe.measureEvery(2);
    MultiDataSet batch = batch(spec, 3, 1);
    double[][] expected =
        new OneTaskOracle(net, List.of("shared")).sharedGradients(net.params(), batch, 1);
    probe.lossWeights(-3.0, 1e-100);
    net.fit(batch);
    net.fit(batch);
    assertThat(steps).hasSize(1);
    assertThat(steps.get(0).gram()[0][1])
        .isCloseTo(Grams.of(expected)[0][1], within(1e-9 * Math.abs(Grams.of(expected)[0][1])));
  }
}
