package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.batch;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.network;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.management.ObjectName;
import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.internal.dl4j.DenseStandIn;
import org.gradnorm4j.core.internal.dl4j.LayerTapVertex;
import org.gradnorm4j.core.internal.dl4j.OutputLoss;
import org.gradnorm4j.core.internal.dl4j.OutputTapVertex;
import org.gradnorm4j.core.internal.dl4j.TapVertex;
import org.gradnorm4j.core.internal.dl4j.WeightedLoss;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.probe.MultiTaskNetworks.Spec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.evaluation.IEvaluation;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.TestMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** Attaching, detaching, threads, exceptions and copies, each against plain DL4J. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // else DL4J would wait on
class LifecycleTest {
  private static final Spec SPEC = Spec.dense(3, 1, WorkspaceMode.ENABLED);

  /** Where one network works inside a step of another: in DL4J they would share workspaces. */
  private static final Spec NESTED = Spec.dense(3, 1, WorkspaceMode.NONE);

  /** Where in a step a listener is called. */
  enum Where {
    FORWARD,
    BACKWARD,
    DONE
  }

  private static BaseTrainingListener listener(Where where, Consumer<Model> action) {
    return new BaseTrainingListener() {
      @Override
      public void onForwardPass(Model model, Map<String, INDArray> activations) {
        run(Where.FORWARD, model);
      }

      @Override
      public void onForwardPass(Model model, List<INDArray> activations) {
        run(Where.FORWARD, model);
      }

      @Override
      public void onBackwardPass(Model model) {
        run(Where.BACKWARD, model);
      }

      @Override
      public void iterationDone(Model model, int iteration, int epoch) {
        run(Where.DONE, model);
      }

      private void run(Where now, Model model) {
        if (now == where) {
          action.accept(model);
        }
      }
    };
  }

  private static MultiLayerNetwork layers() {
    return layers(WorkspaceMode.ENABLED);
  }

  private static MultiLayerNetwork layers(WorkspaceMode workspaces) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .updater(new Adam(0.01))
                .trainingWorkspaceMode(workspaces)
                .inferenceWorkspaceMode(workspaces)
                .list()
                .layer(new DenseLayer.Builder().nIn(7).nOut(6).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(
                            CompositeLoss.builder()
                                .term("squared", 1.0, new LossMSE())
                                .term("absolute", 1.0, new LossMAE())
                                .build())
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    net.init();
    return net;
  }

  private static void fit(MultiLayerNetwork net, MultiDataSet batch) {
    net.fit(batch.getFeatures(0), batch.getLabels(0));
  }

  /** A copy that listeners and other threads work on must not be taken for the network. */
  @ParameterizedTest
  @EnumSource(Where.class)
  void copyTrainedInsideAStep_onTheSameData_isPlain_andTheStepIsUntouched(Where where) {
    MultiDataSet batch = batch(NESTED, 8, 1);
    ComputationGraph net = network(NESTED);
    ComputationGraph alone = network(NESTED);
    ComputationGraph plainCopy = network(NESTED);
    List<StepMeasurement> steps = new ArrayList<>();
    List<StepMeasurement> expected = new ArrayList<>();
    GradientNormProbe.attach(net, steps::add).lossWeights(0.1, 2.4, 0.5);
    GradientNormProbe.attach(alone, expected::add).lossWeights(0.1, 2.4, 0.5);
    // What clone() does, but for the list of listeners, which DL4J lets both have.
    ComputationGraph copy = new ComputationGraph(net.getConfiguration().clone());
    copy.init(net.params().dup(), false);
    net.setListeners(
        listener(
            where,
            model -> {
              copy.score(batch);
              copy.fit(batch);
            }));
    for (int i = 0; i < 3; i++) {
      net.fit(batch);
      alone.fit(batch);
      plainCopy.fit(batch);
    }
    assertThat(steps).isEqualTo(expected);
    assertBitIdentical(net.params(), alone.params());
    assertBitIdentical(copy.params(), plainCopy.params());
  }

