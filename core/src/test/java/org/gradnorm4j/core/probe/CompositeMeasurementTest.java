package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.loss.CompositeLossTest.batch;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.internal.dl4j.OutputLoss;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.CompositeLossTest;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/**
 * The terms of composite losses as tasks, in both kinds of network, against networks that have one
 * term as their only loss.
 */
@Tag(TestSize.EXHAUSTIVE)
public class CompositeMeasurementTest {
  private static final int STEPS = TestSize.of(5, 20);
  public static final List<ILossFunction> LOSSES =
      List.of(new LossMCXENT(), new LossMSE(), new LossMAE());

  public static CompositeLoss composite() {
    return CompositeLoss.builder()
        .term("ce", 1.0, LOSSES.get(0))
        .term("mse", 0.1, LOSSES.get(1))
        .term("mae", 2.0, LOSSES.get(2))
        .build();
  }

  public enum Kind {
    DENSE,
    CONVOLUTION,
    LSTM,
    LOSS_LAYER
  }

  private static ListBuilder layers(
      Kind kind, ILossFunction loss, NeuralNetConfiguration.Builder s) {
    ListBuilder list = s.seed(4).dataType(DataType.DOUBLE).activation(Activation.TANH).list();
    OutputLayer output =
        new OutputLayer.Builder(loss)
            .name("out")
            .nOut(3)
            .dropOut(0.8)
            .activation(Activation.SOFTMAX)
            .build();
    return switch (kind) {
      case DENSE ->
          list.layer(new DenseLayer.Builder().name("fc1").nOut(5).build())
              .layer(new BatchNormalization.Builder().name("bn").build())
              .layer(new DropoutLayer.Builder(0.6).name("drop").build())
              .layer(new DenseLayer.Builder().name("fc2").nOut(4).build())
              .layer(output)
              .setInputType(InputType.feedForward(4));
      case CONVOLUTION ->
          list.layer(new ConvolutionLayer.Builder(2, 2).name("fc1").nOut(2).build())
              .layer(new BatchNormalization.Builder().name("bn").build())
              .layer(new SubsamplingLayer.Builder().name("pool").build())
              .layer(new DenseLayer.Builder().name("fc2").nOut(4).build())
              .layer(output)
              .setInputType(InputType.convolutional(5, 5, 2));
      case LSTM ->
          list.layer(new LSTM.Builder().name("fc1").nOut(4).build())
              .layer(new LSTM.Builder().name("fc2").nOut(4).dropOut(0.7).build())
              .layer(
                  new RnnOutputLayer.Builder(loss)
                      .name("out")
                      .nOut(3)
                      .activation(Activation.SOFTMAX)
                      .build())
              .setInputType(InputType.recurrent(3, 4));
      case LOSS_LAYER ->
          list.layer(new DenseLayer.Builder().name("fc1").nOut(5).build())
              .layer(
                  new DenseLayer.Builder()
                      .name("fc2")
                      .nOut(3)
                      .activation(Activation.IDENTITY)
                      .build())
              .layer(new LossLayer.Builder(loss).name("out").activation(Activation.SOFTMAX).build())
              .setInputType(InputType.feedForward(4));
    };
  }

