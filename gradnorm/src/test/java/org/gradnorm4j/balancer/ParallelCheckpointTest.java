package org.gradnorm4j.balancer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.deeplearning4j.parallelism.ParallelWrapper.TrainingMode;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.core.parallel.ParallelTraining;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.gradnorm.TrainingProcess;
import org.gradnorm4j.testing.LogRecorder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.TestMultiDataSetIterator;

/** Checkpoints of a run with two workers: what they hold is what training goes on from. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // else DL4J would wait on
class ParallelCheckpointTest {
  private static final int WORKERS = 2;
  private static final int ROUNDS = 8;

  @TempDir private Path parent;
  private Path folder;

  @BeforeEach
  void nameFolder() {
    folder = parent.resolve("checkpoints");
  }

  private static MultiDataSet[] rounds(int from, int to) {
    MultiDataSet[] batches = new MultiDataSet[(to - from) * WORKERS];
    Arrays.setAll(batches, i -> TrainingProcess.batch(from * WORKERS + i));
    return batches;
  }

  private static void fit(ParallelWrapper wrapper, MultiDataSet... batches) {
    wrapper.fit(new TestMultiDataSetIterator(1, batches));
  }

  private static ParallelWrapper.Builder<?> wrapper(ComputationGraph net) {
    return new ParallelWrapper.Builder<>(net).workers(WORKERS).prefetchBuffer(2);
  }

  private static ParallelWrapper attached(
      ParallelWrapper.Builder<?> builder, LossBalancerCheckpoint... listeners) {
    ParallelWrapper wrapper = builder.build();
    wrapper.setListeners(listeners);
    ParallelTraining.attach(wrapper);
    return wrapper;
  }

  private Path file(int iterations) {
    return folder.resolve(String.format(Locale.ROOT, "checkpoint-%010d.zip", iterations));
  }

  private List<Path> files() throws Exception {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> !file.toString().endsWith(".log")).sorted().toList();
    }
  }

  /**
   * Due after rounds 3 and 6. The oracle: the run that was not interrupted, as writeModel has it
   * when all is over.
   */
  @ParameterizedTest
  @CsvSource({"1, 3 6, adam", "2, 4 6, adam", "4, 4 8, adam", "2, 4 6, all"})
  void averaging_goesOnBitForBit(int averagingFrequency, String expected, String settings)
      throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = TrainingProcess.settings().get(settings).build().attach(net);
    LossBalancerCheckpoint checkpoint =
        LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(3).keepLast(9).build();
    fit(
        attached(wrapper(net).averagingFrequency(averagingFrequency), checkpoint),
        rounds(0, ROUNDS));
    assertThat(checkpoint.failures()).isZero();
    int[] iterations = Stream.of(expected.split(" ")).mapToInt(Integer::parseInt).toArray();
    assertThat(files())
        .containsExactlyElementsOf(Arrays.stream(iterations).mapToObj(this::file).toList());
    Path straight = parent.resolve("straight.zip");
    gradNorm.writeModel(net, straight);

    for (int done : iterations) {
      ComputationGraph restored =
          ModelSerializer.restoreComputationGraph(file(done).toFile(), true);
      GradNorm resumed = GradNorm.restoreFromModel(file(done)).attach(restored);
      assertThat(restored.getIterationCount()).isEqualTo(done);
      if (done < ROUNDS) {
        fit(
            attached(wrapper(restored).averagingFrequency(averagingFrequency)),
            rounds(done, ROUNDS));
      }
      Path whole = parent.resolve("resumed.zip");
      resumed.writeModel(restored, whole);
      SavedModels.assertSame(whole, straight);
    }
    assertThat(gradNorm.history().size()).isPositive();
  }

  /** The last round has one worker; the workers of the next fit are copies of the network again. */
  @Test
  void severalFits_lastRoundNotFull_goOnBitForBit() throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    ParallelWrapper wrapper =
        attached(
            wrapper(net),
            LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(4).build());
    fit(wrapper, Arrays.copyOf(rounds(0, 4), 4 * WORKERS - 1));
    assertThat(gradNorm.lossWeights().get("a")).isNotEqualTo(1.0);
    fit(wrapper, rounds(4, 8));
    Path straight = parent.resolve("straight.zip");
    gradNorm.writeModel(net, straight);
    SavedModels.assertSame(file(8), straight);

    ComputationGraph restored = ModelSerializer.restoreComputationGraph(file(4).toFile(), true);
    GradNorm resumed = GradNorm.restoreFromModel(file(4)).attach(restored);
    fit(attached(wrapper(restored)), rounds(4, 8));
    Path whole = parent.resolve("resumed.zip");
    resumed.writeModel(restored, whole);
    SavedModels.assertSame(whole, straight);
  }

  /** Each worker has something of its own until fit ends; the next begins from the network. */
  @ParameterizedTest
  @CsvSource({"SHARED_GRADIENTS, true", "AVERAGING, false"})
  void workersThatStayApart_areSavedWhenFitEnds_andTheLogSaysSo(
      TrainingMode mode, boolean averageUpdaters) throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    LossBalancerCheckpoint checkpoint =
        LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(2).build();
    ParallelWrapper wrapper =
        attached(wrapper(net).trainingMode(mode).averageUpdaters(averageUpdaters), checkpoint);
    try (LogRecorder log = new LogRecorder(LossBalancerCheckpoint.class)) {
      for (int end : new int[] {3, 6, 7}) {
        fit(wrapper, rounds(end == 7 ? 6 : end - 3, end));
        Path now = parent.resolve("now.zip");
        gradNorm.writeModel(net, now);
        if (end < 7) {
          SavedModels.assertSame(file(end), now);
        }
      }
      assertThat(log.messages())
          .singleElement()
          .asString()
          .startsWith("the checkpoint of 2 iterations waits")
          .endsWith("set averagingFrequency(1) with TrainingMode.AVERAGING");
    }
    assertThat(files()).containsExactly(file(3), file(6));
  }

  @Test
  void whatWouldNeverBeSaved_isSaidOnce() throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    LossBalancerCheckpoint byEpochs = LossBalancerCheckpoint.builder(gradNorm, folder).build();
    ParallelWrapper wrapper = attached(wrapper(net), byEpochs);
    try (LogRecorder log = new LogRecorder(LossBalancerCheckpoint.class)) {
      fit(wrapper, rounds(0, 2));
      fit(wrapper, rounds(2, 4));
      assertThat(log.messages())
          .singleElement()
          .asString()
          .startsWith("everyEpochs (1) saves nothing while a ParallelWrapper trains");
    }
    gradNorm.detach();
    LossBalancerCheckpoint detached =
        LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(1).build();
    try (LogRecorder log = new LogRecorder(LossBalancerCheckpoint.class)) {
      fit(attached(wrapper(net), detached), rounds(4, 6));
      assertThat(log.messages())
          .singleElement()
          .asString()
          .startsWith(
              "no checkpoints: a ParallelWrapper trains a network that the balancer is not");
    }
    assertThat(files()).isEmpty();
    gradNorm.attach(net);
    ParallelWrapper built = attached(wrapper(net));
    net.setListeners(LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(1).build());
    try (LogRecorder log = new LogRecorder(ParallelTraining.class)) {
      fit(built, rounds(6, 8));
      assertThat(log.messages())
          .containsExactly(
              "LossBalancerCheckpoint is not called while a ParallelWrapper trains the network: Deeplearning4j replaces the network's listeners by the wrapper's. Add it with wrapper.setListeners(...)");
    }
  }

  /** In the middle of a fit and at its end; the wrapper is of use afterwards. */
  @ParameterizedTest
  @CsvSource({"1", "2"})
  void failureThatWasAskedFor_endsTheFit(int round) throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    LossBalancerCheckpoint checkpoint =
        LossBalancerCheckpoint.builder(gradNorm, folder)
            .everyIterations(round)
            .throwOnFailure(true)
            .build();
    ParallelWrapper wrapper = attached(wrapper(net), checkpoint);
    Files.createDirectories(file(round).resolve("full"));
    assertThatThrownBy(() -> fit(wrapper, rounds(0, 2)))
        .hasMessageContaining("could not be written");
    assertThat(net.getIterationCount()).isEqualTo(round);
    assertThat(checkpoint.failures()).isEqualTo(1);
    fit(wrapper, rounds(0, round == 1 ? 3 : 4));
    assertThat(LossBalancerCheckpoint.last(folder)).contains(file(round == 1 ? 4 : 6));
  }
}
