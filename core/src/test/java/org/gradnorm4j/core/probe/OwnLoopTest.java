package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.Solver;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/**
 * What a step is: one call of {@code computeGradientAndScore()}, by {@code fit} or by the user's
 * own loop, of either kind of network.
 */
class OwnLoopTest {
  private static final double[] WEIGHTS = {0.3, 1.7};

  /** The kinds of network. */
  enum Kind {
    LAYERS,
    SERIES,
    GRAPH
  }

  /** The ways to make a step. */
  enum Way {
    FIT,
    OWN_LOOP,
    OWN_LOOP_WITH_THE_MONITOR,
    SOLVER
  }

  private static CompositeLoss loss() {
    return CompositeLoss.builder()
        .term("squared", 1.0, new LossMSE())
        .term("absolute", 1.0, new LossMAE())
        .build();
  }

  private static Model network(Kind kind, WorkspaceMode workspaces, IUpdater updater) {
    NeuralNetConfiguration.Builder net =
        new NeuralNetConfiguration.Builder()
            .seed(3)
            .dataType(DataType.DOUBLE)
            .updater(updater)
            .trainingWorkspaceMode(workspaces)
            .inferenceWorkspaceMode(workspaces);
    var hidden = new DenseLayer.Builder().nIn(4).nOut(6).activation(Activation.TANH).build();
    var output =
        new OutputLayer.Builder(loss()).nIn(6).nOut(3).activation(Activation.IDENTITY).build();
    Model model =
        switch (kind) {
          case LAYERS -> new MultiLayerNetwork(net.list().layer(hidden).layer(output).build());
          case SERIES ->
              new MultiLayerNetwork(
                  net.list()
                      .layer(new LSTM.Builder().nIn(4).nOut(6).build())
                      .layer(
                          new RnnOutputLayer.Builder(loss())
                              .nIn(6)
                              .nOut(3)
                              .activation(Activation.IDENTITY)
                              .build())
                      .build());
          case GRAPH ->
              new ComputationGraph(
                  net.graphBuilder()
                      .addInputs("in")
                      .addLayer("hidden", hidden, "in")
                      .addLayer("out", output, "hidden")
                      .setOutputs("out")
                      .build());
        };
    model.init();
    return model;
  }

  private static DataSet batch(Kind kind, long seed) {
    Nd4j.getRandom().setSeed(seed);
    return kind == Kind.SERIES
        ? new DataSet(
            Nd4j.randn(DataType.DOUBLE, 8, 4, 5), Nd4j.randn(DataType.DOUBLE, 8, 3, 5).muli(3))
        : new DataSet(Nd4j.randn(DataType.DOUBLE, 8, 4), Nd4j.randn(DataType.DOUBLE, 8, 3).muli(3));
  }

  private static GradientNormProbe attach(Model model, Consumer<StepMeasurement> listener) {
    return model instanceof ComputationGraph graph
        ? GradientNormProbe.attach(graph, List.of(), listener)
        : GradientNormProbe.attach((MultiLayerNetwork) model, List.of(), listener);
  }

  private static void step(Model model, DataSet batch, Way way) {
    switch (way) {
      case FIT -> fit(model, batch);
      case OWN_LOOP -> ownStep(model, batch);
      case OWN_LOOP_WITH_THE_MONITOR -> {
        synchronized (model) {
          ownStep(model, batch);
        }
      }
      case SOLVER -> {
        give(model, batch);
        new Solver.Builder()
            .configure(model.conf())
            .model(model)
            .build()
            .optimize(LayerWorkspaceMgr.noWorkspaces());
      }
    }
  }

  private static void fit(Model model, DataSet batch) {
    if (model instanceof ComputationGraph graph) {
      graph.fit(batch);
    } else {
      ((MultiLayerNetwork) model).fit(batch);
    }
  }

