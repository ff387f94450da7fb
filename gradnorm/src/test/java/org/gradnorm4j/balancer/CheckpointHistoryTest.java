package org.gradnorm4j.balancer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.gradnorm.TrainingProcess;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryLimit;
import org.gradnorm4j.persist.HistoryLog;
import org.gradnorm4j.persist.ModelFile;
import org.gradnorm4j.strategies.UncertaintyWeighting;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The history beside checkpoints: what it costs, what becomes of it, and how it is missed. */
class CheckpointHistoryTest {
  @TempDir private Path parent;

  private static Path file(Path folder, int iterations) {
    return folder.resolve(String.format(Locale.ROOT, "checkpoint-%010d.zip", iterations));
  }

  private Path folder() {
    return parent.resolve("checkpoints");
  }

  private List<Path> logs() throws IOException {
    return HistoryLog.filesIn(folder());
  }

  private static LossBalancer balancer(HistoryLimit limit) {
    return LossBalancer.builder(UncertaintyWeighting.create()).history(limit).build();
  }

  private void save(ComputationGraph net, LossBalancer balancer, int every, int kept)
      throws IOException {
    net.setListeners(
        LossBalancerCheckpoint.builder(balancer, folder())
            .everyIterations(every)
            .keepLast(kept)
            .build());
  }

  private LossBalancer run(HistoryLimit limit, int steps, int kept) throws IOException {
    ComputationGraph net = TrainingProcess.network();
    LossBalancer balancer = balancer(limit).attach(net);
    save(net, balancer, 1, kept);
    TrainingProcess.train(net, steps);
    return balancer;
  }

  /**
   * Two counts, three flags, and four numbers of each of three tasks a step, whatever came before.
   */
  @Test
  void eachCheckpoint_appendsItsOwnSteps_andNothingElse() throws Exception {
    ComputationGraph net = TrainingProcess.network();
    LossBalancer balancer = balancer(History.all()).attach(net);
    save(net, balancer, 5, 2);
    TrainingProcess.train(net, 5);
    Path log = logs().get(0);
    long size = Files.size(log);
    for (int checkpoint = 2; checkpoint < 20; checkpoint++) {
      TrainingProcess.train(net, 5);
      assertThat(logs()).containsExactly(log);
      int step = 2 * Integer.BYTES + 3 + 3 * 4 * Double.BYTES;
      assertThat(Files.size(log) - size).isEqualTo(5L * step);
      size = Files.size(log);
    }
    LossBalancer restored = LossBalancer.restoreFromModel(file(folder(), 95));
    assertThat(SavedModels.bytes(restored.history()))
        .isEqualTo(SavedModels.bytes(balancer.history()));
  }

  /** The oracle: the same run's own history at each checkpoint. */
  @ParameterizedTest
  @CsvSource({"ALL, 0", "LAST_STEPS, 4", "NONE, 0", "THINNED, 64"})
  void everyCheckpoint_hasTheHistoryOfItsMoment(HistoryLimit.Kind kind, int kept) throws Exception {
    ComputationGraph net = TrainingProcess.network();
    LossBalancer balancer = balancer(new HistoryLimit(kind, kept)).attach(net);
    save(net, balancer, 7, 2);
    byte[] before = null;
    for (int steps = 7; steps <= 140; steps += 7) {
      TrainingProcess.train(net, 7);
      byte[] now = SavedModels.bytes(balancer.history());
      LossBalancer restored = LossBalancer.restoreFromModel(file(folder(), steps));
      assertThat(SavedModels.bytes(restored.history())).isEqualTo(now);
      assertThat(restored.lastStep()).isEqualTo(balancer.lastStep());
      if (before != null) {
        restored = LossBalancer.restoreFromModel(file(folder(), steps - 7));
        assertThat(SavedModels.bytes(restored.history())).isEqualTo(before);
      }
      before = now;
    }
    assertThat(logs())
        .hasSize(kind == HistoryLimit.Kind.NONE ? 0 : kind == HistoryLimit.Kind.LAST_STEPS ? 2 : 1);
  }

