package org.gradnorm4j.core.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.batch;
import static org.gradnorm4j.core.probe.MultiTaskNetworks.network;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.EarlyStoppingResult;
import org.deeplearning4j.earlystopping.EarlyStoppingResult.TerminationReason;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.parallelism.EarlyStoppingParallelTrainer;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.deeplearning4j.parallelism.ParallelWrapper.TrainingMode;
import org.deeplearning4j.parallelism.factory.TrainerContext;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.internal.dl4j.LayerTapVertex;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.probe.GradientNormProbe;
import org.gradnorm4j.core.probe.MultiTaskNetworks;
import org.gradnorm4j.core.probe.MultiTaskNetworks.Spec;
import org.gradnorm4j.core.probe.TestSize;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.TestMultiDataSetIterator;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** A ParallelWrapper's workers against the same arithmetic on one thread. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // else DL4J would wait on
@Tag(TestSize.EXHAUSTIVE)
class ParallelTrainingTest {
  private static final Spec SPEC = Spec.dense(3, 1, WorkspaceMode.ENABLED);
  private static final int ROUNDS = TestSize.of(40, 200);

  /** A stand-in for GradNorm, smooth: log λ_i moves against log G_i − mean, Σ λ = T. */
  private static double[] nextWeights(double[] weights, double[] losses, double[] norms) {
    double[] logs = new double[weights.length];
    Arrays.setAll(logs, i -> Math.log(weights[i] * norms[i]) - 0.1 * Math.log1p(losses[i]));
    double mean = Arrays.stream(logs).average().orElseThrow();
    double[] next = new double[weights.length];
    Arrays.setAll(next, i -> weights[i] * Math.exp(-0.05 * (logs[i] - mean)));
    double sum = Arrays.stream(next).sum();
    Arrays.setAll(next, i -> next[i] * weights.length / sum);
    return next;
  }

  private static double[] nextWeights(StepMeasurement step) {
    return nextWeights(step.lossWeights(), step.losses(), step.gradientNorms());
  }

  /** A probe that moves its weights, and all that it was told. */
  private static final class Balanced {
    final List<StepMeasurement> rounds = new ArrayList<>();
    final List<double[]> weights = new ArrayList<>();
    final GradientNormProbe probe;

    Balanced(ComputationGraph net) {
      probe =
          GradientNormProbe.attach(
              net,
              step -> {
                rounds.add(step);
                weights.add(nextWeights(step));
                this.probe().lossWeights(nextWeights(step));
              });
    }

    private GradientNormProbe probe() {
      return probe;
    }
  }

  private static MultiDataSet[] batches(int count) {
    MultiDataSet[] batches = new MultiDataSet[count];
    Arrays.setAll(batches, i -> batch(SPEC, 4 + i % 3, i + 1));
    return batches;
  }

  private static MultiDataSetIterator iterator(MultiDataSet... batches) {
    return new TestMultiDataSetIterator(1, batches);
  }

