package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.schedule.CycleSchedule;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.FixedSchedule;
import org.nd4j.linalg.schedule.InverseSchedule;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.PolySchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.nd4j.linalg.schedule.SigmoidSchedule;
import org.nd4j.linalg.schedule.StepSchedule;

/** Files of a run, whole and damaged. */
class StateFileTest {
  private static final int MUTATIONS = 10_000;
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
    return StateReader.read(new ByteArrayInputStream(file), "state.json");
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
        .startsWith("{\n  \"format\": \"gradnorm4j-state\",\n  \"version\": 1,");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(folder.resolve("state.json"));
    }
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

  /** A file that this version wrote must stay readable: this is what one looks like. */
  @Test
  void fileOfVersion1_isRead() throws Exception {
    try (var file = StateFileTest.class.getResourceAsStream("state-v1.json")) {
      SavedRun run = StateReader.read(file, "state-v1.json");
      assertThat(run.taskNames()).containsExactly("a", "b", "c");
      assertThat(run.state().steps()).isEqualTo(4);
      assertThat(run.state().lossWeights()[2]).isEqualTo(0.5);
      assertThat(run.settings().of(run.taskNames()).get(1).prior()).isEqualTo(2.0);
    }
  }

  @Test
  void otherFiles_areRefusedWithTheReason(@TempDir Path folder) throws Exception {
    String text = new String(bytes(trained(), folder), StandardCharsets.UTF_8);
    for (var wrong :
        Map.of(
                text.replace("\"version\": 1", "\"version\": 2"),
                "it has version 2 of the format, this library reads version 1",
                text.replace("gradnorm4j-state", "another"),
                "it has another format",
                text.substring(0, text.length() / 2),
                "it was cut short or changed",
                text.replace("\"alpha\": 0.7", "\"alpha\": 0.8"),
                "it was cut short or changed",
                reseal(text.replace("\"alpha\": 0.7", "\"alpha\": -0.7")),
                "alpha (-0.7) must be >= 0 and finite",
                reseal(text.replace("\"kind\": \"Adam\"", "\"kind\": \"java.lang.Runtime\"")),
                "'java.lang.Runtime' is not known here",
                reseal(text.replace("\"warmUp\"", "\"coldDown\"")),
                "'warmUp' is missing",
                "",
                "End of input")
            .entrySet()) {
      assertThatThrownBy(() -> read(wrong.getKey().getBytes(StandardCharsets.UTF_8)))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("state.json is no GradNorm state that can be restored: ")
          .hasMessageContaining(wrong.getValue());
    }
    assertThatThrownBy(() -> read(new byte[StateReader.LARGEST + 1]))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("at most 4194304 bytes");
    assertThatThrownBy(() -> GradNorm.restore(folder.resolve("none.json")))
        .isInstanceOf(IOException.class);
  }

  @Test
  void modelWithoutGradNorm_saysSo(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("model.zip");
    ModelSerializer.writeModel(TrainingProcess.network(), file.toFile(), true);
    assertThatThrownBy(() -> GradNorm.restoreFromModel(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("has no 'gradnorm.json': it was not written by GradNorm");
  }

  static Stream<IUpdater> updaters() {
    Stream<IUpdater> plain =
        Stream.of(
            new Sgd(0.3),
            new Adam(0.1, 0.8, 0.9, 1e-7),
            new AdaMax(0.1, 0.8, 0.9, 1e-7),
            new AMSGrad(0.1, 0.8, 0.9, 1e-7),
            new Nadam(0.1, 0.8, 0.9, 1e-7),
            new Nesterovs(0.1, 0.7),
            new RmsProp(0.1, 0.8, 1e-7),
            new AdaGrad(0.1, 1e-5),
            new AdaDelta(0.9, 1e-5),
            new NoOp());
    ScheduleType steps = ScheduleType.ITERATION;
    Stream<IUpdater> scheduled =
        Stream.of(
                new FixedSchedule(0.3),
                new ExponentialSchedule(steps, 0.1, 0.9),
                new InverseSchedule(ScheduleType.EPOCH, 0.1, 0.9, 2),
                new PolySchedule(steps, 0.1, 2, 100),
                new SigmoidSchedule(steps, 0.1, 0.9, 10),
                new StepSchedule(steps, 0.1, 0.5, 10),
                new MapSchedule(steps, Map.of(0, 0.1, 10, 0.01, 300, 0.001)))
            .map(Adam::new);
    return Stream.concat(plain, scheduled);
  }

  @ParameterizedTest
  @MethodSource("updaters")
  void everyUpdater_isReadAsItWas(IUpdater updater) throws Exception {
    GradNormBuilder settings = GradNorm.builder().lossWeightUpdater(updater);
    GradNormState state = Rules.of(settings, "x", "y").init(Rules.ones(2));
    SavedRun run =
        new SavedRun(
            settings.settings(), List.of(), List.of("x", "y"), List.of("w"), 0, state, null);
    IUpdater again = read(StateWriter.write(run)).settings().lossWeightUpdater();
    assertThat(again).isEqualTo(updater).hasSameClassAs(updater);
    for (int step : new int[] {0, 10, 299, 1000}) {
      assertThat((Double) again.getLearningRate(step, 1))
          .isEqualTo((Double) updater.getLearningRate(step, 1));
    }
  }

  @Test
  void updaterThatAFileCannotHold_isRefusedWhenSaving(@TempDir Path folder) {
    for (IUpdater updater :
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

  /**
   * Text of a changed file with the checksum put right, so that only the reader stands in the way.
   */
  private static String reseal(String text) {
    int end = text.lastIndexOf(",\n  \"sha256\"");
    return end < 0 ? text : StateSeal.close(text.substring(0, end));
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
    for (int i = 0; i < MUTATIONS / 2; i++) {
      byte[] damaged = whole;
      while (Arrays.equals(damaged, whole)) {
        damaged = mutate(whole, random);
      }
      if (resealed) {
        damaged =
            reseal(new String(damaged, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
      }
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
        "%d damaged files%s: %d valid, %.1f MiB allocated at most%n",
        MUTATIONS / 2,
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
    double[] weights = run.state().lossWeights();
    assertThat(Arrays.stream(weights).sum())
        .isCloseTo(
            run.state().totalWeight(), org.assertj.core.data.Percentage.withPercentage(1e-6));
    assertThat(weights).doesNotContain(0.0, Double.NaN);
    byte[] again = StateWriter.write(run);
    assertThat(StateWriter.write(read(again))).isEqualTo(again);
    new GradNormRule(
        run.settings(),
        WeightOptimizer.of(run.settings().lossWeightUpdater()),
        run.taskNames(),
        run.state().totalWeight(),
        Rules.ones(weights.length));
  }

  private static byte[] mutate(byte[] whole, Random random) {
    String text = new String(whole, StandardCharsets.UTF_8);
    List<String> lines = new ArrayList<>(text.lines().toList());
    int line = random.nextInt(lines.size());
    switch (random.nextInt(10)) {
      case 0 -> {
        byte[] flipped = whole.clone();
        for (int flips = 1 + random.nextInt(8); flips > 0; flips--) {
          flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return flipped;
      }
      case 1 -> {
        return Arrays.copyOf(whole, random.nextInt(whole.length));
      }
      case 2 -> Collections.swap(lines, line, random.nextInt(lines.size()));
      case 3 -> lines.remove(line);
      case 4 -> lines.add(random.nextInt(lines.size()), lines.get(line)); // a key twice
      case 5 -> lines.set(line, withNumber(lines.get(line), number(random)));
      case 6 -> lines.set(line, lines.get(line) + deep(random));
      case 7 -> lines.set(line, lines.get(line).replaceAll("\".*?\"", "\"" + junk(random) + "\""));
      case 8 -> lines.set(line, withNumber(lines.get(line), "[" + number(random) + "]"));
      default -> lines.set(line, lines.get(line) + junk(random));
    }
    return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static String withNumber(String line, String number) {
    return line.replaceAll("-?[0-9][0-9.E-]*(?=,?$)", number);
  }

  private static String number(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> "1e999";
      case 1 -> "-1e999";
      case 2 -> "9".repeat(size(random));
      case 3 -> "NaN";
      case 4 -> "\"Infinity\"";
      case 5 -> "-" + random.nextInt(10);
      case 6 -> Double.toString(random.nextDouble());
      default -> Integer.toString(random.nextInt());
    };
  }

  private static String deep(Random random) {
    String open = random.nextBoolean() ? "[" : "{\"a\":";
    return open.repeat(size(random));
  }

  /** Mostly small, sometimes larger than a state file may be. */
  private static int size(Random random) {
    return 1 + random.nextInt(random.nextInt(100) == 0 ? 5_000_000 : 400);
  }

  private static String junk(Random random) {
    byte[] junk = new byte[size(random)];
    random.nextBytes(junk);
    return new String(junk, StandardCharsets.ISO_8859_1).replaceAll("[$\\\\]", "x");
  }
}