  @ParameterizedTest
  @EnumSource(Where.class)
  void copyOfAMultiLayerNetwork_trainedInsideAStep_isPlain(Where where) {
    MultiDataSet batch = batch(SPEC, 8, 1);
    MultiLayerNetwork net = layers(WorkspaceMode.NONE);
    MultiLayerNetwork alone = layers(WorkspaceMode.NONE);
    MultiLayerNetwork plainCopy = layers(WorkspaceMode.NONE);
    List<StepMeasurement> steps = new ArrayList<>();
    List<StepMeasurement> expected = new ArrayList<>();
    GradientNormProbe.attach(net, List.of(), steps::add).lossWeights(0.3, 1.7);
    GradientNormProbe.attach(alone, List.of(), expected::add).lossWeights(0.3, 1.7);
    MultiLayerNetwork copy = net.clone();
    copy.setListeners();
    net.setListeners(listener(where, model -> fit(copy, batch)));
    for (int i = 0; i < 3; i++) {
      fit(net, batch);
      fit(alone, batch);
      fit(plainCopy, batch);
    }
    assertThat(steps).isEqualTo(expected);
    assertBitIdentical(net.params(), alone.params());
    assertBitIdentical(copy.params(), plainCopy.params());
  }

  @Test
  void copiesTrainedAtTheSameTime_onTheSameData_doNotMeet() throws Exception {
    List<MultiDataSet> batches = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      batches.add(batch(SPEC, 8, i + 1));
    }
    ComputationGraph net = network(SPEC);
    MultiLayerNetwork layers = layers();
    List<StepMeasurement> steps = new ArrayList<>();
    List<StepMeasurement> layerSteps = new ArrayList<>();
    GradientNormProbe.attach(net, steps::add).lossWeights(0.1, 2.4, 0.5);
    GradientNormProbe.attach(layers, List.of(), layerSteps::add).lossWeights(0.3, 1.7);
    ComputationGraph copy = net.clone();
    MultiLayerNetwork layersCopy = layers.clone();
    ExecutorService other = Executors.newSingleThreadExecutor();
    Future<?> trained =
        other.submit(
            () ->
                batches.forEach(
                    batch -> {
                      copy.fit(batch);
                      fit(layersCopy, batch);
                    }));
    for (MultiDataSet batch : batches) {
      net.fit(batch);
      fit(layers, batch);
    }
    trained.get();
    other.shutdown();

