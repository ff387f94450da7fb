package org.gradnorm4j.ui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.deeplearning4j.ui.model.stats.StatsListener;
import org.deeplearning4j.ui.model.storage.FileStatsStorage;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.parallel.ParallelTraining;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.Row;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.SkipCause;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.dataset.api.iterator.TestMultiDataSetIterator;

/** What gets from training to a storage, and from there to the page. */
class LossBalancerStatsListenerTest {

  private static History read(StatsStorage storage) {
    Runs runs = new Runs();
    runs.attach(storage);
    assertThat(runs.choices()).hasSize(1);
    return runs.history(runs.choices().get(0).id()).orElseThrow();
  }

  /** Oracle: the history of the attachment itself. */
  @Test
  void fileOfAnEarlierRun_hasEveryStepToTheLastBit(@TempDir Path folder) throws Exception {
    Training training = new Training("depth", "normals");
    FileStatsStorage written = new FileStatsStorage(folder.resolve("run.dl4j").toFile());
    training.net.setListeners(new LossBalancerStatsListener(training.balancer, written));
    training.fit(60);
    written.close();

    FileStatsStorage opened = new FileStatsStorage(folder.resolve("run.dl4j").toFile());
    History history = read(opened);
    assertThat(history.rows())
        .containsExactlyElementsOf(training.balancer.history().rows().toList());
    assertThat(history.settings()).isEqualTo(training.balancer.history().settings());
    opened.close();
  }

  /** A clock that stands still. */
  @Test
  void stepsWithinOneMillisecond_areAllKept() {
    Training training = new Training("depth", "normals");
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    training.net.setListeners(
        new LossBalancerStatsListener(training.balancer, storage, 1, () -> 1000L));
    training.fit(50);
    assertThat(read(storage).rows())
        .containsExactlyElementsOf(training.balancer.history().rows().toList());
  }

