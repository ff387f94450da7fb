package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Percentage.withPercentage;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.batch;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.network;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculatorCG;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingGraphTrainer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.listeners.CollectScoresListener;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.internal.dl4j.LayerTapVertex;
import org.gradnorm4j.core.probe.MultiTaskNetworks.Spec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.evaluation.IEvaluation;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.TestMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** An attached graph behaves as plain DL4J in everything but the loss weights. */
public class NoInterferenceTest {
  private static final Spec SPEC = Spec.dense(3, 2, WorkspaceMode.ENABLED);

  @ParameterizedTest
  @EnumSource(
      value = WorkspaceMode.class,
      names = {"ENABLED", "NONE"})
  void twoHundredAdamSteps_withWeightsAtOne_areBitIdentical(WorkspaceMode workspaces) {
    for (DataType dataType : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      Spec spec =
          new Spec(
              4,
              2,
              workspaces,
              dataType,
              new Adam(0.01),
              MultiTaskNetworks.denseTrunk(Activation.RELU));
      ComputationGraph plain = network(spec);
      ComputationGraph attached = network(spec);
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(attached, steps::add); // both dense methods: batch sizes differ
      for (int i = 0; i < 200; i++) {
        MultiDataSet batch = batch(spec, 1 + i % 9, i + 1);
        plain.fit(batch);
        attached.fit(batch);
      }
      assertThat(steps).hasSize(200);
      assertBitIdentical(attached.params(), plain.params());
      assertBitIdentical(
          attached.getUpdater().getUpdaterStateViewArray(),
          plain.getUpdater().getUpdaterStateViewArray());
      assertThat(attached.score()).isEqualTo(plain.score());
    }
  }

