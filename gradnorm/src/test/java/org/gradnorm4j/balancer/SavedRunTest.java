package org.gradnorm4j.balancer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.gradnorm.InitialLoss;
import org.gradnorm4j.gradnorm.TrainingProcess;
import org.gradnorm4j.history.History;
import org.gradnorm4j.persist.Mutations;
import org.gradnorm4j.persist.StateFile;
import org.gradnorm4j.strategies.UncertaintyWeighting;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.schedule.CycleSchedule;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.FixedSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** Files of a run, whole and damaged. */
class SavedRunTest {
  private static final int MUTATIONS = 5_000;
  private static final long MOST_ALLOCATED = 64L << 20;

  /** With every setting, an absent task, a skipped step last, and averages. */
  private static GradNorm trained() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm =
        GradNorm.builder()
            .sharedLayer("trunk")
            .alpha(0.7)
            .lossWeightUpdater(
                new Adam(new ExponentialSchedule(ScheduleType.ITERATION, 0.02, 0.99)))
            .measureEvery(2)
            .smoothing(0.5)
            .warmUp(1)
            .initialLoss(InitialLoss.meanOf(2))
            .initialLoss("b", InitialLoss.of(900))
            .lossShift("a", 0.25)
            .lossFloor("a", 1e-3)
            .weightLimits(1e-3, Double.POSITIVE_INFINITY)
            .pin("c", 0.5)
            .prior("b", 2.0)
            .build()
            .attach(net);
    TrainingProcess.train(net, 7);
    var bad = TrainingProcess.batch(7);
    net.fit(bad);
    bad.getLabels()[1].putScalar(0, Float.POSITIVE_INFINITY);
    net.fit(bad);
    assertThat(gradNorm.lastStep().orElseThrow().skipped()).isTrue();
    return gradNorm;
  }

  private static byte[] bytes(GradNorm gradNorm, Path folder) throws IOException {
    Path file = folder.resolve("state.json");
    gradNorm.save(file);
    return Files.readAllBytes(file);
  }

  private static SavedRun read(byte[] file) throws IOException {
    return SavedRun.read(StateFile.read(new ByteArrayInputStream(file), "state.json"));
  }

  @Test
  void savedAndRestored_isTheSame_toTheLastBit(@TempDir Path folder) throws Exception {
    GradNorm gradNorm = trained();
    byte[] saved = bytes(gradNorm, folder);
    GradNorm restored = GradNorm.restore(folder.resolve("state.json"));
    assertThat(restored.lossWeights()).isEqualTo(gradNorm.lossWeights());
    assertThat(restored.lastStep()).isEqualTo(gradNorm.lastStep());
    assertThat(restored.skips()).isEqualTo(gradNorm.skips());
    assertThat(restored.history().settings()).isEqualTo(gradNorm.history().settings());
    assertThat(bytes(restored, folder)).isEqualTo(saved);
    assertThat(new String(saved, StandardCharsets.UTF_8))
        .startsWith("{\n  \"format\": \"gradnorm4j-state\",\n  \"version\": \"2.0\",");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(folder.resolve("state.json"));
    }
  }

  @Test
  void limitOfTheHistory_isSaved(@TempDir Path folder) throws Exception {
    LossBalancer balancer =
        LossBalancer.builder(UncertaintyWeighting.create())
            .history(History.lastSteps(3))
            .build()
            .attach(TrainingProcess.network());
    balancer.save(folder.resolve("state.json"));
    LossBalancer restored = LossBalancer.restore(folder.resolve("state.json"));
    assertThat(restored.history().view().limit()).isEqualTo(History.lastSteps(3));
    assertThat(restored.weighting().settings()).isEqualTo(balancer.weighting().settings());
  }

  @Test
  void restored_isForTheSameTasksOnly(@TempDir Path folder) throws Exception {
    bytes(trained(), folder);
    GradNorm restored = GradNorm.restore(folder.resolve("state.json"));
    var conf = TrainingProcess.network().getConfiguration().clone();
    conf.setNetworkOutputs(List.of("a", "c", "b"));
    ComputationGraph other = new ComputationGraph(conf);
    other.init();
    assertThatThrownBy(() -> restored.attach(other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "this GradNorm has been balancing [a, b, c], the network has [a, c, b]. Build another, or begin anew: reset()");
    restored.attach(TrainingProcess.network());
  }

  /** A file that a release wrote must stay readable: this is what one looks like. */
  @Test
  void fileOfVersion2_isRead() throws Exception {
    try (var file = SavedRunTest.class.getResourceAsStream("state-v2.0.json")) {
      Run<?> run = SavedRun.read(StateFile.read(file, "state-v2.0.json")).resume();
      assertThat(run.taskNames()).containsExactly("a", "b", "c");
      assertThat(run.state().steps()).isEqualTo(4);
      assertThat(run.state().lossWeights()[2]).isEqualTo(0.5);
      assertThat(run.weighting().describe())
          .containsEntry("alpha", "0.7")
          .containsEntry("b: prior", "2.0");
    }
  }

  /** No release has written it. */
  @Test
  void fileOfVersion1_isRefusedWithTheRemedy() throws Exception {
    try (var file = SavedRunTest.class.getResourceAsStream("state-v1.json")) {
      assertThatThrownBy(() -> StateFile.read(file, "state-v1.json"))
          .isInstanceOf(IOException.class)
          .hasMessage(
              "state-v1.json is no state that can be restored: it has version 1 of the format, this library reads versions 2.x. Use the library that wrote it, or load the network alone and begin to balance anew");
    }
  }

  /** Each part is possible, but they do not fit. The checksum is right. */
  @Test
  void partsThatDoNotFit_areRefusedWithTheReason(@TempDir Path folder) throws Exception {
    byte[] whole = bytes(trained(), folder);
    for (String[] wrong :
        new String[][] {
          {
            "\"strategy\": \"gradnorm\"",
            "\"strategy\": \"another\"",
            "no strategy 'another' is known here"
          },
          {
            "\"strategy\": \"gradnorm\"",
            "\"strategy\": \"java.lang.Runtime\"",
            "no strategy 'java.lang.Runtime' is known here"
          },
          {
            "\"alpha\": 0.7",
            "\"alpha\": -0.7",
            "settings: alpha \\(-0.7\\) must be >= 0 and finite"
          },
          {
            "\"measureEvery\": 2",
            "\"measureEvery\": 0",
            "balancer: measureEvery \\(0\\) must be >= 1"
          },
          {"\"warmUp\"", "\"coldDown\"", "settings.coldDown is not known here"},
          {
            "\"kind\": \"Adam\"",
            "\"kind\": \"Sgd\"",
            "settings.lossWeightUpdater: impossible values of 'Sgd'"
          },
          {
            "\"tasks\": \\[\\s*\"a\"",
            "\"tasks\": [\"d\"",
            "lastStep does not fit the rest of the file"
          },
          {"\"run\"", "\"walk\"", "\\[walk\\] is not known here"},
        }) {
      String text = new String(whole, StandardCharsets.UTF_8).replaceFirst(wrong[0], wrong[1]);
      byte[] file = Mutations.resealed(text);
      assertThat(file).isNotEqualTo(whole);
      assertThatThrownBy(() -> read(file))
          .as(wrong[1])
          .isInstanceOf(IOException.class)
          .hasMessageMatching(
              "(?s)state.json is no state that can be restored: " + wrong[2] + ".*");
    }
    assertThatThrownBy(() -> GradNorm.restore(folder.resolve("none.json")))
        .isInstanceOf(IOException.class);
  }

  @Test
  void modelWithoutBalancer_andStateWithoutModel_saySo(@TempDir Path folder) throws Exception {
    Path model = folder.resolve("model.zip");
    ModelSerializer.writeModel(TrainingProcess.network(), model.toFile(), true);
    assertThatThrownBy(() -> GradNorm.restoreFromModel(model))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "%s has no 'gradnorm4j.json': it was not written by a balancer. Load the model alone, and build a balancer for it",
            model);
    bytes(trained(), folder);
    Path state = folder.resolve("state.json");
    assertThatThrownBy(() -> GradNorm.restoreFromModel(state))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "%s has no network and no history: writeModel(...) or a checkpoint writes them. Use restore(...)",
            state);
  }

  /** Without the history, as when it was lost. */
  @Test
  void stateOfAModel_canBeRestoredAlone(@TempDir Path folder) throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    TrainingProcess.train(net, 3);
    Path model = folder.resolve("model.zip");
    gradNorm.writeModel(net, model);
    GradNorm restored = GradNorm.restore(model);
    assertThat(restored.lossWeights()).isEqualTo(gradNorm.lossWeights());
    assertThat(restored.lastStep()).isEqualTo(gradNorm.lastStep());
    assertThat(restored.history().steps()).isZero();
    assertThat(GradNorm.restoreFromModel(model).history().steps()).isEqualTo(3);
  }

  @Test
  void updaterThatAFileCannotHold_isRefusedWhenSaving(@TempDir Path folder) {
    for (var updater :
        List.of(
            new Nesterovs(0.1, new FixedSchedule(0.9)),
            new Sgd(new CycleSchedule(ScheduleType.ITERATION, 0.1, 0.2, 10, 2, 0.5)))) {
      GradNorm gradNorm =
          GradNorm.builder().lossWeightUpdater(updater).build().attach(TrainingProcess.network());
      assertThatThrownBy(() -> gradNorm.save(folder.resolve("state.json")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("state file");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void damagedFiles_giveAnIoExceptionOrAValidState(boolean resealed, @TempDir Path folder)
      throws Exception {
    GradNorm gradNorm = trained();
    byte[] whole = bytes(gradNorm, folder);
    ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Random random = new Random(resealed ? 2 : 1);
    int valid = 0;
    long most = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] damaged = Mutations.damaged(whole, random);
      damaged = resealed ? Mutations.resealed(damaged) : damaged;
      long before = memory.getCurrentThreadAllocatedBytes();
      SavedRun run = null;
      try {
        run = read(damaged);
      } catch (IOException expected) {
        assertThat(expected).hasMessageStartingWith("state.json");
      }
      most = Math.max(most, memory.getCurrentThreadAllocatedBytes() - before);
      if (run != null) {
        valid++;
        assertValid(run);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%d damaged states%s: %d valid, %.1f MiB allocated at most%n",
        MUTATIONS,
        resealed ? " with a right checksum" : "",
        valid,
        most / 1048576.0);
    assertThat(most).isLessThan(MOST_ALLOCATED);
    if (!resealed) {
      assertThat(valid).isZero(); // no change gets past the checksum
    }
    assertThat(bytes(gradNorm, folder)).isEqualTo(whole);
  }

  private static void assertValid(SavedRun run) throws IOException {
    double[] weights = run.resume().state().lossWeights();
    assertThat(Arrays.stream(weights)).allMatch(weight -> Double.isFinite(weight) && weight != 0.0);
    byte[] again = run.toBytes(null);
    assertThat(read(again).toBytes(null)).isEqualTo(again);
  }
}
