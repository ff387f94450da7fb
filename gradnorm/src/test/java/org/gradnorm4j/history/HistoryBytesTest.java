package org.gradnorm4j.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.gradnorm4j.history.HistoryLimit.Kind;
import org.gradnorm4j.weighting.BalancedStep;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A history as bytes and back: what goes on from them is what was never interrupted. */
class HistoryBytesTest {
  private static final int MUTATIONS = 3_000;
  private static final long MOST_ALLOCATED = 64L << 20;

  private static byte[] bytes(History history) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    HistoryBytes.write(history.view(), out);
    return out.toByteArray();
  }

  private static HistoryRecorder empty(HistoryLimit limit, String... tasks) {
    return new HistoryRecorder(limit, List.of(tasks), SyntheticHistory.QUANTITIES, Map.of());
  }

  private static HistoryRecorder read(byte[] file, HistoryLimit limit, BalancedStep lastStep)
      throws IOException {
    HistoryRecorder recorder = empty(limit, "a", "b");
    HistoryBytes.read(new ByteArrayInputStream(file), recorder, lastStep);
    return recorder;
  }

  private static SyntheticHistory run(HistoryLimit limit, int steps) {
    SyntheticHistory run = new SyntheticHistory(limit, "a", "b");
    if (steps > 0) {
      run.steps(steps / 2);
      run.step(new double[] {Double.NaN, 1}, new double[] {1, Double.POSITIVE_INFINITY});
      run.stepWithoutLastTask(0.5, 2.0).steps(steps - steps / 2);
    }
    return run;
  }

  /**
   * The oracle: a history that was not interrupted, in each of its bytes, now and after each of the
   * steps that follow.
   */
  @ParameterizedTest
  @CsvSource({
    "0, ALL, 0", "700, ALL, 0", "700, LAST_STEPS, 50", "0, NONE, 0", "700, NONE, 0",
    "700, THINNED, 0", "62, THINNED, 64", "63, THINNED, 64", "64, THINNED, 64", "90, THINNED, 64",
    "700, THINNED, 64", "1201, THINNED, 100"
  })
  void readBack_isTheSame_andStaysTheSame(int steps, Kind kind, int kept) throws IOException {
    HistoryLimit limit = new HistoryLimit(kind, kept);
    SyntheticHistory run = run(limit, steps);
    byte[] file = bytes(run.history());
    HistoryRecorder again = read(file, limit, run.recorder().last().orElse(null));
    assertThat(bytes(again.history())).isEqualTo(file);
    assertThat(again.last()).isEqualTo(run.recorder().last());
    for (int more = 0; more < 150; more++) {
      run.steps(1);
      again.add(run.recorder().last().orElseThrow());
      assertThat(bytes(again.history())).as("%d more", more).isEqualTo(bytes(run.history()));
    }
  }

  /** What checkpoints do, a few steps apart; the oracle is again the history itself. */
  @ParameterizedTest
  @CsvSource({
    "ALL, 0, 40",
    "LAST_STEPS, 50, 50",
    "THINNED, 64, 20",
    "THINNED, 64, 31",
    "THINNED, 200, 90"
  })
  void appended_isTheSame(Kind kind, int kept, int apart) throws IOException {
    HistoryLimit limit = new HistoryLimit(kind, kept);
    SyntheticHistory run = run(limit, 30);
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    HistoryBytes.write(run.history().view(), file);
    for (int part = 0; part < 30; part++) {
      long before = run.history().steps();
      run.steps(apart);
      HistoryView view = run.history().view();
      assertThat(HistoryBytes.hasAllSince(view, before)).isTrue();
      HistoryBytes.append(view, before, file);
      HistoryRecorder again = read(file.toByteArray(), limit, run.recorder().last().orElseThrow());
      assertThat(bytes(again.history())).isEqualTo(bytes(run.history()));
    }
  }

  @Test
  void stepsThatAreGone_cannotBeAppended() {
    for (HistoryLimit limit :
        List.of(new HistoryLimit(Kind.THINNED, 64), History.lastSteps(64), History.none())) {
      HistoryView view = run(limit, 300).history().view();
      assertThat(HistoryBytes.hasAllSince(view, view.counts().steps() - 65)).isFalse();
      assertThat(HistoryBytes.hasAllSince(view, view.counts().steps())).isTrue();
      assertThatThrownBy(() -> HistoryBytes.append(view, 10, new ByteArrayOutputStream()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("steps (10) must be >= those of which all later ones are kept");
    }
  }

  @Test
  void historyOfAnotherRun_isRefused() throws IOException {
    SyntheticHistory run = run(new HistoryLimit(Kind.THINNED, 64), 300);
    byte[] file = bytes(run.history());
    BalancedStep last = run.recorder().last().orElseThrow();
    assertThatThrownBy(
            () ->
                HistoryBytes.read(
                    new ByteArrayInputStream(file), empty(History.all(), "a", "c"), last))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tasks ([a, b]) are not those of the run");
    assertThatThrownBy(
            () ->
                HistoryBytes.read(
                    new ByteArrayInputStream(file),
                    new HistoryRecorder(
                        run.history().view().limit(), List.of("a", "b"), List.of(), Map.of()),
                    last))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("quantities ([target, deviation, rate]) are not those of the run");
    for (HistoryLimit other : List.of(History.all(), History.lastSteps(10), History.none())) {
      assertThatThrownBy(() -> read(file, other, last))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageEndingWith("cannot be those of a history");
    }
    BalancedStep earlier = run(History.all(), 20).recorder().last().orElseThrow();
    assertThatThrownBy(() -> read(file, run.history().view().limit(), earlier))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("last iteration (301) are not those of the run");
  }

  /** What there is no checksum against, as a file that somebody made. */
  @Test
  void damagedFiles_giveAnErrorOrAHistory() throws IOException {
    HistoryLimit limit = new HistoryLimit(Kind.THINNED, 64);
    SyntheticHistory run = run(limit, 300);
    BalancedStep last = run.recorder().last().orElseThrow();
    byte[] whole = bytes(run.history());
    ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Random random = new Random(6);
    long most = 0;
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] damaged =
          i % 3 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
      for (int flips = random.nextInt(5); flips > 0 && damaged.length > 0; flips--) {
        int at = i % 3 == 1 ? 4 : damaged.length;
        damaged[random.nextInt(Math.min(at, damaged.length))] ^= (byte) (1 << random.nextInt(8));
      }
      long before = memory.getCurrentThreadAllocatedBytes();
      try {
        bytes(read(damaged, limit, last).history());
      } catch (IOException | IllegalArgumentException expected) {
        refused++;
      }
      most = Math.max(most, memory.getCurrentThreadAllocatedBytes() - before);
    }
    System.out.printf(
        Locale.ROOT,
        "%d damaged histories: %d refused, %.1f MiB allocated at most%n",
        MUTATIONS,
        refused,
        most / 1048576.0);
    assertThat(refused).isGreaterThan(MUTATIONS / 3);
    assertThat(most).isLessThan(MOST_ALLOCATED);
  }
}