  /** The kernel does the shared layer's backward pass itself. */
  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      names = {
        "CUBE", "ELU", "GELU", "HARDSIGMOID", "HARDTANH", "IDENTITY", "LEAKYRELU", "MISH",
        "RATIONALTANH", "RECTIFIEDTANH", "RELU", "RELU6", "SELU", "SIGMOID", "SOFTMAX", "SOFTPLUS",
        "SOFTSIGN", "SWISH", "TANH", "THRESHOLDEDRELU"
      })
  void everyActivation_trainsBitIdentically_measuredOrNot(Activation activation) {
    for (DataType dataType : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      Spec spec =
          new Spec(
              3,
              2,
              WorkspaceMode.ENABLED,
              dataType,
              new Adam(0.01),
              MultiTaskNetworks.denseTrunk(activation));
      ComputationGraph plain = network(spec);
      ComputationGraph attached = network(spec);
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(attached, steps::add).measureEvery(2);
      for (int i = 0; i < 20; i++) {
        MultiDataSet batch = batch(spec, 1 + i % 9, i + 1);
        plain.fit(batch);
        attached.fit(batch);
        attached.output(batch.getFeatures());
      }
      assertThat(steps).hasSize(10);
      assertBitIdentical(attached.params(), plain.params());
    }
  }

  @Test
  void trainingWithDropoutAtTheSharedLayer_isBitIdentical() {
    Spec spec =
        Spec.of(
            (graph, net) ->
                graph.addLayer(
                    "shared",
                    new DenseLayer.Builder()
                        .nIn(MultiTaskNetworks.INPUTS)
                        .nOut(5)
                        .dropOut(new Dropout(0.6))
                        .activation(Activation.TANH)
                        .build(),
                    "in"));
    ComputationGraph plain = network(spec);
    ComputationGraph attached = network(spec);
    GradientNormProbe.attach(attached, step -> {});
    for (int i = 0; i < 20; i++) {
      MultiDataSet batch = batch(spec, 8, i + 1);
      Nd4j.getRandom().setSeed(i + 1);
      plain.fit(batch);
      Nd4j.getRandom().setSeed(i + 1);
      attached.fit(batch);
    }
    assertBitIdentical(attached.params(), plain.params());
  }

  @Test
  void afterDetach_theGraphIsPlainAgain() {
    ComputationGraph plain = network(SPEC);
    ComputationGraph net = network(SPEC);
    GradientNormProbe probe = GradientNormProbe.attach(net, step -> {});
    probe.lossWeights(1e-3, 5, 0.2);
    probe.detach();
    probe.detach();
    for (int i = 0; i < 5; i++) {
      plain.fit(batch(SPEC, 8, i + 1));
      net.fit(batch(SPEC, 8, i + 1));
    }
    assertBitIdentical(net.params(), plain.params());
    assertThat(net.getVertices()).doesNotHaveAnyElementsOfTypes(LayerTapVertex.class);
    assertThat(net.getConfiguration()).isEqualTo(plain.getConfiguration());
  }

  @Test
  void detachInTheMiddleOfAStep_finishesTheStep() {
    ComputationGraph plain = network(SPEC);
    ComputationGraph net = network(SPEC);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, steps::add);
    net.setListeners(
        new BaseTrainingListener() {
          @Override
          public void onForwardPass(Model model, Map<String, INDArray> activations) {
            if (net.getIterationCount() == 1) {
              probe.detach();
            }
          }
        });
    for (int i = 0; i < 3; i++) {
      plain.fit(batch(SPEC, 8, i + 1));
      net.fit(batch(SPEC, 8, i + 1));
    }
    assertThat(steps).hasSize(1);
    assertBitIdentical(net.params(), plain.params());
  }

  @Test
  void scoresEvaluationAndSummary_areThoseOfThePlainGraph() {
    ComputationGraph plain = network(SPEC);
    ComputationGraph net = network(SPEC);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, steps::add);
    probe.lossWeights(0.1, 2.4, 0.5);
    MultiDataSet batch = batch(SPEC, 8, 1);
    assertThat(net.score(batch)).isEqualTo(plain.score(batch));
    assertThat(net.score(batch, true)).isEqualTo(plain.score(batch, true));
    assertBitIdentical(net.scoreExamples(batch, false), plain.scoreExamples(batch, false));
    assertBitIdentical(
        net.output(true, batch.getFeatures())[0], plain.output(true, batch.getFeatures())[0]);
    assertThat(evaluation(net, batch)).isEqualTo(evaluation(plain, batch));
    assertThat(net.summary()).isEqualTo(plain.summary());
    assertThat(net.getConfiguration()).isEqualTo(plain.getConfiguration());
    assertThat(steps).isEmpty();
  }

  @Test
  void scoreDuringTraining_isTheUnweightedSumOfTheLosses() {
    ComputationGraph net = network(SPEC);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, steps::add).lossWeights(0.1, 2.4, 0.5);
    MultiDataSet batch = batch(SPEC, 8, 1);
    double before = net.score(batch, true);
    net.fit(batch);
    assertThat(net.score()).isEqualTo(before);
    double[] losses = steps.get(0).losses();
    assertThat(losses[0] + losses[1] + losses[2]).isCloseTo(before, withPercentage(1e-10));
  }

  @Test
  void listenersSetAfterAttaching_doNotEndTheMeasuring() {
    ComputationGraph net = network(SPEC);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, steps::add);
    net.setListeners(new CollectScoresListener(1));
    net.fit(batch(SPEC, 8, 1));
    net.setListeners();
    net.fit(batch(SPEC, 8, 2));
    assertThat(steps).extracting(StepMeasurement::iteration).containsExactly(0, 1);
  }

  @Test
  void epochsAreCounted() {
    ComputationGraph net = network(SPEC);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, steps::add);
    net.fit(iterator(batch(SPEC, 8, 1), batch(SPEC, 8, 2)), 2);
    assertThat(steps).extracting(StepMeasurement::epoch).containsExactly(0, 0, 1, 1);
  }

  @Test
  @SuppressWarnings("deprecation") // DL4J's only loss calculator for several outputs
  void earlyStopping_findsTheSameModel() {
    List<ComputationGraph> best = new ArrayList<>();
    for (boolean attach : new boolean[] {false, true}) {
      ComputationGraph net = network(SPEC);
      if (attach) {
        GradientNormProbe.attach(net, step -> {});
      }
      EarlyStoppingConfiguration<ComputationGraph> stopping =
          new EarlyStoppingConfiguration.Builder<ComputationGraph>()
              .epochTerminationConditions(new MaxEpochsTerminationCondition(3))
              .scoreCalculator(new DataSetLossCalculatorCG(iterator(batch(SPEC, 8, 9)), true))
              .modelSaver(new InMemoryModelSaver<>())
              .build();
      MultiDataSetIterator data = iterator(batch(SPEC, 8, 1), batch(SPEC, 8, 2));
      best.add(new EarlyStoppingGraphTrainer(stopping, net, data, null).fit().getBestModel());
    }
    assertBitIdentical(best.get(1).params(), best.get(0).params());
  }

  @Test
  void modelSavedDuringTraining_isThePlainModel(@TempDir Path folder) throws Exception {
    ComputationGraph plain = network(SPEC);
    ComputationGraph net = network(SPEC);
    GradientNormProbe probe = GradientNormProbe.attach(net, step -> {});
    assertThat(net.getConfiguration().toJson()).isEqualTo(plain.getConfiguration().toJson());
    probe.lossWeights(0.3, 0.3, 2.4);
    net.fit(batch(SPEC, 8, 1));

    File file = folder.resolve("model.zip").toFile();
    ModelSerializer.writeModel(net, file, true);
    String json =
        new String(
            new ZipFile(file).getInputStream(new ZipEntry("configuration.json")).readAllBytes(),
            StandardCharsets.UTF_8);
    assertThat(json).doesNotContain("gradnorm4j").contains("LossMSE", "LossMCXENT");
    ComputationGraph loaded = ComputationGraph.load(file, true);
    INDArray[] features = batch(SPEC, 5, 2).getFeatures();
    assertBitIdentical(loaded.output(features)[2], net.output(features)[2]);
    assertThat(loaded.getVertices()).doesNotHaveAnyElementsOfTypes(LayerTapVertex.class);
  }

  @Test
  void configurationSerializedByJava_holdsThePlainLoss() throws Exception {
    ComputationGraph net = network(SPEC);
    GradientNormProbe.attach(net, step -> {});
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(net.getConfiguration());
    }
    assertThat(bytes.toString(StandardCharsets.ISO_8859_1)).doesNotContain("gradnorm4j");
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      ComputationGraphConfiguration read = (ComputationGraphConfiguration) in.readObject();
      assertThat(read.toJson()).isEqualTo(network(SPEC).getConfiguration().toJson());
    }
  }

  @Test
  void clone_trainsOnThePlainSum_andCanBeAttachedByItself() {
    ComputationGraph net = network(SPEC);
    ComputationGraph plain = network(SPEC);
    List<StepMeasurement> ofNet = new ArrayList<>();
    List<StepMeasurement> ofClone = new ArrayList<>();
    GradientNormProbe.attach(net, ofNet::add).lossWeights(0.1, 0.1, 2.8);
    ComputationGraph clone = net.clone();
    clone.fit(batch(SPEC, 8, 1));
    plain.fit(batch(SPEC, 8, 1));
    assertBitIdentical(clone.params(), plain.params());
    assertThat(ofNet).isEmpty();
    GradientNormProbe.attach(clone, ofClone::add).detach();
    GradientNormProbe.attach(clone, ofClone::add).lossWeights(1, 1, 1);
    net.fit(batch(SPEC, 8, 2));
    clone.fit(batch(SPEC, 8, 2));
    assertThat(ofNet).hasSize(1);
    assertThat(ofClone).hasSize(1);
    assertThat(ofNet.get(0).lossWeights()).containsExactly(0.1, 0.1, 2.8);
  }

  @Test
  void exceptionInTheMiddleOfAStep_leavesTheNextStepRight() {
    ComputationGraph net = network(SPEC);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, steps::add);
    MultiDataSet good = batch(SPEC, 8, 1);
    INDArray[] tooWide = good.getLabels().clone();
    tooWide[0] = Nd4j.zeros(DataType.DOUBLE, 8, 9);
    assertThatThrownBy(() -> net.fit(new MultiDataSet(good.getFeatures(), tooWide)))
        .isInstanceOf(RuntimeException.class);
    var expected = MultiTaskNetworks.oneTaskAtATime(SPEC, net, good);
    net.fit(good);
    assertThat(steps).hasSize(1);
    for (int task = 0; task < 3; task++) {
      assertThat(steps.get(0).gradientNorms()[task])
          .isCloseTo(expected.get(task).norm("shared_W"), withPercentage(1e-10));
    }
  }

  public static void assertBitIdentical(INDArray actual, INDArray expected) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    if (expected.dataType() == DataType.FLOAT) {
      assertThat(actual.dup('c').data().asFloat()).isEqualTo(expected.dup('c').data().asFloat());
    } else {
      assertThat(actual.dup('c').data().asDouble()).isEqualTo(expected.dup('c').data().asDouble());
    }
  }

  /** DL4J's own evaluation of the second output, a classifier. */
  private static String evaluation(ComputationGraph net, MultiDataSet batch) {
    IEvaluation<?>[] classification = {new Evaluation()};
    return net.evaluate(iterator(batch), Map.of(1, classification)).get(1)[0].stats();
  }

  private static MultiDataSetIterator iterator(MultiDataSet... batches) {
    return new TestMultiDataSetIterator(1, batches);
  }
}