  private static void give(Model model, DataSet batch) {
    if (model instanceof ComputationGraph graph) {
      graph.setInput(0, batch.getFeatures());
      graph.setLabels(batch.getLabels());
    } else {
      MultiLayerNetwork network = (MultiLayerNetwork) model;
      network.setInput(batch.getFeatures());
      network.setLabels(batch.getLabels());
    }
  }

  private static Gradient gradient(Model model, DataSet batch) {
    give(model, batch);
    model.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
    return model.gradient();
  }

  private static void ownStep(Model model, DataSet batch) {
    Gradient gradient = gradient(model, batch);
    if (model instanceof ComputationGraph graph) {
      int iteration = graph.getConfiguration().getIterationCount();
      graph.getUpdater().update(gradient, iteration, 0, 8, LayerWorkspaceMgr.noWorkspaces());
      graph.getConfiguration().setIterationCount(iteration + 1);
    } else {
      MultiLayerNetwork network = (MultiLayerNetwork) model;
      int iteration = network.getIterationCount();
      network
          .getUpdater()
          .update(network, gradient, iteration, 0, 8, LayerWorkspaceMgr.noWorkspaces());
      network.setIterationCount(iteration + 1);
    }
    model.params().subi(gradient.gradient());
  }

  static Stream<Arguments> ways() {
    return Stream.of(Kind.values())
        .flatMap(
            kind ->
                Stream.of(Way.values())
                    .flatMap(
                        way ->
                            Stream.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)
                                .map(workspaces -> Arguments.of(kind, way, workspaces))));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void stepsMadeInAnyWay_areMeasuredAndWeightedAsThoseOfFit(
      Kind kind, Way way, WorkspaceMode workspaces) {
    Model net = network(kind, workspaces, new Sgd(0.01)); // a Solver has moments of its own
    Model expected = network(kind, workspaces, new Sgd(0.01));
    List<StepMeasurement> steps = new ArrayList<>();
    List<StepMeasurement> ofFit = new ArrayList<>();
    attach(net, steps::add).lossWeights(WEIGHTS);
    attach(expected, ofFit::add).lossWeights(WEIGHTS);
    for (int i = 1; i <= 4; i++) {
      step(net, batch(kind, i), way);
      step(expected, batch(kind, i), Way.FIT);
    }
    assertThat(ofFit).hasSize(4);
    assertBitIdentical(net.params(), expected.params());
    assertThat(numbers(steps)).isEqualTo(numbers(ofFit));
  }

