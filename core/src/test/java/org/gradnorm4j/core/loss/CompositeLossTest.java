package org.gradnorm4j.core.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.core.probe.CompositeMeasurementTest;
import org.gradnorm4j.core.probe.CompositeMeasurementTest.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossMSLE;

/** CompositeLoss and WeightPenalty in plain DL4J, without a probe. */
public class CompositeLossTest {
  private static final CompositeLoss TWO_TERMS =
      CompositeLoss.builder()
          .term("cross-entropy", 1.0, new LossMCXENT())
          .term("confidence", 0.1, new LossMSE())
          .build();

  public static MultiLayerNetwork network(ILossFunction loss, List<Regularization> penalties) {
    MultiLayerConfiguration configuration =
        new NeuralNetConfiguration.Builder()
            .seed(4)
            .dataType(DataType.DOUBLE)
            .activation(Activation.TANH)
            .updater(new Adam(0.01))
            .regularization(penalties)
            .list()
            .layer(new DenseLayer.Builder().name("fc").nOut(5).build())
            .layer(
                new OutputLayer.Builder(loss)
                    .name("out")
                    .nOut(3)
                    .activation(Activation.SOFTMAX)
                    .build())
            .setInputType(InputType.feedForward(4))
            .build();
    MultiLayerNetwork net = new MultiLayerNetwork(configuration);
    net.init();
    return net;
  }