  @Test
  void everyNthStep_isWrittenBeginningWithTheFirst() {
    Training training = new Training("depth", "normals");
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    training.net.setListeners(new LossBalancerStatsListener(training.balancer, storage, 4));
    training.fit(10);
    assertThat(read(storage).rows().map(Row::iteration).distinct()).containsExactly(0, 4, 8);
    assertThatThrownBy(() -> new LossBalancerStatsListener(training.balancer, storage, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("frequency (0) must be >= 1");
  }

  @Test
  void session_isThatOfTheStatsListener() {
    Training training = new Training("depth", "normals");
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    StatsListener stats = new StatsListener(storage);
    training.net.setListeners(stats, new LossBalancerStatsListener(training.balancer, storage));
    training.fit(2);
    assertThat(storage.listSessionIDs()).containsExactly(stats.getSessionID());
    assertThat(storage.listTypeIDsForSession(stats.getSessionID()))
        .containsExactlyInAnyOrder(StatsListener.TYPE_ID, "LossBalancing");
  }

  /**
   * A run that goes on: in another process or listened to from the middle on, from a state alone or
   * with its history, measured now and then or frozen. Oracle: the history from there on.
   */
  @ParameterizedTest
  @CsvSource({
    "restored, 1, false", "restored, 10, false", "restored, 10, true",
    "restoredModel, 1, false", "restoredModel, 10, false", "restoredModel, 10, true",
    "listenedTo, 1, false", "listenedTo, 10, false", "listenedTo, 10, true"
  })
  void onlyStepsOfItsOwn_areRecorded(
      String from, int measureEvery, boolean frozen, @TempDir Path folder) throws Exception {
    Training training =
        new Training(GradNorm.builder().measureEvery(measureEvery).build(), "depth", "normals");
    training.fit(15);
    if (frozen) {
      training.balancer.freeze();
    }
    Path file = folder.resolve("file");
    LossBalancer gradNorm = training.balancer;
    if (from.equals("restored")) {
      gradNorm.save(file);
      gradNorm.detach();
      gradNorm = GradNorm.restore(file).attach(training.net);
    } else if (from.equals("restoredModel")) {
      gradNorm.writeModel(training.net, file);
      gradNorm.detach();
      gradNorm = GradNorm.restoreFromModel(file).attach(training.net);
    }
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    training.net.setListeners(new LossBalancerStatsListener(gradNorm, storage));
    training.fit(4);
    assertThat(storage.listSessionIDs()).hasSize(frozen || measureEvery == 10 ? 0 : 1);
    training.fit(6);
    if (frozen) {
      assertThat(storage.listSessionIDs()).isEmpty();
      return;
    }
    List<Row> expected = gradNorm.history().rows().filter(row -> row.iteration() >= 15).toList();
    assertThat(expected).hasSize(measureEvery == 1 ? 20 : 2);
    assertThat(read(storage).rows()).containsExactlyElementsOf(expected);
  }

  /** The listener is there first, then goes without the network for a while. */
  @Test
  void stepsWhileItWasNotListening_areNotRecorded() {
    Training training = new Training("depth", "normals");
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    LossBalancerStatsListener listener = new LossBalancerStatsListener(training.balancer, storage);
    training.fit(3);
    training.net.setListeners(listener);
    training.balancer.freeze();
    training.fit(2);
    assertThat(storage.listSessionIDs()).isEmpty();
    training.balancer.unfreeze();
    training.fit(2);
    assertThat(read(storage).rows().map(Row::iteration).distinct()).containsExactly(5, 6);
  }

  /** Each worker calls it: every round once, the last one too. */
  @Test
  void roundsOfWorkers_areEachRecordedOnce() {
    Training training = new Training("depth", "normals");
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    ParallelWrapper wrapper =
        new ParallelWrapper.Builder<>(training.net).workers(2).prefetchBuffer(2).build();
    wrapper.setListeners(new LossBalancerStatsListener(training.balancer, storage));
    ParallelTraining.attach(wrapper);
    wrapper.fit(new TestMultiDataSetIterator(1, training.batches(20)));
    assertThat(training.balancer.history().size()).isEqualTo(10);
    assertThat(read(storage).rows())
        .containsExactlyElementsOf(training.balancer.history().rows().toList());
  }

  /** Two runs in one storage, one of them in two parts around an attach: each has its own steps. */
  @Test
  void runs_areKeptApart_andContinued() {
    Training first = new Training("depth", "normals");
    Training second = new Training("depth", "normals");
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    first.net.setListeners(new LossBalancerStatsListener(first.balancer, storage));
    second.net.setListeners(new LossBalancerStatsListener(second.balancer, storage));
    Runs runs = new Runs();
    storage.registerStatsStorageListener(
        event ->
            runs.read(
                event.getStatsStorage(),
                event.getSessionID(),
                event.getWorkerID(),
                event.getTimestamp()));
    first.fit(3);
    second.fit(2);
    runs.attach(storage);
    first.fit(4);
    assertThat(runs.choices())
        .extracting(choice -> runs.history(choice.id()).orElseThrow().size())
        .containsExactlyInAnyOrder(7, 2);
    runs.detach(storage);
    assertThat(runs.choices()).isEmpty();
  }

  @Test
  void record_survivesEveryEncoding_alsoWhatIsNotFinite() throws Exception {
    double[] nan = {Double.NaN, Double.POSITIVE_INFINITY};
    BalancedStep step =
        BalancedStep.of(
            StepMeasurement.of(List.of("a", "b"))
                .at(3, 1)
                .batchSize(16)
                .losses(nan)
                .gradientNorms(0.1, 1e-300)
                .lossWeights(1, 1)
                .build(),
            Map.of(GradNorm.LOSS_RATIO, nan, GradNorm.GRADIENT_LOSS, new double[] {Double.NaN}),
            new double[] {1.5, 0.5},
            Map.of("a", Set.of(SkipCause.LOSS, SkipCause.GRADIENT_NORM)));
    LossBalancerRecord record = LossBalancerRecord.ofStep("session", "worker", 1234L, step);
    byte[] bytes = record.encode();
    assertThat(record.encodingLengthBytes()).isEqualTo(bytes.length);
    ByteBuffer buffer = ByteBuffer.allocate(bytes.length);
    record.encode(buffer);
    assertThat(buffer.array()).isEqualTo(bytes);
    buffer.flip();
    LossBalancerRecord decoded = new LossBalancerRecord();
    decoded.decode(buffer);
    assertThat(decoded.toStep()).isEqualTo(step);
    assertThat(decoded.getSessionID()).isEqualTo("session");
    assertThat(decoded.getWorkerID()).isEqualTo("worker");
    assertThat(decoded.getTypeID()).isEqualTo("LossBalancing");
    assertThat(decoded.getTimeStamp()).isEqualTo(1234L);
    bytes[0] = 9;
    assertThatThrownBy(() -> new LossBalancerRecord().decode(bytes))
        .hasMessageContaining("loss balancing record (version 9) must be of version 1");
  }

  /** What this version writes, to the letter: later ones must read it too. */
  @Test
  void recordOfVersion1_isRead() throws Exception {
    String json =
        """
        {"measurement":{"iteration":3,"epoch":1,"batchSize":16,"tasks":["a","b"],\
        "present":[true,false],"losses":[0.5,0.0],"lossesPerLabel":[0.5,NaN],\
        "gradientNorms":[2.0,0.0],"lossWeights":[1.5,0.5]},\
        "quantities":[{"id":"loss_ratio","name":"Losses over the initial losses",\
        "symbol":"L / L(0)","unit":"","perTask":true},\
        {"id":"gradient_loss","name":"Gradient loss","symbol":"L_grad","unit":"","perTask":false}],\
        "values":[[0.25,NaN],[1.5]],"nextLossWeights":[1.25,0.75],"skipCauses":{"b":["LOSS"]}}""";
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(1);
    out.writeUTF("session");
    out.writeUTF("worker");
    out.writeLong(1234L);
    out.write(json.getBytes(StandardCharsets.UTF_8));
    LossBalancerRecord record = new LossBalancerRecord();
    record.decode(bytes.toByteArray());
    BalancedStep step = record.toStep();
    assertThat(step.measurement().iteration()).isEqualTo(3);
    assertThat(step.measurement().present()).containsExactly(true, false);
    assertThat(step.measurement().losses()).containsExactly(0.5, 0.0);
    assertThat(step.quantities()).containsExactly(GradNorm.LOSS_RATIO, GradNorm.GRADIENT_LOSS);
    assertThat(step.values(GradNorm.LOSS_RATIO)).containsExactly(0.25, Double.NaN);
    assertThat(step.value(GradNorm.GRADIENT_LOSS)).isEqualTo(1.5);
    assertThat(step.nextLossWeights()).containsExactly(1.25, 0.75);
    assertThat(step.skipCauses()).isEqualTo(Map.of("b", Set.of(SkipCause.LOSS)));
    assertThat(record.encode()).isEqualTo(bytes.toByteArray());
  }
}
