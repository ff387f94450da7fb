package org.gradnorm4j.core.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.CompositeMeasurementTest.LOSSES;
import static org.gradnorm4j.core.probe.CompositeMeasurementTest.composite;
import static org.gradnorm4j.core.probe.CompositeMeasurementTest.data;
import static org.gradnorm4j.core.probe.CompositeMeasurementTest.mixed;
import static org.gradnorm4j.core.probe.CompositeMeasurementTest.mixedBatch;
import static org.gradnorm4j.core.probe.CompositeMeasurementTest.network;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.CollectScoresIterationListener;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.analysis.GradientAnalysis.Parameters;
import org.gradnorm4j.core.analysis.GradientAnalysis.Part;
import org.gradnorm4j.core.internal.dl4j.RandomState;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.CompositeLossTest;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.gradnorm4j.core.probe.CompositeMeasurementTest.Kind;
import org.gradnorm4j.core.probe.GradientNormProbe;
import org.gradnorm4j.core.probe.MultiTaskNetworks;
import org.gradnorm4j.core.probe.MultiTaskNetworks.Spec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.regularization.L1Regularization;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossWasserstein;

class GradientNormsTest {

  private static GradientAnalysis of(
      List<String> parts, double[] weights, double dominance, double[][]... products) {
    var parameter = new PartGradients.Parameter("0_W", "0");
    AnalysisStatistics statistics =
        new AnalysisStatistics(
            parts, parts.size(), weights, Map.of(GradientAnalysis.ALL, any -> true));
    for (double[][] each : products) {
      statistics.add(new PartGradients.Batch(new double[parts.size()], Map.of(parameter, each)));
    }
    return statistics.result(dominance, 3e-4);
  }

  private static double[] map(GradientAnalysis analysis, ToDoubleFunction<Part> value) {
    return analysis.all().parts().stream().mapToDouble(value).toArray();
  }

  /** λ = (1, 0.1), ‖∇L_CCE‖ = 0.8, ‖∇L_R‖ = 0.2. */
  @Test
  void workedCase_crossEntropyDominates() {
    GradientAnalysis analysis =
        of(
            List.of("CCE", "R"),
            new double[] {1.0, 0.1},
            0.75,
            new double[][] {{0.64, 0.0}, {0.0, 0.04}});
    assertThat(map(analysis, part -> part.norm().mean())).containsExactly(0.8, 0.2);
    assertThat(map(analysis, part -> part.weightedNorm().mean()))
        .containsExactly(new double[] {0.8, 0.02}, within(1e-15));
    assertThat(map(analysis, part -> part.share().mean()))
        .containsExactly(new double[] {0.8 / 0.82, 0.02 / 0.82}, within(1e-15));
    assertThat(analysis.verdict()).isEqualTo("dominated by CCE (97.6 % of the update)");
    assertThat(analysis.toString()).contains("97.6 %").contains("2.4 %");
    // 1/0.8 : 1/0.2 = 1 : 4, and 1.1 in all.
    assertThat(analysis.suggestedLossWeights())
        .hasEntrySatisfying("CCE", weight -> assertThat(weight).isCloseTo(0.22, within(1e-15)))
        .hasEntrySatisfying("R", weight -> assertThat(weight).isCloseTo(0.88, within(1e-15)));
  }

  @Test
  void partsInConflict_cancelAndAreNamed() {
    // g_1 = (3, 4), g_2 = (-3, 0): cosine -9/15, sum (0, 4).
    GradientAnalysis analysis =
        of(List.of("a", "b"), new double[] {1, 1}, 0.75, new double[][] {{25, -9}, {-9, 9}});
    Parameters all = analysis.all();
    assertThat(all.part("a").cosines().get("b").mean()).isCloseTo(-0.6, within(1e-15));
    assertThat(all.part("a").cosineWithTotal().mean()).isCloseTo(0.8, within(1e-15));
    assertThat(all.part("b").cosineWithTotal().mean()).isZero();
    assertThat(all.agreement().mean()).isCloseTo(4.0 / 8.0, within(1e-15));
    assertThat(analysis.verdict()).isEqualTo("a and b in conflict on this batch (cosine -0.60)");
    // Eigenvalues 17 ± √145 of 34.
    double p = (17 + Math.sqrt(145)) / 34;
    assertThat(all.effectiveRank().mean())
        .isCloseTo(Math.exp(-p * Math.log(p) - (1 - p) * Math.log(1 - p)), within(1e-12));
  }

