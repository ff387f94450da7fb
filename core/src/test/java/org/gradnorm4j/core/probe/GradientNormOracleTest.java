package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.batch;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.network;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.oneTaskAtATime;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.onlyTask;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.internal.kernel.DenseNormKernel.Method;
import org.gradnorm4j.core.probe.MultiTaskNetworks.Spec;
import org.gradnorm4j.core.probe.MultiTaskNetworks.TaskGradient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** The measured losses and norms of a dense shared layer are those of the tasks alone. */
class GradientNormOracleTest {

  static Stream<Arguments> networks() {
    List<Arguments> all = new ArrayList<>();
    for (Method method : List.of(Method.DIRECT, Method.STACKED, Method.GRAM)) {
      for (WorkspaceMode workspaces : List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)) {
        for (int tasks : new int[] {2, 4, 10}) {
          for (int headLayers : new int[] {1, 2}) {
            all.add(Arguments.of(method, workspaces, tasks, headLayers));
          }
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("networks")
  void norms_ofWeightedTraining_areThoseOfSeparateNetworks(
      Method method, WorkspaceMode workspaces, int tasks, int headLayers) {
    Spec spec = Spec.dense(tasks, headLayers, workspaces);
    ComputationGraph net = network(spec);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("shared"), method, steps::add);
    int[] batchSizes = {8, 8, 3, 17, 1, 8};
    for (int i = 0; i < batchSizes.length; i++) {
      double[] weights = new double[tasks];
      for (int task = 0; task < tasks; task++) {
        weights[task] = 0.25 + (task + i) % 3;
      }
      probe.lossWeights(weights);
      MultiDataSet batch = batch(spec, batchSizes[i], 100 + i);
      List<TaskGradient> expected = oneTaskAtATime(spec, net, batch);
      net.fit(batch);

      StepMeasurement step = steps.get(i);
      assertThat(step.iteration()).isEqualTo(i);
      assertThat(step.batchSize()).isEqualTo(batchSizes[i]);
      assertThat(step.taskNames()).isEqualTo(probe.taskNames());
      assertThat(step.lossWeights()).isEqualTo(weights);
      for (int task = 0; task < tasks; task++) {
        assertRelative(step.losses()[task], expected.get(task).loss(), 1e-12);
        assertRelative(step.gradientNorms()[task], expected.get(task).norm("shared_W"), 1e-12);
      }
    }
    assertThat(steps).hasSize(batchSizes.length);
  }

  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      names = {
        "CUBE", "ELU", "GELU", "HARDSIGMOID", "HARDTANH", "IDENTITY", "LEAKYRELU", "MISH",
        "RATIONALTANH", "RECTIFIEDTANH", "RELU", "RELU6", "SELU", "SIGMOID", "SOFTMAX", "SOFTPLUS",
        "SOFTSIGN", "SWISH", "TANH", "THRESHOLDEDRELU"
      })
  void norms_ofEveryActivation_areThoseOfSeparateNetworks(Activation activation) {
    for (Method method : List.of(Method.DIRECT, Method.STACKED, Method.GRAM)) {
      Spec spec = Spec.of(MultiTaskNetworks.denseTrunk(activation));
      ComputationGraph net = network(spec);
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(net, List.of("shared"), method, steps::add);
      MultiDataSet batch = batch(spec, 9, 3);
      List<TaskGradient> expected = oneTaskAtATime(spec, net, batch);
      net.fit(batch);
      for (int task = 0; task < 2; task++) {
        assertRelative(
            steps.get(0).gradientNorms()[task], expected.get(task).norm("shared_W"), 1e-12);
      }
    }
  }

  @Test
  void norms_areThoseOfCentralFiniteDifferencesOverEveryWeight() {
    Spec spec = Spec.dense(2, 2, WorkspaceMode.ENABLED);
    ComputationGraph net = network(spec);
    MultiDataSet batch = batch(spec, 6, 11);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, steps::add);
    net.setInputs(batch.getFeatures());
    net.setLabels(batch.getLabels());
    net.computeGradientAndScore();
    for (int task = 0; task < 2; task++) {
      double byDifferences = finiteDifferenceNorm(spec, net, batch, task);
      assertRelative(steps.get(0).gradientNorms()[task], byDifferences, 1e-8);
    }
  }

  private static double finiteDifferenceNorm(
      Spec spec, ComputationGraph net, MultiDataSet batch, int task) {
    ComputationGraph alone = network(spec, List.of(task));
    alone.paramTable().forEach((name, value) -> value.assign(net.getParam(name)));
    INDArray weights = alone.getParam("shared_W");
    double h = 1e-5;
    double squared = 0.0;
    for (long row = 0; row < weights.rows(); row++) {
      for (long column = 0; column < weights.columns(); column++) {
        double value = weights.getDouble(row, column);
        weights.putScalar(row, column, value + h);
        double above = alone.score(onlyTask(batch, task));
        weights.putScalar(row, column, value - h);
        double below = alone.score(onlyTask(batch, task));
        weights.putScalar(row, column, value);
        squared += Math.pow((above - below) / (2 * h), 2);
      }
    }
    return Math.sqrt(squared);
  }

