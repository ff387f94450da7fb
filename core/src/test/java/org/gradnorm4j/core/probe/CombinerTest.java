package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.Combiner;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/**
 * Gradients combined with weights of the same step. Oracle: one plain network per task, whose
 * gradients are summed with the weights, parameter by parameter.
 */
class CombinerTest {
  private static final int GRAPHS = 60;
  private static int combined;
  private static int refused;
  private static int severalTaps;

  /** The same weights in every step, and what it was asked with. */
  private static final class Fixed implements Combiner {
    private final double[] weights;
    private final boolean heads;
    final List<StepMeasurement> asked = new ArrayList<>();

    Fixed(boolean heads, double... weights) {
      this.heads = heads;
      this.weights = weights;
    }

    @Override
    public double[] combine(StepMeasurement step) {
      asked.add(step);
      return weights;
    }

    @Override
    public double[] held() {
      return weights;
    }

    @Override
    public boolean weightsHeads() {
      return heads;
    }
  }

  private static double[] weights(int tasks, Random random) {
    double[] values = {0.0, 1.0, -0.7, 2.5, 0.3};
    return random.ints(tasks, 0, values.length).mapToDouble(i -> values[i]).toArray();
  }

  @TestFactory
  Stream<DynamicTest> randomGraphs_followTheOracle() {
    return IntStream.rangeClosed(1, GRAPHS)
        .mapToObj(seed -> DynamicTest.dynamicTest("seed " + seed, () -> followsOracle(seed)));
  }

  @AfterAll
  static void allWereLookedAt() {
    System.out.println(
        "combined graphs: "
            + combined
            + ", of them with several vertices in the zone "
            + severalTaps
            + "; refused "
            + refused);
    assertThat(combined).isGreaterThan(GRAPHS / 3);
    assertThat(severalTaps).isGreaterThan(5);
  }

  private static void followsOracle(int seed) {
    ComputationGraph net = RandomGraphTest.network(seed);
    ComputationGraph plain = RandomGraphTest.network(seed);
    net.setParams(plain.params().dup());
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe;
    Random random = new Random(seed);
    boolean heads = random.nextBoolean();
    double[] weights = weights(net.getNumOutputArrays(), random);
    Fixed combiner = new Fixed(heads, weights);
    try {
      probe = GradientNormProbe.attach(net, steps::add);
    } catch (IllegalArgumentException e) {
      return; // RandomGraphTest looks at those
    }
    try {
      probe.combineBy(combiner);
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageMatching("'.*' serves several tasks and sends to '.*' past .*");
      refused++;
      return;
    }
    OneTaskOracle oracle = new OneTaskOracle(plain, probe.sharedLayers());
    for (int step = 1; step <= 3; step++) {
      if (step == 3) { // not measured: the weights are held
        probe.pause();
      }
      MultiDataSet batch = RandomGraphTest.batch(seed, step, plain);
      INDArray parameters = net.params().dup();
      double[] norms = oracle.gradientNorms(parameters, batch, step);
      List<Map<String, INDArray>> alone = oracle.gradients(parameters, batch, step);
      net.setInputs(batch.getFeatures());
      net.setLabels(batch.getLabels());
      net.setLayerMaskArrays(null, batch.getLabelsMaskArrays());
      Nd4j.getRandom().setSeed(step);
      net.computeGradientAndScore();
      net.clearLayerMaskArrays();
      assertGradient(net, alone, weights, heads);
      Nd4j.getRandom().setSeed(step);
      net.setParams(parameters.sub(net.gradient().gradient().mul(1e-3)));
      if (step < 3) {
        StepMeasurement measured = steps.get(step - 1);
        assertThat(measured.lossWeights()).isEqualTo(weights);
        StepMeasurement asked = combiner.asked.get(step - 1);
        assertThat(asked.losses()).isEqualTo(measured.losses());
        assertThat(asked.lossWeights()).containsOnly(1.0);
        for (int task = 0; task < norms.length; task++) {
          assertThat(measured.gradientNorms()[task])
              .isCloseTo(norms[task], within(1e-10 * norms[task]));
        }
        assertThat(asked.gradientNorms()).isEqualTo(measured.gradientNorms());
      }
    }
    assertThat(steps).hasSize(2);
    combined++;
    severalTaps += probe.sharedLayers().isEmpty() ? 0 : severalTaps(net, probe);
    probe.detach();
  }