  private static <T extends Model> ParallelWrapper wrapper(T net, int workers, TrainingMode mode) {
    ParallelWrapper.Builder<T> builder = new ParallelWrapper.Builder<>(net);
    builder.prefetchBuffer(2).trainingMode(mode);
    if (workers > 1) { // the builder refuses workers(1), its own default where there is one device
      builder.workers(workers);
    }
    return builder.build();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void averaging_givesTheWeightsOfTheSameArithmeticOnOneThread(int workers) {
    MultiDataSet[] batches = batches(ROUNDS * workers + 1); // the last round has one worker only

    ComputationGraph[] models = new ComputationGraph[workers];
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe[] probes = new GradientNormProbe[workers];
    for (int k = 0; k < workers; k++) {
      models[k] = network(SPEC);
      probes[k] = GradientNormProbe.attach(models[k], steps::add);
    }
    double[] weights = {1, 1, 1};
    List<double[]> expected = new ArrayList<>();
    for (int first = 0; first < batches.length; first += workers) {
      int active = Math.min(workers, batches.length - first);
      steps.clear();
      for (int k = 0; k < active; k++) {
        probes[k].lossWeights(weights);
        models[k].fit(batches[first + k]);
      }
      average(models, active);
      weights = nextWeights(weights, mean(steps, true), mean(steps, false));
      expected.add(weights);
    }

    ComputationGraph net = network(SPEC);
    Balanced balanced = new Balanced(net);
    ParallelWrapper wrapper = wrapper(net, workers, TrainingMode.AVERAGING);
    AtomicInteger trained = new AtomicInteger();
    wrapper.setListeners(
        new BaseTrainingListener() {
          @Override
          public void iterationDone(Model model, int iteration, int epoch) {
            trained.incrementAndGet();
          }
        });
    ParallelTraining.attach(wrapper);
    ParallelTraining.attach(wrapper);
    wrapper.fit(iterator(batches));

    assertThat(trained).hasValue(batches.length);
    assertThat(balanced.rounds).hasSize(ROUNDS + 1); // no update is lost
    for (int round = 0; round <= ROUNDS; round++) {
      assertThat(balanced.weights.get(round)).containsExactly(expected.get(round), within(1e-9));
      assertThat(balanced.rounds.get(round).iteration()).isEqualTo(round);
      assertThat(balanced.rounds.get(round).lossWeights())
          .isEqualTo(round == 0 ? new double[] {1, 1, 1} : balanced.weights.get(round - 1));
    }
    assertThat(net.params().toDoubleVector())
        .containsExactly(models[0].params().toDoubleVector(), within(1e-9));
    assertThat(Math.abs(expected.get(ROUNDS)[0] - 1)).isGreaterThan(0.05); // they have moved
  }

  private static double[] mean(List<StepMeasurement> steps, boolean losses) {
    double[] mean = new double[3];
    for (StepMeasurement step : steps) {
      double[] values = losses ? step.losses() : step.gradientNorms();
      Arrays.setAll(mean, i -> mean[i] + values[i] / steps.size());
    }
    return mean;
  }

  private static void average(ComputationGraph[] models, int active) {
    List<ComputationGraph> used = List.of(models).subList(0, active);
    INDArray params = used.get(0).params().mul(0);
    INDArray state = used.get(0).getUpdater().getStateViewArray().mul(0);
    for (ComputationGraph model : used) {
      params.addi(model.params().div(active));
      state.addi(model.getUpdater().getStateViewArray().div(active));
    }
    for (ComputationGraph model : used) {
      model.params().assign(params);
      model.getUpdater().getStateViewArray().assign(state);
    }
  }

  /** What the workers' parameters are is DL4J's affair: the reference takes them as they come. */
  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void sharedGradients_giveTheWeightsOfOneThreadAtTheSameParameters(int workers) {
    MultiDataSet[] batches = batches(ROUNDS * workers);
    Map<Double, INDArray> params = new ConcurrentHashMap<>();
    ComputationGraph net = network(SPEC);
    Balanced balanced = new Balanced(net);
    ParallelWrapper wrapper = wrapper(net, workers, TrainingMode.SHARED_GRADIENTS);
    wrapper.setListeners(
        new BaseTrainingListener() {
          @Override
          public void onForwardPass(Model model, Map<String, INDArray> activations) {
            INDArray features = ((ComputationGraph) model).getInput(0);
            params.put(features.getDouble(0), model.params().dup());
          }
        });
    ParallelTraining.attach(wrapper);
    wrapper.fit(iterator(batches));

    assertThat(params).hasSize(batches.length);
    assertThat(balanced.rounds).hasSize(ROUNDS);
    ComputationGraph reference = network(SPEC);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(reference, steps::add);
    double[] weights = {1, 1, 1};
    for (int round = 0; round < ROUNDS; round++) {
      steps.clear();
      for (int k = 0; k < workers; k++) {
        MultiDataSet batch = batches[round * workers + k];
        reference.setParams(params.get(batch.getFeatures(0).getDouble(0)));
        reference.fit(batch);
      }
      weights = nextWeights(weights, mean(steps, true), mean(steps, false));
      assertThat(balanced.weights.get(round)).containsExactly(weights, within(1e-9));
    }
  }

  @Test
  void averaging_withWeightsAtOne_isPlain_andTheSameEachTime() {
    MultiDataSet[] batches = batches(60);
    ComputationGraph[] plain = {network(SPEC), network(SPEC)};
    for (int first = 0; first < 60; first += 2) {
      plain[0].fit(batches[first]);
      plain[1].fit(batches[first + 1]);
      average(plain, 2);
    }
    INDArray[] params = new INDArray[3];
    for (int run = 0; run < 3; run++) {
      ComputationGraph net = network(SPEC);
      List<StepMeasurement> rounds = new ArrayList<>();
      GradientNormProbe.attach(net, rounds::add);
      ParallelWrapper wrapper = wrapper(net, 2, TrainingMode.AVERAGING);
      ParallelTraining.attach(wrapper);
      wrapper.fit(iterator(batches));
      assertThat(rounds).hasSize(30);
      params[run] = net.params();
      assertBitIdentical(params[run], params[0]);
    }
    assertThat(params[0].toDoubleVector())
        .containsExactly(plain[0].params().toDoubleVector(), within(1e-12));
  }

  @Test
  void measureEvery_countsRounds_alsoAcrossFits_andAlone() {
    ComputationGraph net = network(SPEC);
    List<Integer> iterations = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, s -> iterations.add(s.iteration()));
    probe.measureEvery(3);
    ParallelWrapper wrapper = wrapper(net, 2, TrainingMode.AVERAGING);
    ParallelTraining.attach(wrapper);
    wrapper.fit(iterator(batches(8)));
    wrapper.fit(iterator(batches(8)));
    for (MultiDataSet batch : batches(5)) {
      net.fit(batch);
    }
    assertThat(iterations).containsExactly(0, 3, 6, 9, 12);
  }