  @Test
  void equalOrthogonalParts_areBalanced_withFullRank_andNoGradientIsSaid() {
    GradientAnalysis analysis =
        of(List.of("a", "b"), new double[] {2, 1}, 0.75, new double[][] {{1, 0}, {0, 4}});
    assertThat(analysis.verdict()).isEqualTo("balanced");
    assertThat(analysis.all().effectiveRank().mean()).isCloseTo(2.0, within(1e-12));
    GradientAnalysis none = of(List.of("a", "b"), new double[] {2, 1}, 0.75, new double[2][2]);
    assertThat(none.verdict()).isEqualTo("no gradient");
    assertThat(none.suggestedLossWeights()).containsEntry("a", 2.0).containsEntry("b", 1.0);
    assertThat(JsonParser.parseString(none.toJson()).getAsJsonObject().has("parameters")).isTrue();
  }

  @Test
  void conflictOverSeveralBatches_isOneThatDoesNotComeAndGo() {
    double[][] against = {{1, -0.5}, {-0.5, 1}};
    double[][] alike = {{1, 0.48}, {0.48, 1}};
    double[] weights = {1, 1};
    assertThat(of(List.of("a", "b"), weights, 0.75, against, alike).verdict())
        .isEqualTo("balanced"); // cosine -0.01, deviation 0.69
    assertThat(of(List.of("a", "b"), weights, 0.75, against, against).verdict())
        .isEqualTo("a and b in conflict (cosine -0.50 ± 0.00)");
    assertThat(
            of(List.of("a", "b"), weights, 0.75, new double[][] {{Double.NaN, 0}, {0, 1}})
                .verdict())
        .isEqualTo("the gradient of a is not finite");
  }

  /**
   * Cosines of -0.5 and -0.5 + 2d: mean -0.5 + d, deviation √2 d, and Student's t for one degree of
   * freedom is 12.7062.
   */
  @Test
  void conflict_isOneBeyondTheErrorBar() {
    double[] weights = {1, 1};
    double[][] half = {{1, -0.5}, {-0.5, 1}};
    double[][] near = {{1, -0.44}, {-0.44, 1}}; // d = 0.03: -0.47 ± 0.381
    double[][] far = {{1, -0.426}, {-0.426, 1}}; // d = 0.037: -0.463 ± 0.470
    assertThat(of(List.of("a", "b"), weights, 0.75, half, near).verdict())
        .isEqualTo("a and b in conflict (cosine -0.47 ± 0.38)");
    assertThat(of(List.of("a", "b"), weights, 0.75, half, far).verdict()).isEqualTo("balanced");
  }

  @Test
  void cosineWithinRounding_isNoConflict() {
    double[] weights = {1, 1};
    assertThat(
            of(List.of("a", "b"), weights, 0.75, new double[][] {{1, -2e-4}, {-2e-4, 1}}).verdict())
        .isEqualTo("balanced");
    assertThat(
            of(List.of("a", "b"), weights, 0.75, new double[][] {{1, -4e-4}, {-4e-4, 1}}).verdict())
        .isEqualTo("a and b in conflict on this batch (cosine -0.00)");
  }

  /**
   * Gradients of four parts in random directions, 8 batches: as often as not a cosine is negative,
   * but at most one analysis in 40 may speak of a conflict (half of 5 %: the other half is too far
   * above 0). 500 analyses: no more than 12.5 on average, 23 with all but 1 in 500 of the luck.
   */
  @Test
  void partsThatHaveNothingToDoWithEachOther_areRarelySaidToBeInConflict() {
    Random random = new Random(1);
    int conflicts = 0;
    for (int analysis = 0; analysis < 500; analysis++) {
      double[][][] batches = new double[8][][];
      Arrays.setAll(batches, i -> gramOfRandomDirections(random, 4, 20));
      if (of(List.of("a", "b", "c", "d"), new double[] {1, 1, 1, 1}, 0.75, batches)
          .verdict()
          .contains("conflict")) {
        conflicts++;
      }
    }
    assertThat(conflicts).isBetween(1, 23);
  }