  private static int severalTaps(ComputationGraph net, GradientNormProbe probe) {
    return Arrays.stream(net.getVertices())
                .filter(vertex -> vertex.getClass().getSimpleName().endsWith("TapVertex"))
                .filter(vertex -> !vertex.getClass().getSimpleName().startsWith("Output"))
                .count()
            > probe.sharedLayers().size()
        ? 1
        : 0;
  }

  /** Σ c_i g_i where several tasks have a gradient; of one task's parameters its own gradient. */
  private static void assertGradient(
      ComputationGraph net, List<Map<String, INDArray>> alone, double[] weights, boolean heads) {
    double rounding = 1e-14 * net.gradient().gradient().norm2Number().doubleValue();
    for (String layer : layers(alone.get(0))) {
      List<String> names =
          alone.get(0).keySet().stream().filter(name -> layerOf(name).equals(layer)).toList();
      boolean[] trains = new boolean[weights.length];
      for (int task = 0; task < weights.length; task++) {
        for (String name : names) {
          trains[task] |=
              !isStatistic(name) && alone.get(task).get(name).norm2Number().doubleValue() > 0;
        }
      }
      int count = (int) IntStream.range(0, trains.length).filter(i -> trains[i]).count();
      for (String name : names) {
        if (isStatistic(name)) { // batch normalization's running means
          continue;
        }
        INDArray expected = alone.get(0).get(name).like();
        double scale = 0.0;
        for (int task = 0; task < weights.length; task++) {
          double weight = count > 1 || heads ? weights[task] : 1.0;
          expected.addi(alone.get(task).get(name).mul(weight));
          scale += alone.get(task).get(name).norm2Number().doubleValue();
        }
        INDArray actual = net.gradient().getGradientFor(name);
        assertThat(actual.sub(expected).norm2Number().doubleValue())
            .as("%s of %d tasks, weights %s", name, count, Arrays.toString(weights))
            .isLessThanOrEqualTo(1e-10 * scale + rounding);
      }
    }
  }

  private static boolean isStatistic(String name) {
    return name.endsWith("_mean") || name.endsWith("_var") || name.endsWith("_log10stdev");
  }

  private static List<String> layers(Map<String, INDArray> gradients) {
    return gradients.keySet().stream().map(CombinerTest::layerOf).distinct().toList();
  }

  private static String layerOf(String name) {
    return name.substring(0, name.lastIndexOf('_'));
  }

  /** All weights 1: nothing is different, and all is measured. */
  @TestFactory
  Stream<DynamicTest> weightsOfOne_trainBitForBitAsPlainDeeplearning4j() {
    return IntStream.rangeClosed(1, GRAPHS)
        .mapToObj(seed -> DynamicTest.dynamicTest("seed " + seed, () -> isPlain(seed)));
  }

  private static void isPlain(int seed) {
    ComputationGraph plain = RandomGraphTest.network(seed);
    ComputationGraph net = RandomGraphTest.network(seed);
    net.setParams(plain.params().dup());
    List<StepMeasurement> steps = new ArrayList<>();
    double[] ones = new double[net.getNumOutputArrays()];
    Arrays.fill(ones, 1.0);
    try {
      GradientNormProbe.attach(net, steps::add).combineBy(new Fixed(true, ones));
    } catch (IllegalArgumentException e) {
      return;
    }
    for (int step = 1; step <= 5; step++) {
      MultiDataSet batch = RandomGraphTest.batch(seed, step, plain);
      for (ComputationGraph graph : List.of(plain, net)) {
        Nd4j.getRandom().setSeed(step);
        graph.fit(batch);
      }
      assertThat(net.params().toDoubleVector())
          .as("step %d", step)
          .isEqualTo(plain.params().toDoubleVector());
      assertThat(net.score()).isEqualTo(plain.score());
    }
    assertThat(steps).hasSize(5);
  }