  public static MultiLayerNetwork network(Kind kind, ILossFunction loss, WorkspaceMode mode) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            layers(
                    kind,
                    loss,
                    new NeuralNetConfiguration.Builder()
                        .updater(new Adam(0.01))
                        .trainingWorkspaceMode(mode)
                        .inferenceWorkspaceMode(mode))
                .build());
    net.init();
    return net;
  }

  public static DataSet data(Kind kind, int batch, long seed) {
    Nd4j.getRandom().setSeed(seed);
    return switch (kind) {
      case DENSE, LOSS_LAYER ->
          new DataSet(Nd4j.randn(DataType.DOUBLE, batch, 4), probabilities(batch, 3));
      case CONVOLUTION ->
          new DataSet(Nd4j.randn(DataType.DOUBLE, batch, 2, 5, 5), probabilities(batch, 3));
      case LSTM -> {
        INDArray mask = Nd4j.ones(DataType.DOUBLE, batch, 4);
        mask.putScalar(0, 3, 0.0);
        yield new DataSet(
            Nd4j.randn(DataType.DOUBLE, batch, 3, 4), probabilities(batch, 3, 4), mask, mask.dup());
      }
    };
  }

  /** Sum to 1 over dimension 1, without which DL4J's gradient of a cross-entropy is none. */
  private static INDArray probabilities(long... shape) {
    INDArray positive = Nd4j.rand(DataType.DOUBLE, shape).addi(0.1);
    return positive.div(positive.sum(true, 1).broadcast(shape));
  }

  /** For each term a network of which it is the only loss. */
  private static List<MultiLayerNetwork> oneTermEach(Kind kind) {
    return LOSSES.stream().map(loss -> network(kind, loss, WorkspaceMode.NONE)).toList();
  }

  /** ∇ L_i of some parameter arrays, from the network whose only loss is L_i, a row each. */
  private static double[][] expectedGradients(
      List<MultiLayerNetwork> oneTermEach,
      MultiLayerNetwork at,
      DataSet data,
      long seed,
      String... parameters) {
    double[][] gradients = new double[oneTermEach.size()][];
    for (int i = 0; i < gradients.length; i++) {
      MultiLayerNetwork alone = oneTermEach.get(i);
      alone.setParams(at.params());
      alone.setInput(data.getFeatures());
      alone.setLabels(data.getLabels());
      alone.setLayerMaskArrays(data.getFeaturesMaskArray(), data.getLabelsMaskArray());
      Nd4j.getRandom().setSeed(seed);
      alone.computeGradientAndScore();
      gradients[i] =
          Arrays.stream(parameters)
              .map(key -> alone.gradient().getGradientFor(key).dup('c').data().asDouble())
              .flatMapToDouble(Arrays::stream)
              .map(value -> value / data.numExamples())
              .toArray();
    }
    return gradients;
  }

  static void assertClose(double[] actual, double[] expected) {
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(1e-12 * expected[i]));
    }
  }

  public static void fit(MultiLayerNetwork net, DataSet data, long seed) {
    Nd4j.getRandom().setSeed(seed);
    net.fit(data);
  }

  @ParameterizedTest
  @CsvSource({
    "DENSE, out, 4_W",
    "DENSE, fc2, 3_W",
    "DENSE, bn, 1_gamma",
    "DENSE, fc1, 0_W",
    "CONVOLUTION, out, 4_W",
    "CONVOLUTION, fc2, 3_W",
    "CONVOLUTION, fc1, 0_W",
    "LSTM, out, 2_W",
    "LSTM, fc1, 0_W 0_RW",
    "LOSS_LAYER, fc2, 1_W",
    "LOSS_LAYER, fc1, 0_W"
  })
  void networkOfLayers_matchesOneTermAlone_andTrainsAsBefore(
      Kind kind, String layer, String parameters) {
    List<MultiLayerNetwork> alone = oneTermEach(kind);
    for (WorkspaceMode mode : List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)) {
      MultiLayerNetwork plain = network(kind, composite(), mode);
      MultiLayerNetwork net = network(kind, composite(), mode);
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe probe = GradientNormProbe.attach(net, List.of(layer), steps::add);
      assertThat(probe.taskNames()).containsExactly("ce", "mse", "mae");
      assertThat(probe.lossWeights()).containsExactly(1.0, 0.1, 2.0);
      for (int step = 1; step <= STEPS; step++) {
        DataSet data = data(kind, 3 + step % 3, step);
        double[][] gradients = expectedGradients(alone, plain, data, step, parameters.split(" "));
        double[] expected = OneTaskOracle.norms(gradients);
        probe.measureGram(step % 2 == 0);
        fit(plain, data, step);
        fit(net, data, step);
        assertThat(steps).hasSize(step);
        assertClose(steps.get(step - 1).gradientNorms(), expected);
        if (step % 2 == 0) {
          Grams.assertGram(steps.get(step - 1), gradients, 1e-12);
        }
        assertThat(steps.get(step - 1).iteration()).isEqualTo(step - 1);
        assertThat(steps.get(step - 1).batchSize()).isEqualTo(data.numExamples());
        double[] losses = steps.get(step - 1).losses();
        assertThat(losses[0] + 0.1 * losses[1] + 2.0 * losses[2])
            .isCloseTo(plain.score(), within(1e-12 * plain.score()));
      }
      assertBitIdentical(net.params(), plain.params());
      assertBitIdentical(
          net.getUpdater().getStateViewArray(), plain.getUpdater().getStateViewArray());
      probe.lossWeights(0.3, 0.7, 4.0);
      DataSet data = data(kind, 4, 99);
      double[][] gradients = expectedGradients(alone, net, data, 99, parameters.split(" "));
      probe.measureGram(true);
      fit(net, data, 99);
      assertClose(steps.get(STEPS).gradientNorms(), OneTaskOracle.norms(gradients));
      Grams.assertGram(steps.get(STEPS), gradients, 1e-12);
      probe.detach();
      assertThat(OutputLoss.of(net.getOutputLayer().conf().getLayer()).orElseThrow().get())
          .isInstanceOf(CompositeLoss.class);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void graphOfOneOutput_measuresAsTheNetworkDoes(Kind kind) {
    for (String layer : List.of("fc1", "fc2")) {
      MultiLayerNetwork net = network(kind, composite(), WorkspaceMode.ENABLED);
      ComputationGraph graph =
          network(kind, composite(), WorkspaceMode.ENABLED).toComputationGraph();
      String name = graph.getConfiguration().getNetworkOutputs().get(0);
      assertThat(name).isNotNull();
      List<StepMeasurement> ofNetwork = new ArrayList<>();
      List<StepMeasurement> ofGraph = new ArrayList<>();
      int index = net.getLayerNames().indexOf(layer);
      GradientNormProbe.attach(net, List.of(layer), ofNetwork::add);
      GradientNormProbe.attach(
          graph, List.of(graph.getLayers()[index].conf().getLayer().getLayerName()), ofGraph::add);
      for (int step = 1; step <= 5; step++) {
        DataSet data = data(kind, 4, step);
        fit(net, data, step);
        Nd4j.getRandom().setSeed(step);
        graph.fit(data);
        assertClose(ofGraph.get(step - 1).gradientNorms(), ofNetwork.get(step - 1).gradientNorms());
        assertClose(ofGraph.get(step - 1).losses(), ofNetwork.get(step - 1).losses());
        assertThat(ofGraph.get(step - 1).taskNames()).containsExactly("ce", "mse", "mae");
      }
    }
  }

  @Test
  void defaultSharedLayer_isTheOutputLayer_orTheLastOneWithWeights() {
    assertThat(
            GradientNormProbe.attach(
                    network(Kind.DENSE, composite(), WorkspaceMode.NONE), List.of(), step -> {})
                .sharedLayers())
        .containsExactly("out");
    assertThat(
            GradientNormProbe.attach(
                    network(Kind.LOSS_LAYER, composite(), WorkspaceMode.NONE), List.of(), s -> {})
                .sharedLayers())
        .containsExactly("fc2");
  }

  /** Two outputs, one of them of two terms, and a penalty: four tasks on one shared layer. */
  public static ComputationGraph mixed(ILossFunction a, ILossFunction b) {
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .activation(Activation.TANH)
                .updater(new Adam(0.01))
                .regularization(List.<Regularization>of(WeightPenalty.elasticNet("R", 0.05, 0.3)))
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(4))
                .addLayer("fc", new DenseLayer.Builder().nOut(5).build(), "in")
                .addLayer("hidden", new DenseLayer.Builder().nOut(4).dropOut(0.7).build(), "fc")
                .addLayer(
                    "a",
                    new OutputLayer.Builder(a).nOut(3).activation(Activation.SOFTMAX).build(),
                    "hidden")
                .addLayer(
                    "b",
                    new OutputLayer.Builder(b).nOut(2).activation(Activation.IDENTITY).build(),
                    "fc")
                .setOutputs("a", "b")
                .build());
    graph.init();
    return graph;
  }

  public static MultiDataSet mixedBatch(long seed) {
    Nd4j.getRandom().setSeed(seed);
    return new MultiDataSet(
        new INDArray[] {Nd4j.randn(DataType.DOUBLE, 4, 4)},
        new INDArray[] {Nd4j.rand(DataType.DOUBLE, 4, 3), Nd4j.rand(DataType.DOUBLE, 4, 2)});
  }

  @Test
  void termsOfSeveralOutputsAndAPenalty_areTasksOfOneProbe() {
    CompositeLoss terms =
        CompositeLoss.builder()
            .term("ce", 0.5, new LossMCXENT())
            .term("mae", 2.0, new LossMAE())
            .build();
    ComputationGraph plain = mixed(terms, new LossMSE());
    ComputationGraph net = mixed(terms, new LossMSE());
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("fc"), steps::add);
    assertThat(probe.taskNames()).containsExactly("a/ce", "a/mae", "b", "R");
    assertThat(probe.lossWeights()).containsExactly(0.5, 2.0, 1.0, 0.05);
    for (int step = 1; step <= 20; step++) {
      MultiDataSet data = mixedBatch(step);
      double[] expected = {
        mixedNorm(plain, new LossMCXENT(), 0, data, step),
        mixedNorm(plain, new LossMAE(), 0, data, step),
        mixedNorm(plain, new LossMSE(), 1, data, step),
        penaltyNorm(plain.getParam("fc_W"))
      };
      double penalty =
          penalty(plain.getParam("fc_W"))
              + penalty(plain.getParam("hidden_W"))
              + penalty(plain.getParam("a_W"))
              + penalty(plain.getParam("b_W"));
      for (ComputationGraph graph : List.of(plain, net)) {
        Nd4j.getRandom().setSeed(step);
        graph.fit(data);
      }
      assertClose(steps.get(step - 1).gradientNorms(), expected);
      double[] losses = steps.get(step - 1).losses();
      assertThat(losses[3]).isCloseTo(penalty, within(1e-12 * penalty));
      double total = 0.5 * losses[0] + 2.0 * losses[1] + losses[2] + 0.05 * losses[3];
      assertThat(plain.score()).isCloseTo(total, within(1e-12 * total));
    }
    assertBitIdentical(net.params(), plain.params());
  }

  private static double mixedNorm(
      ComputationGraph at, ILossFunction loss, int output, MultiDataSet data, long seed) {
    ILossFunction none = CompositeLoss.builder().term("none", 0.0, new LossMSE()).build();
    ComputationGraph alone = output == 0 ? mixed(loss, none) : mixed(none, loss);
    alone.setParams(at.params());
    alone.setInputs(data.getFeatures());
    alone.setLabels(data.getLabels());
    Nd4j.getRandom().setSeed(seed);
    alone.computeGradientAndScore();
    return alone.gradient().getGradientFor("fc_W").norm2Number().doubleValue() / 4;
  }

  private static double penalty(INDArray w) {
    double sum = 0.0;
    for (double value : w.dup().data().asDouble()) {
      sum += 0.3 * Math.abs(value) + 0.35 * value * value;
    }
    return sum;
  }

  private static double penaltyNorm(INDArray w) {
    double sum = 0.0;
    for (double value : w.dup().data().asDouble()) {
      double derivative = 0.3 * Math.signum(value) + 0.7 * value;
      sum += derivative * derivative;
    }
    return Math.sqrt(sum);
  }

  @Test
  void penaltysWeight_actsOnTheUpdateOfTheStepItIsSetFor_andNotOnTheScore() {
    List<Regularization> heavy = List.of(WeightPenalty.l2("R", 0.5));
    List<Regularization> light = List.of(WeightPenalty.l2("R", 0.02));
    MultiLayerNetwork expected = CompositeLossTest.network(new LossMCXENT(), heavy);
    MultiLayerNetwork net = CompositeLossTest.network(new LossMCXENT(), light);
    MultiLayerNetwork untouched = CompositeLossTest.network(new LossMCXENT(), light);
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("fc"), step -> {});
    assertThat(probe.taskNames()).containsExactly("out", "R");
    probe.lossWeights(1.0, 0.5);
    net.fit(batch(1));
    expected.fit(batch(1));
    untouched.fit(batch(1));
    assertBitIdentical(net.params(), expected.params());
    assertThat(net.score()).isEqualTo(untouched.score());
    MultiLayerNetwork copy = net.clone();
    probe.detach();
    untouched.setParams(net.params());
    untouched.getUpdater().getStateViewArray().assign(net.getUpdater().getStateViewArray());
    for (MultiLayerNetwork each : List.of(net, untouched, copy)) {
      each.fit(batch(2)); // with the weight as configured
    }
    assertThat(net.params()).isEqualTo(copy.params());
  }

  @Test
  void aListenerThatChangesTheWeights_movesThePenaltyFromTheNextStepOn() {
    MultiLayerNetwork net =
        CompositeLossTest.network(new LossMCXENT(), List.of(WeightPenalty.l2("R", 0.02)));
    MultiLayerNetwork plain =
        CompositeLossTest.network(new LossMCXENT(), List.of(WeightPenalty.l2("R", 0.02)));
    GradientNormProbe[] probe = new GradientNormProbe[1];
    probe[0] = GradientNormProbe.attach(net, List.of("fc"), step -> probe[0].lossWeights(1.0, 3.0));
    net.fit(batch(1));
    plain.fit(batch(1));
    assertBitIdentical(net.params(), plain.params());
    net.fit(batch(2));
    plain.fit(batch(2));
    assertThat(net.params()).isNotEqualTo(plain.params());
  }

  @Test
  void scoringEvaluatingAndCopies_areThoseOfThePlainNetwork(@TempDir Path folder) throws Exception {
    MultiLayerNetwork plain = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    MultiLayerNetwork net = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of(), steps::add);
    probe.lossWeights(3.0, 2.0, 1.0);
    DataSet data = data(Kind.DENSE, 4, 1);
    assertThat(net.score(data)).isEqualTo(plain.score(data));
    assertThat(net.output(data.getFeatures())).isEqualTo(plain.output(data.getFeatures()));
    assertThat(steps).isEmpty();
    MultiLayerNetwork copy = net.clone();
    fit(copy, data, 1);
    fit(plain, data, 1);
    assertBitIdentical(copy.params(), plain.params());
    assertThat(steps).isEmpty();
    Path file = folder.resolve("net.zip");
    net.save(file.toFile());
    assertThat(MultiLayerNetwork.load(file.toFile(), false).getLayerWiseConfigurations().toJson())
        .isEqualTo(
            network(Kind.DENSE, composite(), WorkspaceMode.ENABLED)
                .getLayerWiseConfigurations()
                .toJson());
    fit(net, data, 1);
    assertThat(steps).hasSize(1);
    assertThatThrownBy(() -> GradientNormProbe.attach(net, List.of(), step -> {}))
        .isInstanceOf(IllegalStateException.class);
    probe.detach();
    probe.detach();
    fit(net, data, 2);
    assertThat(steps).hasSize(1);
  }

  @Test
  void everyThirdStep_isMeasured_andTheStepsBetweenKeepTheWeights() {
    List<String> layers = List.of("fc1");
    MultiLayerNetwork every = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    MultiLayerNetwork third = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    ComputationGraph graph = third.toComputationGraph();
    List<StepMeasurement> all = new ArrayList<>();
    List<StepMeasurement> some = new ArrayList<>();
    List<StepMeasurement> ofGraph = new ArrayList<>();
    GradientNormProbe.attach(every, layers, all::add).lossWeights(3, 0.5, 1);
    GradientNormProbe probe = GradientNormProbe.attach(third, layers, some::add);
    GradientNormProbe graphProbe = GradientNormProbe.attach(graph, List.of("0"), ofGraph::add);
    for (GradientNormProbe each : List.of(probe, graphProbe)) {
      each.lossWeights(3, 0.5, 1);
      each.measureEvery(3);
    }
    for (int step = 1; step <= 7; step++) {
      DataSet data = data(Kind.DENSE, 4, step);
      fit(every, data, step);
      fit(third, data, step);
      third.output(data.getFeatures()); // no step
      Nd4j.getRandom().setSeed(step);
      graph.fit(data);
      graph.output(data.getFeatures());
    }
    assertThat(some).containsExactly(all.get(0), all.get(3), all.get(6));
    assertThat(ofGraph).extracting(StepMeasurement::iteration).containsExactly(0, 3, 6);
    assertBitIdentical(third.params(), every.params());
    assertThatThrownBy(() -> probe.measureEvery(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("measureEvery (0) must be >= 1");
  }

  @Test
  void paused_nothingIsMeasured_untilResumed() {
    MultiLayerNetwork always = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    MultiLayerNetwork sometimes = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    List<StepMeasurement> all = new ArrayList<>();
    List<StepMeasurement> some = new ArrayList<>();
    GradientNormProbe.attach(always, List.of("fc1"), all::add).lossWeights(3, 0.5, 1);
    GradientNormProbe probe = GradientNormProbe.attach(sometimes, List.of("fc1"), some::add);
    probe.lossWeights(3, 0.5, 1);
    for (int step = 1; step <= 6; step++) {
      if (step == 2 || step == 6) {
        probe.pause();
      } else if (step == 4) {
        probe.resume();
      }
      DataSet data = data(Kind.DENSE, 4, step);
      fit(always, data, step);
      fit(sometimes, data, step);
    }
    assertThat(some).containsExactly(all.get(0), all.get(3), all.get(4));
    assertBitIdentical(sometimes.params(), always.params());
  }

  /** Segments of 3 and 1 steps; with a learning rate of 0 each term alone sees the same ones. */
  @Test
  void truncatedBackpropagation_givesOneExactMeasurementPerSegment() {
    DataSet data = data(Kind.LSTM, 3, 1);
    for (IUpdater updater : List.of(new Adam(0.01), new Sgd(0.0))) {
      MultiLayerNetwork plain = truncated(composite(), updater);
      MultiLayerNetwork net = truncated(composite(), updater);
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(net, List.of("fc1"), steps::add);
      fit(plain, data, 1);
      fit(net, data, 1);
      assertThat(steps).hasSize(2);
      assertBitIdentical(net.params(), plain.params());
      for (int i = 0; i < LOSSES.size() && updater instanceof Sgd; i++) {
        int term = i;
        List<Double> alone = new ArrayList<>();
        MultiLayerNetwork of = truncated(LOSSES.get(i), updater);
        of.setListeners(
            new BaseTrainingListener() {
              @Override
              public void onGradientCalculation(Model model) {
                double w = model.gradient().getGradientFor("0_W").norm2Number().doubleValue();
                double rw = model.gradient().getGradientFor("0_RW").norm2Number().doubleValue();
                alone.add(Math.hypot(w, rw) / data.numExamples());
              }
            });
        fit(of, data, 1);
        assertClose(
            steps.stream().mapToDouble(step -> step.gradientNorms()[term]).toArray(),
            alone.stream().mapToDouble(Double::doubleValue).toArray());
      }
    }
  }

  private static MultiLayerNetwork truncated(ILossFunction loss, IUpdater updater) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            layers(Kind.LSTM, loss, new NeuralNetConfiguration.Builder().updater(updater))
                .backpropType(BackpropType.TruncatedBPTT)
                .tBPTTLength(3)
                .build());
    net.init();
    return net;
  }

  @Test
  void whatCannotBeMeasured_isRefusedByName() {
    assertThatThrownBy(
            () ->
                GradientNormProbe.attach(
                    network(Kind.DENSE, new LossMSE(), WorkspaceMode.NONE), List.of(), s -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "there is the one loss [out] only: balancing takes two or more. Use several outputs, a"
                + " CompositeLoss of several terms, or a WeightPenalty");
    assertThatThrownBy(
            () ->
                GradientNormProbe.attach(
                    network(Kind.DENSE, composite(), WorkspaceMode.NONE), List.of("fc3"), s -> {}))
        .hasMessage("layer 'fc3' is not in the graph. Shared by all outputs: [fc1, bn, fc2, out]");
    CompositeLoss zero =
        CompositeLoss.builder().term("x", 1, new LossMSE()).term("off", 0, new LossMAE()).build();
    assertThatThrownBy(
            () ->
                GradientNormProbe.attach(
                    network(Kind.DENSE, zero, WorkspaceMode.NONE), List.of(), s -> {}))
        .hasMessageStartingWith("task 'off': loss weight (0.0) must be finite and not 0");
    List<Regularization> both =
        List.of(
            WeightPenalty.l2("R", 0.1),
            new org.nd4j.linalg.learning.regularization.L1Regularization(0.1));
    assertThatThrownBy(
            () ->
                GradientNormProbe.attach(
                    CompositeLossTest.network(new LossMSE(), both), List.of(), s -> {}))
        .hasMessage(
            "layer 'fc' has the penalty 'R' and L1Regularization, which would penalise its weights"
                + " twice. Leave one of them out");
    List<Regularization> twice = List.of(WeightPenalty.l2("R", 0.1), WeightPenalty.l1("R", 0.1));
    assertThatThrownBy(
            () ->
                GradientNormProbe.attach(
                    CompositeLossTest.network(new LossMSE(), twice), List.of(), s -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "layer 'fc' has two penalties of the name 'R'. Use two names, or one elasticNet");
    assertThatThrownBy(
            () ->
                GradientNormProbe.attach(
                    CompositeLossTest.network(new LossMSE(), List.of(WeightPenalty.l2("out", 0.1))),
                    List.of(),
                    s -> {}))
        .hasMessageStartingWith("two tasks have the name 'out'");
  }
}