  @Test
  void detachInTheMiddle_makesAllWorkersPlain() {
    MultiDataSet[] batches = batches(40);
    ComputationGraph net = network(SPEC);
    List<StepMeasurement> rounds = new ArrayList<>();
    GradientNormProbe[] probe = new GradientNormProbe[1];
    probe[0] =
        GradientNormProbe.attach(
            net,
            step -> {
              rounds.add(step);
              probe[0].lossWeights(0.1, 2.4, 0.5);
              if (rounds.size() == 10) {
                probe[0].detach();
              }
            });
    ParallelWrapper wrapper = wrapper(net, 2, TrainingMode.AVERAGING);
    List<List<Object>> seen = new ArrayList<>();
    wrapper.setListeners(
        new BaseTrainingListener() {
          @Override
          public void iterationDone(Model model, int iteration, int epoch) {
            ComputationGraph worker = (ComputationGraph) model;
            boolean tapped =
                Stream.of(worker.getVertices()).anyMatch(LayerTapVertex.class::isInstance);
            synchronized (seen) {
              seen.add(List.of(iteration, tapped));
            }
          }
        });
    ParallelTraining.attach(wrapper);
    wrapper.fit(iterator(batches));
    assertThat(rounds).hasSize(10);
    assertThat(seen)
        .hasSize(40)
        .allSatisfy(step -> assertThat((boolean) step.get(1)).isEqualTo((int) step.get(0) < 10));
  }