  /** Terms of one output: everything is combined, as each layer serves them all. */
  @ParameterizedTest
  @EnumSource(
      value = WorkspaceMode.class,
      names = {"ENABLED", "NONE"})
  void termsOfOneOutput_areCombined(WorkspaceMode mode) {
    double[] weights = {0.4, -2.0};
    INDArray x = Nd4j.rand(DataType.DOUBLE, 6, 4);
    INDArray y = Nd4j.rand(DataType.DOUBLE, 6, 2);
    INDArray[] alone = new INDArray[2];
    for (int term = 0; term < 2; term++) {
      double[] one = {term == 0 ? 1.0 : 0.0, term == 1 ? 1.0 : 0.0};
      MultiLayerNetwork net = terms(mode, one);
      net.setInput(x);
      net.setLabels(y);
      net.computeGradientAndScore();
      alone[term] = net.gradient().gradient().dup();
    }
    MultiLayerNetwork net = terms(mode, 1.0, 1.0);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of(), steps::add);
    Fixed combiner = new Fixed(false, weights);
    probe.combineBy(combiner);
    for (int step = 0; step < 2; step++) {
      net.setInput(x);
      net.setLabels(y);
      synchronized (net) {
        net.computeGradientAndScore();
      }
      INDArray expected = alone[0].mul(weights[0]).addi(alone[1].mul(weights[1]));
      assertThat(net.gradient().gradient().sub(expected).norm2Number().doubleValue())
          .isLessThan(1e-12);
      probe.pause(); // the second time with the weights held
    }
    assertThat(steps).hasSize(1);
    assertThat(combiner.asked.get(0).losses()).isEqualTo(steps.get(0).losses());
    assertThat(steps.get(0).lossWeights()).isEqualTo(weights);
  }

  private static MultiLayerNetwork terms(WorkspaceMode mode, double... weights) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(5)
                .dataType(DataType.DOUBLE)
                .trainingWorkspaceMode(mode)
                .updater(new Adam(0.01))
                .list(
                    new DenseLayer.Builder().nIn(4).nOut(5).activation(Activation.TANH).build(),
                    new OutputLayer.Builder(
                            CompositeLoss.builder()
                                .term("squared", weights[0], new LossMSE())
                                .term("absolute", weights[1], new LossMAE())
                                .build())
                        .nIn(5)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    net.init();
    return net;
  }

  private static ComputationGraph twoHeads() {
    ComputationGraph net =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .updater(new Adam(0.01))
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(4))
                .addLayer("early", new DenseLayer.Builder().nOut(5).build(), "in")
                .addLayer("trunk", new DenseLayer.Builder().nOut(5).build(), "early")
                .addLayer("a", head().build(), "trunk")
                .addLayer("b", head().build(), "trunk", "early")
                .setOutputs("a", "b")
                .build());
    net.init();
    return net;
  }

  private static OutputLayer.Builder head() {
    return new OutputLayer.Builder(LossFunction.MSE).nOut(2).activation(Activation.IDENTITY);
  }

  @Test
  void gradientThatGetsPast_isRefusedByName() {
    GradientNormProbe probe = GradientNormProbe.attach(twoHeads(), List.of("trunk"), step -> {});
    assertThatThrownBy(() -> probe.combineBy(new Fixed(false, 1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("'early' serves several tasks and sends to 'b")
        .hasMessageContaining("past the shared layer 'trunk'")
        .hasMessageContaining("Timing.NEXT_STEP");
  }

  @Test
  void penaltyAsATask_isRefusedByName() {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .regularization(List.of(WeightPenalty.l2("decay", 1e-3)))
                .list(head().nIn(4).build())
                .build());
    net.init();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of(), step -> {});
    assertThatThrownBy(() -> probe.combineBy(new Fixed(false, 1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("penalty 'decay' is a task");
  }

  @Test
  void impossibleWeights_endTheFit_andNothingHasChanged() {
    MultiLayerNetwork net = terms(WorkspaceMode.ENABLED, 1.0, 1.0);
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of(), step -> {});
    probe.combineBy(new Fixed(false, 1.0, Double.NaN));
    INDArray before = net.params().dup();
    DataSet data = new DataSet(Nd4j.rand(DataType.DOUBLE, 6, 4), Nd4j.rand(DataType.DOUBLE, 6, 2));
    assertThatThrownBy(() -> net.fit(data))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("[squared, absolute] cannot be combined with the weights [1.0, NaN]");
    assertThat(net.params().toDoubleVector()).isEqualTo(before.toDoubleVector());
    probe.combineBy(null);
    net.fit(data);
    assertThat(net.params().toDoubleVector()).isNotEqualTo(before.toDoubleVector());
  }
}