  private static double[][] gramOfRandomDirections(Random random, int parts, int dimensions) {
    double[][] gradients = new double[parts][dimensions];
    for (double[] gradient : gradients) {
      Arrays.setAll(gradient, k -> random.nextGaussian());
    }
    double[][] gram = new double[parts][parts];
    for (int i = 0; i < parts; i++) {
      for (int j = 0; j < parts; j++) {
        for (int k = 0; k < dimensions; k++) {
          gram[i][j] += gradients[i][k] * gradients[j][k];
        }
      }
    }
    return gram;
  }

  /** The bound on rounding, against the same networks in DOUBLE. */
  @Test
  void cosinesOfFloats_areWithinTheStatedRounding() {
    for (Activation activation : List.of(Activation.RELU, Activation.TANH, Activation.SIGMOID)) {
      for (int size : new int[] {1, 32, 500}) {
        List<GradientAnalysis> analyses = new ArrayList<>();
        Spec spec =
            new Spec(
                4,
                3,
                WorkspaceMode.ENABLED,
                DataType.DOUBLE,
                new Adam(0.01),
                MultiTaskNetworks.denseTrunk(activation));
        ComputationGraph graph = MultiTaskNetworks.network(spec);
        MultiDataSet batch = MultiTaskNetworks.batch(spec, size, 5);
        for (DataType type : List.of(DataType.DOUBLE, DataType.FLOAT)) {
          analyses.add(GradientNorms.analyze(graph.convertDataType(type), batch));
        }
        GradientAnalysis exact = analyses.get(0);
        GradientAnalysis floats = analyses.get(1);
        assertThat(exact.rounding()).isCloseTo(1.49e-8, within(1e-10));
        assertThat(floats.rounding()).isCloseTo(3.45e-4, within(1e-6));
        for (Part part : exact.all().parts()) {
          part.cosines()
              .forEach(
                  (other, cosine) ->
                      assertThat(floats.all().part(part.name()).cosines().get(other).mean())
                          .isCloseTo(cosine.mean(), within(floats.rounding())));
        }
      }
    }
  }

  @Test
  void dominance_isStatedWithItsErrorBar() {
    double[][] nine = {{81, 0}, {0, 1}};
    double[][] four = {{16, 0}, {0, 1}};
    // Shares 0.9 and 0.8: mean 0.85, deviation 0.0707; t = 25.4517 for 1 degree and two parts.
    assertThat(of(List.of("a", "b"), new double[] {1, 1}, 0.75, nine, four).verdict())
        .isEqualTo("dominated by a (85.0 ± 127.3 % of the update)");
  }

  /** Named and DL4J's own: both shrink with the weights, and have no place in a balance. */
  @Test
  void penalties_keepTheirWeights_andTheOthersAreBalancedWithoutThem() {
    MultiLayerNetwork named =
        CompositeLossTest.network(composite(), List.of(WeightPenalty.l2("L2", 0.01)));
    MultiLayerNetwork own =
        CompositeLossTest.network(composite(), List.of(new L2Regularization(0.01)));
    for (MultiLayerNetwork net : List.of(named, own)) {
      GradientAnalysis analysis = GradientNorms.analyze(net, CompositeLossTest.batch(1));
      Part penalty = analysis.all().parts().get(3);
      assertThat(penalty.penalty()).isTrue();
      assertThat(analysis.all().parts().subList(0, 3)).noneMatch(Part::penalty);
      Map<String, Double> suggested = analysis.suggestedLossWeights();
      assertThat(suggested.get(penalty.name())).isEqualTo(penalty.lossWeight());
      double sum = 0.0;
      double product = suggested.get("ce") * analysis.all().part("ce").norm().mean();
      for (Part part : analysis.all().parts().subList(0, 3)) {
        sum += part.lossWeight();
        double weighted = suggested.get(part.name()) * part.norm().mean();
        assertThat(weighted).isCloseTo(product, within(1e-14));
      }
      assertThat(suggested.values().stream().mapToDouble(w -> w).sum() - penalty.lossWeight())
          .isCloseTo(sum, within(1e-14));
      assertThat(analysis.toString())
          .contains("penalties as they are: " + penalty.name() + (net == named ? " 0.01" : " 1"));
      assertThat(analysis.toString().lines()).allMatch(line -> line.length() <= 80);
    }
  }