  @Test
  void multiLayerNetwork_isMeasuredInAllWorkers() {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.05))
                .list()
                .layer(new DenseLayer.Builder().nIn(7).nOut(6).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(
                            CompositeLoss.builder()
                                .term("squared", 1.0, new LossMSE())
                                .term("absolute", 0.1, new LossMAE())
                                .build())
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    net.init();
    MultiLayerNetwork[] models = {net.clone(), net.clone()};
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe[] probes = new GradientNormProbe[2];
    Arrays.setAll(probes, k -> GradientNormProbe.attach(models[k], List.of(), steps::add));
    List<DataSet> data = new ArrayList<>();
    for (MultiDataSet batch : batches(40)) {
      data.add(new DataSet(batch.getFeatures(0), batch.getLabels(0)));
    }
    List<StepMeasurement> rounds = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, List.of(), rounds::add);
    probe.lossWeights(0.7, 0.4);
    probe.measureGram(true);
    ParallelWrapper wrapper = wrapper(net, 2, TrainingMode.AVERAGING);
    ParallelTraining.attach(wrapper);
    wrapper.fit(new ExistingDataSetIterator(data));
    assertThat(rounds).hasSize(20);
    for (int round = 0; round < 20; round++) {
      steps.clear();
      for (int k = 0; k < 2; k++) {
        probes[k].lossWeights(0.7, 0.4);
        probes[k].measureGram(true);
        models[k].fit(data.get(2 * round + k));
      }
      INDArray mean = models[0].params().add(models[1].params()).div(2);
      models[0].params().assign(mean);
      models[1].params().assign(mean);
      double[] norms = new double[2];
      Arrays.setAll(
          norms, i -> (steps.get(0).gradientNorms()[i] + steps.get(1).gradientNorms()[i]) / 2);
      assertThat(rounds.get(round).gradientNorms()).containsExactly(norms, within(1e-9));
      double product = (steps.get(0).gram()[0][1] + steps.get(1).gram()[0][1]) / 2;
      assertThat(rounds.get(round).gram()[1][0]).isCloseTo(product, within(1e-9));
    }
    assertThat(net.params().toDoubleVector())
        .containsExactly(models[0].params().toDoubleVector(), within(1e-12));
  }

  @ParameterizedTest
  @EnumSource(
      value = TrainingMode.class,
      names = {"AVERAGING", "SHARED_GRADIENTS"})
  void forgotten_isRefusedBeforeTheFirstStep(TrainingMode mode) {
    ComputationGraph net = network(SPEC);
    List<StepMeasurement> rounds = new ArrayList<>();
    GradientNormProbe probe = GradientNormProbe.attach(net, rounds::add);
    net.fit(batch(SPEC, 8, 1));
    INDArray before = net.params().dup();
    ParallelWrapper wrapper = wrapper(net, 2, mode);
    assertThatThrownBy(() -> wrapper.fit(iterator(batches(8))))
        .rootCause()
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("Call org.gradnorm4j.core.parallel.ParallelTraining.attach(wrapper)");
    assertBitIdentical(net.params(), before);
    assertThat(rounds).hasSize(1);
    probe.detach();
    assertThat(net.getVertices()).doesNotHaveAnyElementsOfTypes(LayerTapVertex.class);
  }

  /** It builds a wrapper of its own, which nobody can attach. */
  @Test
  void earlyStoppingParallelTrainer_isRefusedBeforeTheFirstStep() {
    ComputationGraph net = network(SPEC);
    GradientNormProbe.attach(net, step -> {});
    INDArray before = net.params().dup();
    EarlyStoppingConfiguration<ComputationGraph> configuration =
        new EarlyStoppingConfiguration.Builder<ComputationGraph>()
            .modelSaver(new InMemoryModelSaver<>())
            .epochTerminationConditions(new MaxEpochsTerminationCondition(2))
            .build();
    EarlyStoppingResult<ComputationGraph> result =
        new EarlyStoppingParallelTrainer<>(configuration, net, null, iterator(batches(8)), 2, 2, 1)
            .fit();
    assertThat(result.getTerminationReason()).isEqualTo(TerminationReason.Error);
    assertBitIdentical(net.params(), before);
  }

  @Test
  void networkThatIsNotAttached_trainsAsBefore() {
    ComputationGraph net = network(SPEC);
    List<StepMeasurement> rounds = new ArrayList<>();
    GradientNormProbe.attach(net, rounds::add).detach();
    INDArray before = net.params().dup();
    ParallelWrapper wrapper = wrapper(net, 2, TrainingMode.AVERAGING);
    ParallelTraining.attach(wrapper);
    wrapper.fit(iterator(batches(20)));
    assertThat(net.getIterationCount()).isEqualTo(10);
    assertThat(net.params().equals(before)).isFalse();
    assertThat(rounds).isEmpty();
  }

  /** By its loss, and because it has one task only. One worker: more do not repeat themselves. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void networkThatCannotBeAttached_trainsAsBefore(int workers) {
    MultiDataSet[] batches = new MultiDataSet[6];
    Arrays.setAll(batches, i -> MultiTaskNetworks.onlyTask(batch(SPEC, 4, i + 1), 1));
    List<INDArray> params = new ArrayList<>();
    for (boolean told : new boolean[] {false, true}) {
      ComputationGraph net =
          new ComputationGraph(
              new NeuralNetConfiguration.Builder()
                  .seed(5)
                  .dataType(DataType.DOUBLE)
                  .updater(new Sgd(0.1))
                  .graphBuilder()
                  .addInputs("in")
                  .addLayer(
                      "out",
                      new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                          .nIn(7)
                          .nOut(3)
                          .activation(Activation.SOFTMAX)
                          .build(),
                      "in")
                  .setOutputs("out")
                  .build());
      net.init();
      ParallelWrapper wrapper = wrapper(net, workers, TrainingMode.AVERAGING);
      if (told) {
        ParallelTraining.attach(wrapper);
      }
      wrapper.fit(iterator(batches));
      assertThat(net.getIterationCount()).isEqualTo(6 / workers);
      params.add(net.params());
    }
    if (workers == 1) {
      assertBitIdentical(params.get(1), params.get(0));
    }
  }

  @Test
  void noWrapper_isRefused() {
    assertThatThrownBy(() -> ParallelTraining.attach(null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "wrapper (null) must not be null. Build it first: new ParallelWrapper.Builder<>(net)");
  }

  @Test
  void aTrainerContextOfTheUsers_isRefused() {
    ParallelWrapper wrapper = wrapper(network(SPEC), 2, TrainingMode.AVERAGING);
    TrainerContext own =
        (TrainerContext)
            java.lang.reflect.Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {TrainerContext.class},
                (proxy, method, arguments) -> null);
    wrapper.setTrainerContext(own);
    assertThatThrownBy(() -> ParallelTraining.attach(wrapper))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageEndingWith("Leave the wrapper's as it was built");
  }

  @Test
  void meanOfARound_countsAbsentTasksAsWithinAMinibatch() {
    List<String> tasks = List.of("a", "b", "c");
    double[] weights = {1, 1, 1};
    StepMeasurement mean =
        Round.mean(
            List.of(
                StepMeasurement.of(tasks)
                    .at(7, 1)
                    .batchSize(4)
                    .present(true, false, false)
                    .losses(2, 0, 0)
                    .lossesPerLabel(3, Double.NaN, Double.NaN)
                    .gradientNorms(5, 0, 0)
                    .gram(new double[][] {{25, 0, 0}, {0, 0, 0}, {0, 0, 0}})
                    .lossWeights(weights)
                    .build(),
                StepMeasurement.of(tasks)
                    .at(7, 1)
                    .batchSize(6)
                    .present(true, true, false)
                    .losses(4, 8, 0)
                    .lossesPerLabel(5, 9, Double.NaN)
                    .gradientNorms(7, 1, 0)
                    .gram(new double[][] {{49, -4, 0}, {-4, 1, 0}, {0, 0, 0}})
                    .lossWeights(weights)
                    .build()));
    assertThat(mean)
        .isEqualTo(
            StepMeasurement.of(tasks)
                .at(7, 1)
                .batchSize(10)
                .present(true, true, false)
                .losses(3, 4, 0)
                .lossesPerLabel(4, 9, Double.NaN)
                .gradientNorms(6, 0.5, 0)
                .gram(new double[][] {{37, -2, 0}, {-2, 0.5, 0}, {0, 0, 0}})
                .lossWeights(weights)
                .build());
  }
}