  /** Two go on from the first of three checkpoints; none disturbs what others have written. */
  @Test
  void whoGoesOn_beginsAFileOfItsOwn() throws Exception {
    LossBalancer straight = run(History.all(), 3, 9);
    assertThat(logs()).hasSize(1);
    Path copy = parent.resolve("copy");
    copy(folder(), copy);
    Path first = file(folder(), 1);
    for (int process = 0; process < 2; process++) {
      ComputationGraph net = ModelSerializer.restoreComputationGraph(first.toFile(), true);
      LossBalancer resumed = LossBalancer.restoreFromModel(first).attach(net);
      save(net, resumed, 2, 9);
      TrainingProcess.train(net, 1);
      SavedModels.assertSame(file(folder(), 2), file(copy, 2));
    }
    SavedModels.assertSame(file(folder(), 1), file(copy, 1));
    SavedModels.assertSame(file(folder(), 3), file(copy, 3));
    assertThat(SavedModels.bytes(straight.history()))
        .isEqualTo(SavedModels.bytes(LossBalancer.restoreFromModel(file(folder(), 3)).history()));
  }

  @Test
  void historyThatNoCheckpointNeeds_isDeleted() throws Exception {
    run(History.all(), 2, 3);
    Path first = logs().get(0);
    Path last = file(folder(), 2);
    ComputationGraph net = ModelSerializer.restoreComputationGraph(last.toFile(), true);
    LossBalancer resumed = LossBalancer.restoreFromModel(last).attach(net);
    Path orphan = folder().resolve("history-" + "0".repeat(32) + ".log");
    Files.writeString(orphan, "of a process that was killed before its first checkpoint");
    save(net, resumed, 1, 3);
    assertThat(logs()).containsExactly(first);
    for (int steps = 3; steps <= 4; steps++) {
      TrainingProcess.train(net, 1);
      assertThat(logs()).hasSize(2).contains(first); // checkpoint 2 is still there
    }
    TrainingProcess.train(net, 1);
    assertThat(logs()).hasSize(1).doesNotContain(first);
    resumed.detach();
    resumed.reset();
    resumed.attach(net); // another run
    TrainingProcess.train(net, 1);
    assertThat(LossBalancer.restoreFromModel(file(folder(), 5)).history().steps()).isEqualTo(5);
    assertThat(LossBalancer.restoreFromModel(file(folder(), 6)).history().steps()).isEqualTo(1);
  }

  @Test
  void folder_canBeMoved_andATailDoesNotCount() throws Exception {
    LossBalancer balancer = run(History.all(), 4, 9);
    Files.writeString(logs().get(0), "of a killed process", StandardOpenOption.APPEND);
    Path elsewhere = parent.resolve("elsewhere");
    Files.move(folder(), elsewhere);
    LossBalancer restored = LossBalancer.restoreFromModel(file(elsewhere, 4));
    assertThat(SavedModels.bytes(restored.history()))
        .isEqualTo(SavedModels.bytes(balancer.history()));
    assertThat(LossBalancer.restoreFromModel(file(elsewhere, 2)).history().steps()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void historyThatIsLost_isNamed_andTheRestCanBeRestored(boolean deleted) throws Exception {
    LossBalancer balancer = run(History.all(), 4, 9);
    Path log = logs().get(0);
    if (deleted) {
      Files.delete(log);
    } else {
      Files.write(log, Arrays.copyOf(Files.readAllBytes(log), 100));
    }
    Path last = file(folder(), 4);
    assertThatThrownBy(() -> LossBalancer.restoreFromModel(last))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("the history of " + last + " cannot be restored: " + log)
        .hasMessageEndingWith(
            "Put %s back beside it, or go on without the history: restore(...) takes this file, too, and reads the state alone",
            log.getFileName());
    LossBalancer restored = LossBalancer.restore(last);
    assertThat(restored.lossWeights()).isEqualTo(balancer.lossWeights());
    assertThat(restored.history().steps()).isZero();
    ComputationGraph net = ModelSerializer.restoreComputationGraph(last.toFile(), true);
    restored.attach(net);
    save(net, restored, 1, 9);
    TrainingProcess.train(net, 1);
    assertThat(LossBalancer.restoreFromModel(file(folder(), 5)).history().steps()).isEqualTo(1);
  }

  @Test
  void writeModel_needsNoOtherFile() throws Exception {
    ComputationGraph net = TrainingProcess.network();
    LossBalancer balancer = balancer(History.all()).attach(net);
    TrainingProcess.train(net, 3);
    Path model = parent.resolve("model.zip");
    balancer.writeModel(net, model);
    assertThat(ModelFile.historyLog(model)).isEmpty();
    try (Stream<Path> files = Files.list(parent)) {
      assertThat(files).containsExactly(model);
    }
    assertThat(LossBalancer.restoreFromModel(model).history().rows())
        .containsExactlyElementsOf(balancer.history().rows().toList());
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.sorted(Comparator.naturalOrder()).toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }
}