  /** All but the epoch, which a loop of one's own does not count. */
  private static double[][] numbers(List<StepMeasurement> steps) {
    return steps.stream()
        .flatMap(step -> Stream.of(step.losses(), step.gradientNorms(), step.lossWeights()))
        .toArray(double[][]::new);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void sameBatchTwice_isTwoSteps(Kind kind) {
    for (WorkspaceMode workspaces : List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)) {
      Model net = network(kind, workspaces, new Adam(0.01));
      List<StepMeasurement> steps = new ArrayList<>();
      attach(net, steps::add);
      DataSet batch = batch(kind, 1);
      gradient(net, batch);
      net.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
      assertThat(steps).hasSize(2);
      assertThat(steps.get(1).gradientNorms()).isEqualTo(steps.get(0).gradientNorms());
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void notAStep_givesThePlainGradient_andMovesNothing(Kind kind) {
    for (WorkspaceMode workspaces : List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)) {
      Model net = network(kind, workspaces, new Adam(0.01));
      Model plain = network(kind, workspaces, new Adam(0.01));
      Model alone = network(kind, workspaces, new Adam(0.01));
      List<StepMeasurement> steps = new ArrayList<>();
      List<StepMeasurement> expected = new ArrayList<>();
      GradientNormProbe probe = attach(net, steps::add);
      probe.lossWeights(WEIGHTS);
      probe.measureEvery(2, 1);
      GradientNormProbe ofAlone = attach(alone, expected::add);
      ofAlone.lossWeights(WEIGHTS);
      ofAlone.measureEvery(2, 1);
      for (int i = 1; i <= 4; i++) {
        DataSet batch = batch(kind, i);
        INDArray gradient = gradient(plain, batch).gradient().dup();
        int waiting = probe.stepsUntilMeasured();
        for (int times = 0; times < 3; times++) {
          probe.notAStep(() -> assertBitIdentical(gradient(net, batch).gradient(), gradient));
        }
        assertThat(probe.stepsUntilMeasured()).isEqualTo(waiting);
        fit(net, batch);
        fit(alone, batch);
        plain.setParams(net.params());
      }
      assertThat(steps).hasSize(2).isEqualTo(expected);
      assertBitIdentical(net.params(), alone.params());
    }
  }

  /** Finite differences of the score, which is never weighted. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void gradientCheck_passesInNotAStep(Kind kind) {
    Model net = network(kind, WorkspaceMode.NONE, new NoOp());
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = attach(net, steps::add);
    probe.lossWeights(WEIGHTS);
    DataSet batch = batch(kind, 1);
    DataType before = Nd4j.dataType();
    Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE); // the check insists on it
    try {
      probe.notAStep(() -> assertThat(check(net, batch)).isTrue());
      assertThat(steps).isEmpty();
      assertThat(check(net, batch)).isFalse(); // as a step its gradient is weighted
      assertThat(steps).isNotEmpty();
    } finally {
      Nd4j.setDefaultDataTypes(before, before);
    }
  }

  private static boolean check(Model net, DataSet batch) {
    return net instanceof ComputationGraph graph
        ? GradientCheckUtil.checkGradients(
            new GradientCheckUtil.GraphConfig()
                .net(graph)
                .inputs(new INDArray[] {batch.getFeatures()})
                .labels(new INDArray[] {batch.getLabels()}))
        : GradientCheckUtil.checkGradients(
            new GradientCheckUtil.MLNConfig()
                .net((MultiLayerNetwork) net)
                .input(batch.getFeatures())
                .labels(batch.getLabels()));
  }

  @Test
  void calculateGradients_isNoStep() {
    for (WorkspaceMode workspaces : List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)) {
      MultiLayerNetwork net = (MultiLayerNetwork) network(Kind.LAYERS, workspaces, new Adam(0.01));
      MultiLayerNetwork plain =
          (MultiLayerNetwork) network(Kind.LAYERS, workspaces, new Adam(0.01));
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(net, List.of(), steps::add).lossWeights(WEIGHTS);
      DataSet batch = batch(Kind.LAYERS, 1);
      INDArray expected =
          plain
              .calculateGradients(batch.getFeatures(), batch.getLabels(), null, null)
              .getFirst()
              .gradient();
      for (int i = 0; i < 2; i++) {
        assertBitIdentical(
            net.calculateGradients(batch.getFeatures(), batch.getLabels(), null, null)
                .getFirst()
                .gradient(),
            expected);
      }
      assertThat(steps).isEmpty();
      net.fit(batch);
      assertThat(steps).hasSize(1);
    }
  }

  @Test
  void detachInNotAStep_andAnExceptionOutOfIt() {
    for (Kind kind : Kind.values()) {
      Model net = network(kind, WorkspaceMode.ENABLED, new Adam(0.01));
      Model plain = network(kind, WorkspaceMode.ENABLED, new Adam(0.01));
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe probe = attach(net, steps::add);
      try {
        probe.notAStep(
            () -> {
              throw new IllegalStateException("no");
            });
      } catch (IllegalStateException e) {
        assertThat(e).hasMessage("no");
      }
      fit(net, batch(kind, 1));
      fit(plain, batch(kind, 1));
      assertThat(steps).hasSize(1);
      probe.lossWeights(WEIGHTS);
      probe.notAStep(
          () -> {
            probe.detach();
            fit(net, batch(kind, 2));
          });
      probe.notAStep(() -> fit(net, batch(kind, 3)));
      fit(plain, batch(kind, 2));
      fit(plain, batch(kind, 3));
      assertThat(steps).hasSize(1);
      assertBitIdentical(net.params(), plain.params());
    }
  }

  @Test
  void notAStepInsideAStep_leavesItAsItWas() {
    MultiLayerNetwork net =
        (MultiLayerNetwork) network(Kind.LAYERS, WorkspaceMode.NONE, new Adam(0.01));
    MultiLayerNetwork alone =
        (MultiLayerNetwork) network(Kind.LAYERS, WorkspaceMode.NONE, new Adam(0.01));
    ComputationGraph graph = (ComputationGraph) network(Kind.GRAPH, WorkspaceMode.NONE, new NoOp());
    List<StepMeasurement> steps = new ArrayList<>();
    List<StepMeasurement> expected = new ArrayList<>();
    GradientNormProbe probe = attach(net, steps::add);
    probe.lossWeights(WEIGHTS);
    attach(alone, expected::add).lossWeights(WEIGHTS);
    DataSet other = batch(Kind.LAYERS, 99);
    net.setListeners(
        new BaseTrainingListener() {
          @Override
          public void onForwardPass(Model model, List<INDArray> activations) {
            probe.notAStep(() -> graph.score(other));
          }

          @Override
          public void onBackwardPass(Model model) {
            probe.notAStep(() -> net.score(other));
          }
        });
    for (int i = 1; i <= 3; i++) {
      fit(net, batch(Kind.LAYERS, i));
      fit(alone, batch(Kind.LAYERS, i));
    }
    assertThat(steps).hasSize(3).isEqualTo(expected);
    assertBitIdentical(net.params(), alone.params());
  }

  /** Copies have the same loss object; on the same labels, at the same time. */
  @Test
  void copyInALoopOfItsOwn_onAnotherThread_isPlain() throws Exception {
    for (WorkspaceMode workspaces : List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)) {
      MultiLayerNetwork net = (MultiLayerNetwork) network(Kind.LAYERS, workspaces, new Adam(0.01));
      MultiLayerNetwork plain =
          (MultiLayerNetwork) network(Kind.LAYERS, workspaces, new Adam(0.01));
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(net, List.of(), steps::add).lossWeights(WEIGHTS);
      MultiLayerNetwork copy = net.clone();
      List<DataSet> batches = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        batches.add(batch(Kind.LAYERS, i + 1));
      }
      Way ofCopy = workspaces == WorkspaceMode.NONE ? Way.FIT : Way.OWN_LOOP;
      ExecutorService other = Executors.newSingleThreadExecutor();
      Future<?> trained = other.submit(() -> batches.forEach(batch -> step(copy, batch, ofCopy)));
      batches.forEach(batch -> ownStep(net, batch));
      trained.get();
      other.shutdown();
      batches.forEach(batch -> fit(plain, batch));
      assertThat(steps).hasSize(100);
      assertBitIdentical(copy.params(), plain.params());
    }
  }

  /** Before, in between and after, on the thread of the network and on its labels. */
  @Test
  void copyInALoopOfItsOwn_besideTheNetwork_isPlain() {
    for (WorkspaceMode workspaces : List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)) {
      MultiLayerNetwork net = (MultiLayerNetwork) network(Kind.LAYERS, workspaces, new Adam(0.01));
      MultiLayerNetwork plain =
          (MultiLayerNetwork) network(Kind.LAYERS, workspaces, new Adam(0.01));
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(net, List.of(), steps::add).lossWeights(WEIGHTS);
      MultiLayerNetwork copy = net.clone();
      for (int i = 1; i <= 4; i++) {
        DataSet batch = batch(Kind.LAYERS, i);
        if (i % 2 == 0) {
          give(net, batch); // has the labels, and goes second
          ownStep(copy, batch);
          ownStep(net, batch);
        } else {
          ownStep(net, batch);
          ownStep(copy, batch);
        }
        ownStep(plain, batch);
      }
      assertThat(steps).hasSize(4);
      assertBitIdentical(copy.params(), plain.params());
    }
  }
}