  @Test
  void gradientOfAllParameters_withFixedWeights_isTheWeightedSumOfTheTasks() {
    Spec spec = Spec.dense(3, 2, WorkspaceMode.ENABLED);
    double[] weights = {0.1, 2.3, 0.6};
    ComputationGraph net = network(spec);
    GradientNormProbe probe = GradientNormProbe.attach(net, step -> {});
    probe.lossWeights(weights);
    MultiDataSet batch = batch(spec, 8, 21);
    List<TaskGradient> tasks = oneTaskAtATime(spec, net, batch);
    net.setInputs(batch.getFeatures());
    net.setLabels(batch.getLabels());
    net.computeGradientAndScore();
    assertThat(net.gradient().gradientForVariable()).hasSameSizeAs(net.paramTable().keySet());
    net.gradient()
        .gradientForVariable()
        .forEach(
            (name, gradient) -> {
              INDArray expected = gradient.like();
              for (int task = 0; task < weights.length; task++) {
                INDArray own = tasks.get(task).gradients().get(name);
                if (own != null) {
                  expected.addi(own.mul(weights[task]));
                }
              }
              double difference = gradient.div(8).sub(expected).norm2Number().doubleValue();
              assertThat(difference / expected.norm2Number().doubleValue())
                  .as(name)
                  .isLessThan(1e-12);
            });
  }

  @Test
  void gramMethod_whenExamplesCancel_keepsItsDigits() {
    // Every example stands twice with opposite labels around the prediction: the per-example
    // gradients are large, their sum is ten orders of magnitude smaller.
    Spec spec =
        new Spec(
            2,
            1,
            WorkspaceMode.ENABLED,
            DataType.DOUBLE,
            new Sgd(0.1),
            MultiTaskNetworks.denseTrunk(Activation.IDENTITY));
    ComputationGraph net = network(spec);
    MultiDataSet batch = batch(spec, 8, 31);
    INDArray features = batch.getFeatures()[0];
    INDArray labels = batch.getLabels()[0];
    for (int row = 0; row < 8; row += 2) {
      features.putRow(row + 1, features.getRow(row));
      INDArray prediction = net.output(features)[0].getRow(row);
      INDArray off = labels.getRow(row).dup();
      labels.putRow(row, prediction.add(off));
      labels.putRow(row + 1, prediction.sub(off).add(1e-10));
    }
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, List.of("shared"), Method.GRAM, steps::add);
    TaskGradient expected = oneTaskAtATime(spec, net, batch).get(0);
    net.fit(batch);
    assertThat(expected.norm("shared_W")).isBetween(1e-12, 1e-9);
    // Cancellation costs the oracle digits as well: 1e-10 of its terms, 1e-16 · 1e10 of its result.
    assertRelative(steps.get(0).gradientNorms()[0], expected.norm("shared_W"), 1e-5);
  }

  @Test
  void norms_inFloat_agreeToFloatPrecision() {
    Spec spec =
        new Spec(
            4,
            1,
            WorkspaceMode.ENABLED,
            DataType.FLOAT,
            new Adam(0.01),
            MultiTaskNetworks.denseTrunk(Activation.RELU));
    for (Method method : List.of(Method.DIRECT, Method.STACKED, Method.GRAM)) {
      ComputationGraph net = network(spec);
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(net, List.of("shared"), method, steps::add);
      MultiDataSet batch = batch(spec, 32, 41);
      List<TaskGradient> expected = oneTaskAtATime(spec, net, batch);
      net.fit(batch);
      for (int task = 0; task < 4; task++) {
        assertRelative(
            steps.get(0).gradientNorms()[task], expected.get(task).norm("shared_W"), 1e-5);
      }
    }
  }

  /** Their squares have no place among floats, they themselves have. */
  @Test
  void norms_inFloat_of1e30And1em30_areThoseOfDoubles() {
    var trunk = MultiTaskNetworks.denseTrunk(Activation.RELU);
    Spec doubles = new Spec(4, 1, WorkspaceMode.ENABLED, DataType.DOUBLE, new Adam(0.01), trunk);
    Spec floats = new Spec(4, 1, WorkspaceMode.ENABLED, DataType.FLOAT, new Adam(0.01), trunk);
    for (Method method : List.of(Method.DIRECT, Method.STACKED, Method.GRAM)) {
      ComputationGraph reference = network(doubles);
      ComputationGraph net = network(floats);
      reference.getParam("task0_W").muli(1e-30);
      MultiDataSet batch = batch(doubles, 32, 41);
      batch.getLabels()[2].muli(1e30);
      List<TaskGradient> expected = oneTaskAtATime(doubles, reference, batch);
      assertThat(expected.get(0).norm("shared_W")).isBetween(1e-32, 1e-30);
      assertThat(expected.get(2).norm("shared_W")).isBetween(1e29, 1e31);

      net.setParams(reference.params().castTo(DataType.FLOAT));
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(net, List.of("shared"), method, steps::add);
      net.fit(
          new MultiDataSet(
              cast(batch.getFeatures(), DataType.FLOAT), cast(batch.getLabels(), DataType.FLOAT)));
      for (int task = 0; task < 4; task++) {
        assertRelative(
            steps.get(0).gradientNorms()[task], expected.get(task).norm("shared_W"), 1e-5);
      }
    }
  }

  private static INDArray[] cast(INDArray[] arrays, DataType type) {
    return Stream.of(arrays).map(array -> array.castTo(type)).toArray(INDArray[]::new);
  }

  private static void assertRelative(double actual, double expected, double tolerance) {
    assertThat(actual).isCloseTo(expected, within(tolerance * Math.abs(expected)));
  }
}