  public static DataSet batch(long seed) {
    Nd4j.getRandom().setSeed(seed);
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, 6, 3);
    for (int i = 0; i < 6; i++) {
      labels.putScalar(i, i % 3, 1.0);
    }
    return new DataSet(Nd4j.randn(DataType.DOUBLE, 6, 4), labels);
  }

  private static MultiLayerNetwork trained(ILossFunction loss, List<Regularization> penalties) {
    MultiLayerNetwork net = network(loss, penalties);
    for (int step = 0; step < 50; step++) {
      net.fit(batch(step + 1)); // ND4J takes seed 0 for a random one
    }
    return net;
  }

  private static ILossFunction oneTerm() {
    return CompositeLoss.builder().term("one", 1.0, new LossMCXENT()).build();
  }

  private static ILossFunction halves() {
    return CompositeLoss.builder()
        .term("a", 0.5, new LossMCXENT())
        .term("b", 0.5, new LossMCXENT())
        .build();
  }

  /** With dropout, batch normalization and masks: see {@link CompositeMeasurementTest}. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void oneTermOfWeightOne_trainsBitIdenticallyToTheBareLoss_andTwoHalvesToWithinRounding(
      Kind kind) {
    List<MultiLayerNetwork> nets = new ArrayList<>();
    List<ComputationGraph> graphs = new ArrayList<>();
    for (ILossFunction loss : List.of(new LossMCXENT(), oneTerm(), halves())) {
      nets.add(CompositeMeasurementTest.network(kind, loss, WorkspaceMode.ENABLED));
      graphs.add(nets.get(nets.size() - 1).clone().toComputationGraph());
    }
    for (int step = 1; step <= 12; step++) {
      DataSet data = CompositeMeasurementTest.data(kind, 3 + step % 3, step);
      for (MultiLayerNetwork net : nets) {
        CompositeMeasurementTest.fit(net, data, step);
      }
      for (ComputationGraph graph : graphs) {
        Nd4j.getRandom().setSeed(step);
        graph.fit(data);
      }
      assertThat(nets.get(1).score()).isEqualTo(nets.get(0).score());
    }
    assertBitIdentical(nets.get(1).params(), nets.get(0).params());
    assertBitIdentical(graphs.get(1).params(), graphs.get(0).params());
    assertThat(nets.get(2).params().distance2(nets.get(0).params())).isLessThan(1e-11);
    assertThat(graphs.get(2).params().distance2(graphs.get(0).params())).isLessThan(1e-11);
  }

  /** 0 times NaN would be NaN. */
  @Test
  void termOfWeightZero_isLeftOut_whateverItsValue() {
    CompositeLoss loss =
        CompositeLoss.builder()
            .term("mse", 1, new LossMSE())
            .term("off", 0, new LossMSLE())
            .build();
    INDArray labels = Nd4j.createFromArray(new double[][] {{-3, -4}}); // log(1 - 3) is NaN
    INDArray z = Nd4j.createFromArray(new double[][] {{1.0, 2.0}});
    ActivationIdentity identity = new ActivationIdentity();
    assertThat(loss.computeScore(labels, z, identity, null, true)).isEqualTo((16.0 + 36.0) / 2);
    assertThat(loss.computeScoreArray(labels, z, identity, null).getDouble(0)).isEqualTo(26.0);
    assertThat(loss.computeGradient(labels, z, identity, null).dup('c').data().asDouble())
        .containsExactly(4.0, 6.0);
    assertThat(loss.termScores().get("off")).isNaN();
  }

  @Test
  void l2Penalty_trainsBitIdenticallyToDl4jsOwn_andSoDoesL1() {
    MultiLayerNetwork l2 =
        trained(
            new LossMCXENT(),
            List.of(new org.nd4j.linalg.learning.regularization.L2Regularization(0.02)));
    MultiLayerNetwork penalty = trained(new LossMCXENT(), List.of(WeightPenalty.l2("R", 0.02)));
    assertBitIdentical(penalty.params(), l2.params());
    assertThat(penalty.score()).isEqualTo(l2.score());
    MultiLayerNetwork l1 =
        trained(
            new LossMCXENT(),
            List.of(new org.nd4j.linalg.learning.regularization.L1Regularization(0.02)));
    assertBitIdentical(
        trained(new LossMCXENT(), List.of(WeightPenalty.l1("R", 0.02))).params(), l1.params());
  }

  @Test
  void elasticNet_isTheMixOfBoth() {
    INDArray w = Nd4j.createFromArray(new double[][] {{3, -4}, {0, 1}});
    WeightPenalty penalty = WeightPenalty.elasticNet("R", 0.1, 0.25);
    // 0.25 (3 + 4 + 1) + 0.75/2 (9 + 16 + 1)
    assertThat(penalty.score(w, 0, 0)).isCloseTo(0.1 * 11.75, within(1e-15));
    INDArray gradient = Nd4j.ones(DataType.DOUBLE, 2, 2);
    penalty.apply(w, gradient, 0, 0, 0);
    // 1 + 0.1 (0.25 sign(w) + 0.75 w)
    assertThat(gradient.dup('c').data().asDouble())
        .containsExactly(new double[] {1 + 0.1 * 2.5, 1 - 0.1 * 3.25, 1, 1 + 0.1}, within(1e-15));
  }

  @Test
  void scoresAndGradients_areTheWeightedSums_withAMask() {
    INDArray labels = batch(1).getLabels();
    INDArray z = Nd4j.randn(DataType.DOUBLE, 6, 3);
    INDArray mask = Nd4j.createFromArray(1.0, 0, 1, 1, 0, 1).reshape(6, 1);
    ILossFunction first = new LossMCXENT();
    ILossFunction second = new LossMSE();
    ActivationSoftmax softmax = new ActivationSoftmax();
    INDArray expected =
        first
            .computeGradient(labels, z.dup(), softmax, mask)
            .add(second.computeGradient(labels, z.dup(), softmax, mask).mul(0.1));
    assertThat(TWO_TERMS.computeGradient(labels, z.dup(), softmax, mask)).isEqualTo(expected);
    double a = first.computeScore(labels, z.dup(), softmax, mask, false);
    double b = second.computeScore(labels, z.dup(), softmax, mask, false);
    assertThat(TWO_TERMS.computeScore(labels, z.dup(), softmax, mask, false))
        .isEqualTo(a + 0.1 * b);
    assertThat(TWO_TERMS.termScores())
        .containsExactly(
            org.assertj.core.api.Assertions.entry("cross-entropy", a / 6),
            org.assertj.core.api.Assertions.entry("confidence", b / 6));
    assertThat(
            TWO_TERMS.computeScoreArray(labels, z.dup(), softmax, mask).sumNumber().doubleValue())
        .isCloseTo(a + 0.1 * b, within(1e-12));
  }

  @Test
  void savedModel_opensWithTheSameTermsAndPenalties(@TempDir Path folder) throws Exception {
    MultiLayerNetwork net = trained(TWO_TERMS, List.of(WeightPenalty.elasticNet("R", 0.01, 0.5)));
    Path file = folder.resolve("model.zip");
    net.save(file.toFile(), true);
    MultiLayerNetwork loaded = MultiLayerNetwork.load(file.toFile(), true);
    assertThat(loaded.getLayerWiseConfigurations()).isEqualTo(net.getLayerWiseConfigurations());
    var output = (OutputLayer) loaded.getOutputLayer().conf().getLayer();
    assertThat(output.getLossFn()).isEqualTo(TWO_TERMS).hasSameHashCodeAs(TWO_TERMS);
    assertThat(output.getRegularization())
        .containsExactly(WeightPenalty.elasticNet("R", 0.01, 0.5));
    net.fit(batch(99));
    loaded.fit(batch(99));
    assertBitIdentical(loaded.params(), net.params());

    ComputationGraph graph = net.toComputationGraph();
    ModelSerializer.writeModel(graph, file.toFile(), true);
    ComputationGraph loadedGraph = ModelSerializer.restoreComputationGraph(file.toFile(), true);
    assertThat(loadedGraph.getConfiguration()).isEqualTo(graph.getConfiguration());
    graph.fit(batch(99));
    loadedGraph.fit(batch(99));
    assertBitIdentical(loadedGraph.params(), graph.params());
  }

  @Test
  void equality_isThatOfNamesWeightsAndLosses() {
    assertThat(CompositeLoss.builder().term("a", 1, new LossMSE()).build())
        .isEqualTo(CompositeLoss.builder().term("a", 1, new LossMSE()).build())
        .isNotEqualTo(CompositeLoss.builder().term("b", 1, new LossMSE()).build())
        .isNotEqualTo(CompositeLoss.builder().term("a", 2, new LossMSE()).build())
        .isNotEqualTo(CompositeLoss.builder().term("a", 1, new LossMAE()).build());
    assertThat(WeightPenalty.l1("R", 1))
        .isEqualTo(WeightPenalty.l1("R", 1))
        .isNotEqualTo(WeightPenalty.l2("R", 1));
    assertThat(TWO_TERMS)
        .hasToString("Composite(1.0 cross-entropy (LossMCXENT()) + 0.1 confidence (LossMSE()))");
  }

  @Test
  void badInput_isRefusedByTheTermsName() {
    CompositeLoss.Builder builder = CompositeLoss.builder();
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a composite loss needs terms. Add them with term(...)");
    for (double bad : new double[] {-0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> builder.term("x", bad, new LossMSE()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("term 'x': weight (" + bad + ") must be >= 0 and finite");
      assertThatThrownBy(() -> WeightPenalty.l2("R", bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("penalty 'R': weight (" + bad + ") must be >= 0 and finite");
    }
    assertThatThrownBy(() -> WeightPenalty.elasticNet("R", 1, 1.5))
        .hasMessage("penalty 'R': l1Ratio (1.5) must be from 0 to 1");
    assertThatThrownBy(() -> builder.term("x", 1, null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("term 'x': loss");
    builder.term("x", 1, new LossMSE()).term("x", 2, new LossMAE());
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("term 'x' is there twice. Give each term a name of its own");
  }

  @Test
  void termThatDoesNotFitTheLabels_isRefusedByName() {
    CompositeLoss loss =
        CompositeLoss.builder()
            .term("fits", 1, new LossMSE())
            .term("misfit", 1, new org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT())
            .build();
    INDArray labels = Nd4j.rand(DataType.DOUBLE, 2, 3);
    INDArray output = Nd4j.rand(DataType.DOUBLE, 2, 3);
    assertThatThrownBy(() -> loss.computeGradient(labels, output, new ActivationIdentity(), null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "term 'misfit' (LossSparseMCXENT()) cannot be computed from labels of shape [2, 3] and"
                + " an output of shape [2, 3]: ");
  }
}