  @Test
  void severalBatches_giveMeanAndDeviation() {
    GradientAnalysis analysis =
        of(
            List.of("a", "b"),
            new double[] {1, 1},
            0.75,
            new double[][] {{1, 0}, {0, 1}},
            new double[][] {{9, 0}, {0, 1}});
    assertThat(analysis.batches()).isEqualTo(2);
    assertThat(analysis.all().part("a").norm().mean()).isEqualTo(2.0);
    assertThat(analysis.all().part("a").norm().deviation())
        .isCloseTo(Math.sqrt(2.0), within(1e-15));
    assertThat(analysis.all().part("b").norm().deviation()).isZero();
  }

  private static Map<String, INDArray> gradientsAlone(
      MultiLayerNetwork alone, INDArray parameters, DataSet data) {
    alone.setParams(parameters);
    alone.setInput(data.getFeatures());
    alone.setLabels(data.getLabels());
    alone.setLayerMaskArrays(data.getFeaturesMaskArray(), data.getLabelsMaskArray());
    alone.computeGradientAndScore();
    Map<String, INDArray> gradients = new LinkedHashMap<>();
    alone
        .gradient()
        .gradientForVariable()
        .forEach(
            (name, gradient) -> {
              if (!name.matches(".*(mean|var|log10stdev)")) {
                gradients.put(name, gradient.dup('c').divi(data.numExamples()));
              }
            });
    return gradients;
  }

  private static double dot(Map<String, INDArray> a, Map<String, INDArray> b, String prefix) {
    double sum = 0.0;
    for (String name : a.keySet()) {
      if (name.startsWith(prefix)) {
        double[] left = a.get(name).data().asDouble();
        double[] right = b.get(name).data().asDouble();
        for (int i = 0; i < left.length; i++) {
          sum += left[i] * right[i];
        }
      }
    }
    return sum;
  }

