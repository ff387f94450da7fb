package org.gradnorm4j.persist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.testing.LogRecorder;
import org.junit.jupiter.api.Test;
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

/** Records in a file, whole and damaged. */
class StateFileTest {
  private static final int MUTATIONS = 5_000;
  private static final long MOST_ALLOCATED = 64L << 20;

  private enum Kind {
    SOME,
    OTHER
  }

  private record Inner(String text, Double maybe, Inner inside) {
    Inner {
      if (maybe != null && maybe < 0.0) {
        throw new IllegalArgumentException("maybe (" + maybe + ") must be >= 0");
      }
    }
  }

  /** Every type that a file can hold. */
  private record Everything(
      int count,
      long large,
      double number,
      boolean flag,
      String text,
      Kind kind,
      Integer noCount,
      Inner inner,
      Inner none,
      int[] counts,
      double[] numbers,
      boolean[] flags,
      double[][] table,
      List<String> names,
      List<Inner> inners,
      Map<String, Double> byName,
      Map<String, List<Kind>> kinds,
      WeightOptimizer optimizer) {
    Everything {
      if (table.length != numbers.length) {
        throw new IllegalArgumentException("table must be by number");
      }
    }
  }

  private record Updater(WeightOptimizer optimizer) {}

  private static Everything everything() {
    Map<String, Double> byName = new LinkedHashMap<>();
    byName.put("z", -0.0);
    byName.put("a \"task\"\n\u2028", Double.NEGATIVE_INFINITY);
    return new Everything(
        -7,
        Long.MAX_VALUE,
        0.1 + 0.2,
        true,
        "ταυ, \t and </script>",
        Kind.OTHER,
        null,
        new Inner("", 1e-320, new Inner("deep", null, null)),
        null,
        new int[] {1, Integer.MIN_VALUE},
        new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.MIN_VALUE, Math.PI},
        new boolean[] {true, false},
        new double[][] {{}, {1.0}, {}, {2.0, -3.5}},
        List.of("x", "y"),
        List.of(new Inner("1", 2.5, null)),
        byName,
        Map.of("one", List.of(Kind.SOME, Kind.OTHER), "two", List.of()),
        WeightOptimizer.of(new Adam(new ExponentialSchedule(ScheduleType.EPOCH, 0.02, 0.99))));
  }

  private static byte[] written(Record part) {
    return StateFile.builder().part("all", part).write();
  }

  private static StateFile read(byte[] file) throws IOException {
    return StateFile.read(new ByteArrayInputStream(file), "state.json");
  }

  private static StateFile read(String file) throws IOException {
    return read(file.getBytes(StandardCharsets.UTF_8));
  }

  private static String text(byte[] file) {
    return new String(file, StandardCharsets.UTF_8);
  }

  @Test
  void everyType_isReadAsItWas_toTheLastBit() throws Exception {
    byte[] file = written(everything());
    StateFile state = read(file);
    state.checkParts("all");
    assertThat(state.has("all")).isTrue();
    assertThat(state.has("other")).isFalse();
    Everything again = state.part("all", Everything.class);
    assertThat(again)
        .usingRecursiveComparison()
        .withEqualsForType(Double::equals, Double.class)
        .isEqualTo(everything());
    assertThat(again.optimizer()).isEqualTo(everything().optimizer());
    assertThat(1.0 / again.byName().get("z")).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(written(again)).isEqualTo(file);
    assertThat(text(file))
        .startsWith("{\n  \"format\": \"gradnorm4j-state\",\n  \"version\": \"2.0\",\n  \"all\": {")
        .contains("\"number\": 0.30000000000000004")
        .contains("\"kind\": \"OTHER\"")
        .matches("(?s).*,\n  \"sha256\": \"[0-9a-f]{64}\"\n}\n");
  }

  @Test
  void otherFiles_areRefusedWithTheReason() {
    String text = text(written(everything()));
    for (var wrong :
        Map.of(
                text.replace("\"2.0\"", "1"),
                "it has version 1 of the format, this library reads versions 2.x. Use the library that wrote it, or load the network alone and begin to balance anew",
                text.replace("\"2.0\"", "\"3.1\""),
                "it has version 3.1 of the format",
                text.replace("\"2.0\"", "\"two\""),
                "it has no version",
                text.replace("gradnorm4j-state", "another"),
                "it has another format",
                text.substring(0, text.length() / 2),
                "it was cut short or changed",
                text.replace("-7", "-8"),
                "it was cut short or changed",
                "",
                "End of input")
            .entrySet()) {
      assertThatThrownBy(() -> read(wrong.getKey()))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("state.json is no state that can be restored: ")
          .hasMessageContaining(wrong.getValue());
    }
    assertThatThrownBy(() -> read(new byte[StateFile.LARGEST + 1]))
        .isInstanceOf(IOException.class)
        .hasMessage("state.json: a state has at most 4194304 bytes, this has more");
  }

  /** What is changed, and what is said about it. The checksum is right. */
  @Test
  void impossibleParts_areRefusedWithTheField() {
    String text = text(written(everything()));
    for (String[] wrong :
        new String[][] {
          {"\"count\": -7", "\"count\": 1.5", "all.count"},
          {"\"count\": -7", "\"count\": \"7\"", "all.count must be an integer"},
          {"\"count\": -7", "\"count\": null", "all.count must be an integer"},
          {"\"count\": -7", "\"count\": 3000000000", "$.all.count"},
          {"\"count\": -7", "\"count\": -7, \"count\": -7", "all.count is there twice"},
          {"\"count\": -7", "\"another\": -7", "all.another is not known here"},
          {"\"count\": -7,", "", "all: 'count' is missing"},
          {"\"flag\": true", "\"flag\": \"true\"", "$.all.flag"},
          {"\"kind\": \"OTHER\"", "\"kind\": \"3\"", "all.kind ('3') must be one of [SOME, OTHER]"},
          {"0.30000000000000004", "\"much\"", "all.number must be a number"},
          {"0.30000000000000004", "1e999", "all.number"},
          {"1.0E-320", "-1", "all.inner: maybe (-1.0) must be >= 0"},
          {"\"maybe\": 2.5", "\"maybe\": -2.5", "all.inners[0]: maybe (-2.5) must be >= 0"},
          {"\"numbers\": [", "\"numbers\": [ 1,", "all: table must be by number"},
          {
            "\"kind\": \"Adam\"",
            "\"kind\": \"java.lang.Runtime\"",
            "all.optimizer: 'java.lang.Runtime' is not known here"
          },
          {
            "\"kind\": \"Adam\"", "\"kind\": \"NoOp\"", "all.optimizer: impossible values of 'NoOp'"
          },
          {"\"z\": -0.0", "\"z\": null", "all.byName.z must be a string"},
        }) {
      assertThat(text).contains(wrong[0]);
      byte[] changed = Mutations.resealed(text.replace(wrong[0], wrong[1]));
      assertThatThrownBy(() -> read(changed).part("all", Everything.class))
          .as(wrong[1])
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("state.json is no state that can be restored: ")
          .hasMessageContaining(wrong[2]);
    }
  }

  @Test
  void parts_areKnownByName() throws Exception {
    StateFile state =
        read(
            StateFile.builder()
                .part("one", new Inner("1", null, null))
                .part("two", new Inner("2", null, null))
                .write());
    assertThat(state.part("two", Inner.class).text()).isEqualTo("2");
    assertThat(state.part("one", Inner.class).text()).isEqualTo("1");
    assertThatThrownBy(() -> state.part("three", Inner.class))
        .isInstanceOf(IOException.class)
        .hasMessageEndingWith("'three' is missing");
    assertThatThrownBy(() -> state.checkParts("one"))
        .isInstanceOf(IOException.class)
        .hasMessageEndingWith("[two] is not known here");
    for (String name : List.of("version", "sha256", "two", "3", "")) {
      assertThatThrownBy(
              () ->
                  StateFile.builder()
                      .part("two", new Inner("2", null, null))
                      .part(name, new Inner("", null, null)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("part '" + name + "' must be a new name");
    }
  }

  /** Fields and parts that a later version may add. */
  @Test
  void unknownFieldsOfANewerMinorVersion_areSkipped_andTheLogSaysSo() throws Exception {
    String newer =
        text(written(new Inner("mine", 1.0, null)))
            .replace("\"text\"", "\"colour\": {\"red\": [1, 2]}, \"text\"")
            .replace("\"all\"", "\"extra\": {}, \"all\"");
    assertThatThrownBy(() -> read(Mutations.resealed(newer)).part("all", Inner.class))
        .isInstanceOf(IOException.class)
        .hasMessageEndingWith("all.colour is not known here");
    try (LogRecorder log = new LogRecorder(StateFile.class)) {
      StateFile state = read(Mutations.resealed(newer.replace("2.0", "2.1")));
      state.checkParts("all");
      assertThat(state.part("all", Inner.class).text()).isEqualTo("mine");
      assertThat(log.messages())
          .containsExactly(
              "state.json was written by a newer version of this library. What this one does not know was left out: [extra]",
              "state.json was written by a newer version of this library. What this one does not know was left out: [all.colour]");
    }
  }

  private record Unsupported(Object any) {}

  private record Unreadable(Thread thread) {}

  @Test
  void typesThatAFileCannotHold_areRefusedAtOnce() throws Exception {
    for (Record part :
        List.of(new Unsupported(new Object()), new Unsupported(new Object[] {null}))) {
      assertThatThrownBy(() -> written(part))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cannot be in a state file");
    }
    assertThatThrownBy(() -> written(new Inner(null, null, null)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Inner.text (null) must have a value. Only records and boxed numbers may be null");
    StateFile state = read(text(written(new Inner("", null, null))));
    String thread = text(written(new Inner("", null, null))).replace("\"text\"", "\"thread\"");
    assertThat(state.has("all")).isTrue();
    assertThatThrownBy(() -> read(Mutations.resealed(thread)).part("all", Unreadable.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("class java.lang.Thread cannot be in a state file");
    assertThatThrownBy(() -> written(new Inner("x".repeat(StateFile.LARGEST), null, null)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must have at most 4194304");
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
    byte[] file = written(new Updater(WeightOptimizer.of(updater)));
    IUpdater again = read(file).part("all", Updater.class).optimizer().updater();
    assertThat(again).isEqualTo(updater).hasSameClassAs(updater);
    for (int step : new int[] {0, 10, 299, 1000}) {
      assertThat((Double) again.getLearningRate(step, 1))
          .isEqualTo((Double) updater.getLearningRate(step, 1));
    }
  }

  @Test
  void updaterThatAFileCannotHold_isRefused() {
    for (IUpdater updater :
        List.of(
            new Nesterovs(0.1, new FixedSchedule(0.9)),
            new Sgd(new CycleSchedule(ScheduleType.ITERATION, 0.1, 0.2, 10, 2, 0.5)))) {
      assertThatThrownBy(() -> written(new Updater(WeightOptimizer.of(updater))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("state file");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void damagedFiles_giveAnIoExceptionOrAValidRecord(boolean resealed) throws Exception {
    byte[] whole = written(everything());
    ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Random random = new Random(resealed ? 2 : 1);
    int valid = 0;
    long most = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] damaged = Mutations.damaged(whole, random);
      damaged = resealed ? Mutations.resealed(damaged) : damaged;
      long before = memory.getCurrentThreadAllocatedBytes();
      Everything record = null;
      try {
        StateFile file = read(damaged);
        file.checkParts("all");
        record = file.part("all", Everything.class);
      } catch (IOException expected) {
        assertThat(expected).hasMessageStartingWith("state.json");
      }
      most = Math.max(most, memory.getCurrentThreadAllocatedBytes() - before);
      if (record != null) {
        valid++;
        assertThat(record.table().length).isEqualTo(record.numbers().length);
        byte[] again = written(record);
        assertThat(written(read(again).part("all", Everything.class))).isEqualTo(again);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%d damaged files%s: %d valid, %.1f MiB allocated at most%n",
        MUTATIONS,
        resealed ? " with a right checksum" : "",
        valid,
        most / 1048576.0);
    assertThat(most).isLessThan(MOST_ALLOCATED);
    if (!resealed) {
      assertThat(valid).isZero(); // no change gets past the checksum
    }
  }

  /** Every byte, in every bit. */
  @Test
  void everyBitOfAFile_isUnderTheChecksum() {
    byte[] whole = written(new Inner("small", 0.5, null));
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] flipped = Arrays.copyOf(whole, whole.length);
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThatThrownBy(() -> read(flipped)).isInstanceOf(IOException.class);
    }
  }
}