    ComputationGraph plain = network(SPEC);
    ComputationGraph alone = network(SPEC);
    MultiLayerNetwork plainLayers = layers();
    MultiLayerNetwork aloneLayers = layers();
    GradientNormProbe.attach(alone, step -> {}).lossWeights(0.1, 2.4, 0.5);
    GradientNormProbe.attach(aloneLayers, List.of(), step -> {}).lossWeights(0.3, 1.7);
    for (MultiDataSet batch : batches) {
      plain.fit(batch);
      alone.fit(batch);
      fit(plainLayers, batch);
      fit(aloneLayers, batch);
    }
    assertThat(steps).hasSize(100);
    assertThat(layerSteps).hasSize(100);
    assertBitIdentical(copy.params(), plain.params());
    assertBitIdentical(net.params(), alone.params());
    assertBitIdentical(layersCopy.params(), plainLayers.params());
    assertBitIdentical(layers.params(), aloneLayers.params());
  }

  /** What plain DL4J stands, a measured step stands; what it refuses is refused. */
  @ParameterizedTest
  @EnumSource(Where.class)
  void outputScoreAndEvaluation_insideAStep_areThoseOfThePlainGraph(Where where) {
    MultiDataSet other = batch(NESTED, 5, 99);
    List<Consumer<ComputationGraph>> uses =
        List.of(
            net -> net.output(other.getFeatures()),
            net -> net.score(other),
            net -> net.scoreExamples(other, true),
            net ->
                net.evaluate(
                    new TestMultiDataSetIterator(1, other),
                    Map.of(1, new IEvaluation<?>[] {new Evaluation()})));
    for (int use = 0; use < uses.size(); use++) {
      List<StepMeasurement> steps = new ArrayList<>();
      ComputationGraph[] nets = {network(NESTED), network(NESTED)};
      String[] ends = new String[2];
      GradientNormProbe.attach(nets[1], steps::add);
      for (int i = 0; i < 2; i++) {
        ComputationGraph net = nets[i];
        Consumer<ComputationGraph> action = uses.get(use);
        net.setListeners(listener(where, model -> action.accept(net)));
        ends[i] = "trained";
        for (int t = 0; t < 3; t++) {
          try {
            net.fit(batch(NESTED, 8, t + 1));
          } catch (RuntimeException e) {
            ends[i] = e.getClass().getName();
          }
        }
      }
      assertThat(ends[1]).as("use %s", use).isEqualTo(ends[0]);
      assertBitIdentical(nets[1].params(), nets[0].params());
      if (ends[0].equals("trained")) {
        assertThat(steps).as("use %s", use).hasSize(3);
      }
    }
  }

  /** The step that fails does what it does in plain DL4J; what follows is measured. */
  @ParameterizedTest
  @EnumSource(Where.class)
  void exceptionOfAListener_leavesTheNextStepsRight(Where where) {
    List<StepMeasurement> steps = new ArrayList<>();
    ComputationGraph[] nets = {network(SPEC), network(SPEC)};
    GradientNormProbe.attach(nets[1], steps::add);
    for (ComputationGraph net : nets) {
      net.setListeners(
          listener(
              where,
              model -> {
                throw new IllegalStateException("no");
              }));
      assertThatThrownBy(() -> net.fit(batch(SPEC, 8, 1))).hasMessage("no");
      net.setListeners();
      steps.clear();
      ComputationGraph copy = net.clone();
      ComputationGraph plainCopy = network(SPEC);
      plainCopy.setParams(net.params());
      copy.fit(batch(SPEC, 8, 1)); // on the data of the step that failed
      if (where != Where.DONE) { // else the updater has gone on
        plainCopy.fit(batch(SPEC, 8, 1));
        assertBitIdentical(copy.params(), plainCopy.params());
      }
      assertThat(steps).isEmpty();
      for (int i = 2; i < 5; i++) {
        net.fit(batch(SPEC, 8, i));
      }
    }
    assertThat(steps).hasSize(3);
    assertBitIdentical(nets[1].params(), nets[0].params());
  }

  @Test
  void exceptionOfTheMeasurementListener_isAsIfTheBatchHadNotBeen() {
    for (WorkspaceMode mode : List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)) {
      Spec spec = Spec.dense(3, 1, mode);
      ComputationGraph plain = network(spec);
      ComputationGraph net = network(spec);
      boolean[] fails = {true};
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(
          net,
          step -> {
            if (fails[0]) {
              throw new IllegalStateException("no");
            }
            steps.add(step);
          });
      assertThatThrownBy(() -> net.fit(batch(spec, 8, 1))).hasMessage("no");
      fails[0] = false;
      for (int i = 2; i < 5; i++) {
        net.fit(batch(spec, 8, i));
        plain.fit(batch(spec, 8, i));
      }
      assertThat(steps).extracting(StepMeasurement::iteration).containsExactly(0, 1, 2);
      assertBitIdentical(net.params(), plain.params());
    }
  }

  @Test
  void failureOfAMultiLayerNetwork_leavesTheNextStepAndACopyRight() {
    MultiDataSet good = batch(SPEC, 8, 1);
    MultiLayerNetwork net = layers();
    MultiLayerNetwork plain = layers();
    List<StepMeasurement> steps = new ArrayList<>();
    boolean[] fails = {true};
    GradientNormProbe.attach(
            net,
            List.of(),
            step -> {
              if (fails[0]) {
                throw new IllegalStateException("no");
              }
              steps.add(step);
            })
        .lossWeights(0.3, 1.7);
    MultiLayerNetwork copy = net.clone();
    assertThatThrownBy(() -> fit(net, good)).hasMessage("no");
    assertThatThrownBy(() -> net.fit(good.getFeatures(0), Nd4j.zeros(DataType.DOUBLE, 8, 9)))
        .isInstanceOf(RuntimeException.class);
    fails[0] = false;
    fit(copy, good);
    copy.score(new org.nd4j.linalg.dataset.DataSet(good.getFeatures(0), good.getLabels(0)));
    assertThat(steps).isEmpty();
    fit(plain, good);
    assertBitIdentical(copy.params(), plain.params());
    fit(net, good);
    assertThat(steps).hasSize(1);
  }

  @Test
  void detachFromAnotherThread_inTheMiddleOfAStep_endsItAsItBegan() throws Exception {
    ComputationGraph net = network(SPEC);
    ComputationGraph expected = network(SPEC);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, steps::add);
    probe.lossWeights(0.1, 2.4, 0.5);
    GradientNormProbe.attach(expected, step -> {}).lossWeights(0.1, 2.4, 0.5);
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch detached = new CountDownLatch(1);
    net.setListeners(
        listener(
            Where.FORWARD,
            model -> {
              inside.countDown();
              try {
                assertThat(detached.await(10, TimeUnit.MINUTES)).isTrue();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            }));
    ExecutorService trainer = Executors.newSingleThreadExecutor();
    Future<?> fit = trainer.submit(() -> net.fit(batch(SPEC, 8, 1)));
    assertThat(inside.await(10, TimeUnit.MINUTES)).isTrue();
    probe.detach();
    detached.countDown();
    fit.get();
    expected.fit(batch(SPEC, 8, 1));
    assertBitIdentical(net.params(), expected.params());
    assertThat(steps).isEmpty();
    assertPlain(net);
    GradientNormProbe.attach(net, steps::add).detach();
    trainer.shutdown();
  }

  @Test
  void detachFromAnotherThread_afterAFailedFit_isImmediate() throws Exception {
    ComputationGraph net = network(SPEC);
    GradientNormProbe probe = GradientNormProbe.attach(net, step -> {});
    net.setListeners(
        listener(
            Where.FORWARD,
            model -> {
              throw new IllegalStateException("no");
            }));
    ExecutorService trainer = Executors.newSingleThreadExecutor();
    assertThatThrownBy(() -> trainer.submit(() -> net.fit(batch(SPEC, 8, 1))).get())
        .rootCause()
        .hasMessage("no");
    probe.detach(); // the thread is alive, but not in the network
    assertPlain(net);
    trainer.shutdown();
  }

  @Test
  void manyDetachesAgainstARunningFit_leaveThePlainGraph() throws Exception {
    ComputationGraph net = network(SPEC);
    ComputationGraph plain = network(SPEC);
    MultiDataSet[] batches = new MultiDataSet[20];
    for (int i = 0; i < batches.length; i++) {
      batches[i] = batch(SPEC, 8, i + 1);
    }
    ExecutorService trainer = Executors.newSingleThreadExecutor();
    for (int round = 0; round < 20; round++) {
      GradientNormProbe probe = GradientNormProbe.attach(net, step -> {});
      Future<?> fit = trainer.submit(() -> net.fit(new TestMultiDataSetIterator(1, batches)));
      while (net.getIterationCount() % 20 < round % 20 && !fit.isDone()) {
        Thread.onSpinWait();
      }
      probe.detach();
      fit.get();
      assertPlain(net);
      plain.fit(new TestMultiDataSetIterator(1, batches));
    }
    trainer.shutdown();
    assertBitIdentical(net.params(), plain.params()); // the weights were 1 all the time
  }

  @Test
  void detachInsideTheMeasurementListener_andAttachAgain() {
    ComputationGraph net = network(SPEC);
    ComputationGraph plain = network(SPEC);
    GradientNormProbe[] probe = new GradientNormProbe[1];
    int[] steps = new int[1];
    Consumer<StepMeasurement> again =
        step -> {
          steps[0]++;
          probe[0].detach();
          probe[0] = GradientNormProbe.attach(net, m -> steps[0]++);
        };
    probe[0] = GradientNormProbe.attach(net, again);
    for (int i = 0; i < 4; i++) {
      net.fit(batch(SPEC, 8, i + 1));
      plain.fit(batch(SPEC, 8, i + 1));
    }
    assertThat(steps[0]).isEqualTo(4);
    assertBitIdentical(net.params(), plain.params());
  }

  @Test
  void initAgain_parametersSetAnew_andAnotherThread_goOnMeasured() throws Exception {
    ComputationGraph net = network(SPEC);
    ComputationGraph plain = network(SPEC);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, steps::add);
    INDArray params = net.params().mul(0.5);
    ExecutorService trainer = Executors.newSingleThreadExecutor();
    for (ComputationGraph each : List.of(net, plain)) {
      each.fit(batch(SPEC, 8, 1));
      each.init();
      each.fit(batch(SPEC, 8, 2));
      each.setParams(params);
      each.fit(batch(SPEC, 8, 3));
      each.setLearningRate(0.02);
      trainer.submit(() -> each.fit(batch(SPEC, 8, 4))).get();
    }
    trainer.shutdown();
    assertThat(steps).hasSize(4);
    assertBitIdentical(net.params(), plain.params());
  }

  /** A shared layer with its own kernel, and one that is replayed in workspaces. */
  private static Spec replayed() {
    return Spec.of(
        (graph, net) ->
            graph
                .addLayer(
                    "fc",
                    new DenseLayer.Builder().nIn(7).nOut(5).activation(Activation.TANH).build(),
                    "in")
                .addLayer("shared", new BatchNormalization.Builder().nOut(5).build(), "fc"));
  }

  @Test
  void replayWorkspaces_goWithTheLastAttachment_alsoOfAnotherThread() throws Exception {
    ComputationGraph first = network(replayed());
    ComputationGraph second = network(replayed());
    GradientNormProbe ofFirst = GradientNormProbe.attach(first, step -> {});
    GradientNormProbe ofSecond = GradientNormProbe.attach(second, step -> {});
    ExecutorService trainer = Executors.newSingleThreadExecutor();
    trainer
        .submit(
            () -> {
              for (int i = 0; i < 3; i++) {
                first.fit(batch(replayed(), 8, i + 1));
                second.fit(batch(replayed(), 8, i + 1));
              }
            })
        .get();
    assertThat(trainer.submit(LifecycleTest::replayBytes).get()).isPositive();
    ofFirst.detach();
    assertThat(trainer.submit(LifecycleTest::replayBytes).get()).isPositive();
    ofSecond.detach();
    assertThat(trainer.submit(LifecycleTest::replayBytes).get()).isZero();
    GradientNormProbe again = GradientNormProbe.attach(first, step -> {});
    for (int i = 0; i < 3; i++) {
      first.fit(batch(replayed(), 8, i + 1));
    }
    assertThat(replayBytes()).isPositive();
    again.detach();
    assertThat(replayBytes()).isZero();
    trainer.shutdown();
  }

  private static long replayBytes() {
    return Nd4j.getWorkspaceManager().getAllWorkspacesForCurrentThread().stream()
        .filter(workspace -> workspace.getId().startsWith("WS_GRADNORM4J"))
        .mapToLong(MemoryWorkspace::getCurrentSize)
        .sum();
  }

  /** Cycles with a step each 100th; memory after 4,000 and after all. */
  @Test
  void tenThousandCycles_leaveNothingBehind() throws Exception {
    ComputationGraph net = network(SPEC);
    ComputationGraph plain = network(SPEC);
    ComputationGraph normalized = network(replayed());
    MultiLayerNetwork layers = layers();
    MultiDataSet batch = batch(SPEC, 8, 1);
    long[] heap = new long[2];
    long[] process = new long[2];
    int threads = 0;
    for (int cycle = 1; cycle <= 10_000; cycle++) {
      GradientNormProbe probe = GradientNormProbe.attach(net, step -> {});
      boolean step = cycle % 100 == 0;
      if (step) {
        net.fit(batch);
        plain.fit(batch);
        GradientNormProbe ofNormalized = GradientNormProbe.attach(normalized, s -> {});
        GradientNormProbe ofLayers = GradientNormProbe.attach(layers, List.of(), s -> {});
        normalized.fit(new MultiDataSet(batch.getFeatures(), firstTwo(batch)));
        fit(layers, batch);
        ofNormalized.detach();
        ofLayers.detach();
      }
      probe.detach();
      if (cycle == 4_000 || cycle == 10_000) {
        int at = cycle == 4_000 ? 0 : 1;
        heap[at] = liveBytes();
        process[at] = Pointer.physicalBytes();
        threads = at == 0 ? Thread.activeCount() : threads;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "cycles 4,000 to 10,000 of attach and detach: heap %,d -> %,d bytes, process %,d -> %,d%n",
        heap[0],
        heap[1],
        process[0],
        process[1]);
    assertThat(heap[1] - heap[0]).isLessThan(1_000_000); // 167 bytes a cycle
    assertThat(process[1] - process[0]).isLessThan(64_000_000); // 11 kB a cycle, heap included
    assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads);
    assertThat(replayBytes()).isZero();
    assertPlain(net);
    assertBitIdentical(net.params(), plain.params());
  }

  private static INDArray[] firstTwo(MultiDataSet batch) {
    return new INDArray[] {batch.getLabels(0), batch.getLabels(1)};
  }

  /**
   * Of all objects that can be reached, which is the least that is found: what belongs to off-heap
   * arrays goes some time after the collection that finds them.
   */
  private static long liveBytes() throws Exception {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 10; i++) {
      String histogram =
          (String)
              ManagementFactory.getPlatformMBeanServer()
                  .invoke(
                      new ObjectName("com.sun.management:type=DiagnosticCommand"),
                      "gcClassHistogram", // collects first
                      new Object[] {new String[0]},
                      new String[] {String[].class.getName()});
      String[] total = histogram.substring(histogram.lastIndexOf("Total")).trim().split("\\s+", -1);
      least = Math.min(least, Long.parseLong(total[2]));
      Thread.sleep(100);
    }
    return least;
  }

  /** Every kind of stand-in was there, and none is left: the very vertices from before are back. */
  @Test
  void detach_takesOutEveryStandIn() {
    ComputationGraph net =
        network(
            Spec.of(
                (graph, conf) ->
                    graph
                        .addLayer(
                            "relu",
                            new DenseLayer.Builder()
                                .nIn(7)
                                .nOut(6)
                                .activation(Activation.RELU)
                                .build(),
                            "in")
                        .addLayer("w", new DenseLayer.Builder().nIn(6).nOut(5).build(), "relu")
                        .addVertex("shared", new ScaleVertex(0.5), "w")));
    GraphVertex[] before = net.getVertices().clone();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of("w"), step -> {});
    for (Class<?> standIn :
        List.of(LayerTapVertex.class, TapVertex.class, DenseStandIn.class, OutputTapVertex.class)) {
      assertThat(net.getVertices()).hasAtLeastOneElementOfType(standIn);
    }
    net.fit(batch(Spec.dense(2, 1, WorkspaceMode.ENABLED), 8, 1));
    probe.detach();
    assertPlain(net);
    for (int i = 0; i < before.length; i++) {
      assertThat(net.getVertices()[i]).isSameAs(before[i]);
    }
  }

  private static void assertPlain(ComputationGraph net) {
    for (GraphVertex vertex : net.getVertices()) {
      assertThat(vertex.getClass().getPackageName()).startsWith("org.deeplearning4j.");
    }
    for (int output = 0; output < net.getNumOutputArrays(); output++) {
      assertThat(OutputLoss.of(net.getOutputLayer(output).conf().getLayer()).orElseThrow().get())
          .isNotInstanceOf(WeightedLoss.class);
    }
  }
}