  /** With batch normalization and dropout, whose masks are the same for every part. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void normsAndCosines_matchNetworksOfOneLoss_inBothKindsOfNetwork(Kind kind) {
    MultiLayerNetwork net = network(kind, composite(), WorkspaceMode.ENABLED);
    ComputationGraph graph = net.toComputationGraph();
    DataSet data = data(kind, 5, 1);
    List<Map<String, INDArray>> alone = new ArrayList<>();
    for (var loss : LOSSES) {
      MultiLayerNetwork of = network(kind, loss, WorkspaceMode.NONE);
      Nd4j.getRandom().setSeed(7);
      alone.add(gradientsAlone(of, net.params(), data));
    }
    Nd4j.getRandom().setSeed(7);
    GradientAnalysis ofNetwork = GradientNorms.analyze(net, data);
    Nd4j.getRandom().setSeed(7);
    GradientAnalysis ofGraph = GradientNorms.analyze(graph, data.toMultiDataSet());
    for (GradientAnalysis analysis : List.of(ofNetwork, ofGraph)) {
      List<Part> parts = analysis.all().parts();
      for (int i = 0; i < parts.size(); i++) {
        double norm = Math.sqrt(dot(alone.get(i), alone.get(i), ""));
        assertThat(parts.get(i).norm().mean()).isCloseTo(norm, within(1e-12 * norm));
        for (int j = 0; j < parts.size(); j++) {
          double other = Math.sqrt(dot(alone.get(j), alone.get(j), ""));
          assertThat(parts.get(i).cosines().get(parts.get(j).name()).mean())
              .isCloseTo(dot(alone.get(i), alone.get(j), "") / (norm * other), within(1e-12));
        }
      }
    }
    double firstLayer = Math.sqrt(dot(alone.get(2), alone.get(2), "0_"));
    assertThat(ofNetwork.parameters("fc1").part("mae").norm().mean())
        .isCloseTo(firstLayer, within(1e-12 * firstLayer));
  }

  /** (L_i(θ + h) − L_i(θ − h)) / 2h for every parameter, with the dropout of one training step. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void normsOverAllParameters_matchFiniteDifferences(Kind kind) {
    MultiLayerNetwork net = network(kind, composite(), WorkspaceMode.NONE);
    DataSet data = data(kind, 3, 1);
    ComputationGraph graph = net.toComputationGraph();
    Nd4j.getRandom().setSeed(7);
    GradientAnalysis analysis = GradientNorms.analyze(net, data);
    Nd4j.getRandom().setSeed(7);
    GradientAnalysis ofGraph = GradientNorms.analyze(graph, data);
    for (int i = 0; i < LOSSES.size(); i++) {
      MultiLayerNetwork alone = network(kind, LOSSES.get(i), WorkspaceMode.NONE);
      alone.setParams(net.params());
      double squared = 0.0;
      for (Map.Entry<String, INDArray> entry : alone.paramTable().entrySet()) {
        boolean statistic = entry.getKey().endsWith("mean") || entry.getKey().endsWith("var");
        for (long j = 0; j < entry.getValue().length() && !statistic; j++) {
          double difference =
              (scoreAt(alone, data, entry.getValue(), j, 1e-5)
                      - scoreAt(alone, data, entry.getValue(), j, -1e-5))
                  / 2e-5;
          squared += difference * difference;
        }
      }
      double norm = Math.sqrt(squared);
      for (GradientAnalysis each : List.of(analysis, ofGraph)) {
        assertThat(each.all().parts().get(i).norm().mean()).isCloseTo(norm, within(1e-7 * norm));
      }
    }
  }

  private static double scoreAt(
      MultiLayerNetwork net, DataSet data, INDArray parameter, long index, double shift) {
    double value = parameter.getDouble(index);
    parameter.putScalar(index, value + shift);
    Nd4j.getRandom().setSeed(7);
    double score = net.score(data, true);
    parameter.putScalar(index, value);
    return score;
  }

  @Test
  void analysis_leavesTheNetworkAndTheRandomNumbersAsTheyWere() {
    MultiLayerNetwork net = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    MultiLayerNetwork untouched = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    CollectScoresIterationListener listener = new CollectScoresIterationListener();
    net.setListeners(listener);
    DataSet data = data(Kind.DENSE, 5, 1);
    CompositeLoss loss =
        (CompositeLoss) ((OutputLayer) net.getOutputLayer().conf().getLayer()).getLossFn();
    for (MultiLayerNetwork each : List.of(untouched, net)) {
      Nd4j.getRandom().setSeed(3);
      for (int step = 0; step < 6; step++) {
        if (step == 3 && each == net) {
          INDArray parameters = net.params().dup();
          INDArray updater = net.getUpdater().getStateViewArray().dup();
          String json = net.getLayerWiseConfigurations().toJson();
          Map<String, Double> scores = loss.termScores();
          GradientNorms.analyze(net, data);
          GradientNorms.analyze(net, new ListDataSetIterator<>(data.asList(), 2));
          assertThat(loss.termScores()).hasSize(3).isEqualTo(scores);
          assertBitIdentical(net.params(), parameters);
          assertBitIdentical(net.getUpdater().getStateViewArray(), updater);
          assertThat(net.getLayerWiseConfigurations().toJson()).isEqualTo(json);
          assertThat(net.getListeners()).containsExactly(listener);
          assertThat(listener.getScoreVsIter().getEffectiveScores()).hasSize(3);
        }
        each.fit(data); // dropout draws on, from wherever the random numbers are
      }
    }
    assertBitIdentical(net.params(), untouched.params());
    assertBitIdentical(
        net.getUpdater().getStateViewArray(), untouched.getUpdater().getStateViewArray());
  }

  /** DL4J's Wasserstein loss writes the mask into the labels, here those of both outputs. */
  @Test
  void batch_isNotWrittenInto_andIsTheSameForEveryPart() {
    var configuration =
        new NeuralNetConfiguration.Builder()
            .seed(3)
            .dataType(DataType.DOUBLE)
            .activation(Activation.IDENTITY)
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(InputType.feedForward(3))
            .addLayer("fc", new DenseLayer.Builder().nOut(4).build(), "in")
            .addLayer("a", new OutputLayer.Builder(new LossWasserstein()).nOut(2).build(), "fc")
            .addLayer("b", new OutputLayer.Builder(new LossMSE()).nOut(2).build(), "fc")
            .setOutputs("a", "b");
    ComputationGraph graph = new ComputationGraph(configuration.build());
    graph.init();
    INDArray labels = Nd4j.ones(DataType.DOUBLE, 6, 2);
    INDArray mask = Nd4j.ones(DataType.DOUBLE, 6, 2);
    mask.putScalar(1, 1, 0.0);
    INDArray[] features = {Nd4j.rand(DataType.DOUBLE, 6, 3)};
    MultiDataSet shared =
        new MultiDataSet(
            features, new INDArray[] {labels, labels}, null, new INDArray[] {mask, null});
    MultiDataSet apart =
        new MultiDataSet(
            features,
            new INDArray[] {labels.dup(), labels.dup()},
            null,
            new INDArray[] {mask, null});
    assertThat(map(GradientNorms.analyze(graph, shared), part -> part.norm().mean()))
        .isEqualTo(map(GradientNorms.analyze(graph, apart), part -> part.norm().mean()));
    assertThat(labels.sumNumber().doubleValue()).isEqualTo(12.0);
    graph.fit(shared);
    assertThat(labels.sumNumber().doubleValue()).isEqualTo(11.0);
  }

  @Test
  void attachedGraph_isAnalysedWithoutAStep_andTrainsOnAsIfItHadNotBeen() {
    ComputationGraph net = mixed(composite(), new LossMSE());
    ComputationGraph untouched = mixed(composite(), new LossMSE());
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("fc"), steps::add);
    MultiDataSet data = mixedBatch(1);
    for (ComputationGraph each : List.of(untouched, net)) {
      Nd4j.getRandom().setSeed(3);
      for (int step = 0; step < 4; step++) {
        if (step == 2 && each == net) {
          GradientNorms.analyze(net, data);
          assertThat(steps).hasSize(2);
        }
        each.fit(data);
      }
    }
    assertThat(steps).hasSize(4);
    assertBitIdentical(net.params(), untouched.params());
    // What the probe measures on a layer, the analysis says of its weights.
    probe.lossWeights(2, 2, 2, 2, 2);
    net.setParams(untouched.params());
    RandomState random = RandomState.current();
    GradientAnalysis analysis =
        GradientNorms.of(untouched).select("W", name -> name.equals("fc_W")).analyze(data);
    random.restore();
    net.fit(data);
    double[] measured = steps.get(4).gradientNorms();
    double[] losses = steps.get(4).losses();
    for (int i = 0; i < measured.length; i++) {
      Part part = analysis.parameters("W").parts().get(i);
      assertThat(part.norm().mean()).isCloseTo(measured[i], within(1e-12 * measured[i]));
      assertThat(part.loss().mean()).isCloseTo(losses[i], within(1e-12 * losses[i]));
    }
  }

  @Test
  void dl4jsOwnRegularization_isAPartOfItsOwn() {
    MultiLayerNetwork net =
        CompositeLossTest.network(
            new LossMCXENT(), List.of(new L1Regularization(0.01), new L2Regularization(0.1)));
    GradientAnalysis analysis = GradientNorms.analyze(net, CompositeLossTest.batch(1));
    assertThat(analysis.all().parts())
        .extracting(Part::name)
        .containsExactly("out", "DL4J l1", "DL4J l2");
    double weights = 0.0;
    double count = 0.0;
    for (String name : List.of("0_W", "1_W")) {
      weights += Math.pow(net.getParam(name).norm2Number().doubleValue(), 2);
      count += net.getParam(name).length();
    }
    assertThat(analysis.all().part("DL4J l2").norm().mean())
        .isCloseTo(0.1 * Math.sqrt(weights), within(1e-12));
    assertThat(analysis.all().part("DL4J l1").norm().mean())
        .isCloseTo(0.01 * Math.sqrt(count), within(1e-12));
    net.fit(CompositeLossTest.batch(1));
    double total = analysis.all().parts().stream().mapToDouble(part -> part.loss().mean()).sum();
    assertThat(total).isCloseTo(net.score(), within(1e-12));
  }

  @Test
  void regularizationThatIsThereTwice_countsTwice() {
    MultiLayerNetwork net =
        CompositeLossTest.network(
            new LossMCXENT(), List.of(new L2Regularization(0.1), new L2Regularization(0.3)));
    GradientAnalysis analysis = GradientNorms.analyze(net, CompositeLossTest.batch(1));
    double weights =
        Math.hypot(
            net.getParam("0_W").norm2Number().doubleValue(),
            net.getParam("1_W").norm2Number().doubleValue());
    assertThat(analysis.all().part("DL4J l2").norm().mean())
        .isCloseTo(0.4 * weights, within(1e-12));
    net.fit(CompositeLossTest.batch(1));
    double total = analysis.all().parts().stream().mapToDouble(part -> part.loss().mean()).sum();
    assertThat(total).isCloseTo(net.score(), within(1e-12));
  }

  @Test
  void batchThatDoesNotFit_isRefused_andTheIteratorIsResetAllTheSame() {
    MultiLayerNetwork net = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    assertThatThrownBy(() -> GradientNorms.of(net).analyze(mixedBatch(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "batch (1 feature and 2 label arrays) must have one of each for a MultiLayerNetwork");
    DataSet data = data(Kind.DENSE, 5, 1);
    DataSet unlabelled = new DataSet(data.getFeatures(), null);
    assertThatThrownBy(() -> GradientNorms.analyze(net, unlabelled))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("batch has no labels: the losses need them");
    assertThatThrownBy(() -> GradientNorms.analyze(net.toComputationGraph(), unlabelled))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("batch has no labels: the losses need them");
    DataSet wide = new DataSet(data.getFeatures(), Nd4j.ones(data.getLabels().dataType(), 5, 4));
    ListDataSetIterator<DataSet> iterator = new ListDataSetIterator<>(List.of(wide), 1);
    assertThatThrownBy(() -> GradientNorms.analyze(net, iterator))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("term 'ce' (LossMCXENT()) cannot be computed from labels");
    assertThat(iterator.hasNext()).isTrue();
  }

  /** The last batch is smaller; with GradNorm's probe attached or not. */
  @Test
  void unevenBatches_areEachTheirOwnMean_inBothKindsOfNetwork() {
    MultiLayerNetwork net = network(Kind.LSTM, composite(), WorkspaceMode.ENABLED);
    ComputationGraph graph = net.toComputationGraph();
    GradientNormProbe.attach(net, List.of(), step -> {});
    GradientNormProbe.attach(graph, step -> {});
    List<DataSet> examples = data(Kind.LSTM, 5, 1).asList();
    Nd4j.getRandom().setSeed(7);
    GradientAnalysis ofNetwork = GradientNorms.analyze(net, new ListDataSetIterator<>(examples, 3));
    Nd4j.getRandom().setSeed(7);
    GradientAnalysis ofGraph = GradientNorms.analyze(graph, new ListDataSetIterator<>(examples, 3));
    assertThat(ofNetwork.batches()).isEqualTo(2);
    assertThat(ofGraph.all()).isEqualTo(ofNetwork.all());
    Nd4j.getRandom().setSeed(7);
    double first =
        GradientNorms.analyze(net, DataSet.merge(examples.subList(0, 3)))
            .all()
            .part("ce")
            .norm()
            .mean();
    double second =
        GradientNorms.analyze(net, DataSet.merge(examples.subList(3, 5)))
            .all()
            .part("ce")
            .norm()
            .mean();
    assertThat(ofNetwork.all().part("ce").norm().mean())
        .isCloseTo((first + second) / 2, within(1e-14));
  }

  @Test
  void weightsOfTheCaller_replaceTheConfiguredOnes_byName() {
    MultiLayerNetwork net = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    DataSet data = data(Kind.DENSE, 5, 1);
    GradientAnalysis analysis = GradientNorms.of(net).lossWeights(Map.of("mse", 7.0)).analyze(data);
    assertThat(map(analysis, Part::lossWeight)).containsExactly(1.0, 7.0, 2.0);
    assertThatThrownBy(() -> GradientNorms.of(net).lossWeights(Map.of("x", 1.0)).analyze(data))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "lossWeights has a weight for 'x', which is no part of this network's loss [ce, mse,"
                + " mae]");
    assertThatThrownBy(() -> GradientNorms.of(net).lossWeights(Map.of("ce", -1.0)))
        .hasMessage("part 'ce': weight (-1.0) must be >= 0 and finite");
    assertThatThrownBy(() -> GradientNorms.of(net).dominance(1.1))
        .hasMessage("dominance (1.1) must be from 0 to 1");
    assertThatThrownBy(() -> GradientNorms.of(net).select("none", name -> false).analyze(data))
        .hasMessageStartingWith("selection 'none' takes none of the parameters [0_W, 0_b, ");
    assertThatThrownBy(() -> GradientNorms.of(net).select("fc1", name -> true).analyze(data))
        .hasMessage("selection 'fc1' has the name of a layer. Use another");
    assertThatThrownBy(
            () -> GradientNorms.analyze(net, new ListDataSetIterator<>(List.<DataSet>of(), 2)))
        .hasMessage("there is no batch to analyse: the iterator is empty");
  }

  @Test
  void layersAddUpToAllParameters_andTheCsvAndJsonSayTheSame() throws Exception {
    MultiLayerNetwork net = network(Kind.DENSE, composite(), WorkspaceMode.ENABLED);
    GradientAnalysis analysis = GradientNorms.analyze(net, data(Kind.DENSE, 5, 1));
    assertThat(analysis.parameters())
        .extracting(Parameters::name)
        .containsExactly("all parameters", "fc1", "bn", "fc2", "out");
    double squared = 0.0;
    for (Parameters layer : analysis.parameters().subList(1, 5)) {
      squared += Math.pow(layer.part("mse").norm().mean(), 2);
    }
    double all = analysis.all().part("mse").norm().mean();
    assertThat(Math.sqrt(squared)).isCloseTo(all, within(1e-14 * all));

    List<CSVRecord> rows =
        CSVFormat.RFC4180
            .builder()
            .setHeader()
            .setSkipHeaderRecord(true)
            .build()
            .parse(new java.io.StringReader(analysis.toCsv()))
            .getRecords();
    assertThat(rows).hasSize(5 * 3);
    assertThat(rows.get(1).get("part")).isEqualTo("mse");
    assertThat(Double.parseDouble(rows.get(1).get("norm"))).isEqualTo(all);
    assertThat(Double.parseDouble(rows.get(1).get("cosine_with:mse"))).isEqualTo(1.0);

    JsonObject json = JsonParser.parseString(analysis.toJson()).getAsJsonObject();
    JsonObject part =
        json.getAsJsonArray("parameters")
            .get(0)
            .getAsJsonObject()
            .getAsJsonArray("parts")
            .get(1)
            .getAsJsonObject();
    assertThat(part.getAsJsonObject("norm").get("mean").getAsDouble()).isEqualTo(all);
    assertThat(json.get("verdict").getAsString()).isEqualTo(analysis.verdict());
    assertThat(analysis.toString().lines()).allMatch(line -> line.length() <= 80);
  }

  @Test
  void iterator_isTheMeanOfItsBatches_andIsReset() {
    MultiLayerNetwork net = network(Kind.LOSS_LAYER, composite(), WorkspaceMode.ENABLED);
    List<DataSet> batches =
        List.of(
            data(Kind.LOSS_LAYER, 4, 1), data(Kind.LOSS_LAYER, 4, 2), data(Kind.LOSS_LAYER, 4, 3));
    double mean = 0.0;
    for (DataSet batch : batches) {
      mean += GradientNorms.analyze(net, batch).all().part("ce").norm().mean() / 3;
    }
    List<DataSet> examples = new ArrayList<>();
    batches.forEach(batch -> examples.addAll(batch.asList()));
    ListDataSetIterator<DataSet> iterator = new ListDataSetIterator<>(examples, 4);
    iterator.next();
    GradientAnalysis analysis = GradientNorms.analyze(net, iterator);
    assertThat(analysis.batches()).isEqualTo(3);
    assertThat(analysis.all().part("ce").norm().mean()).isCloseTo(mean, within(1e-14));
    assertThat(iterator.hasNext()).isTrue();
  }
}
