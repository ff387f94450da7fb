package org.gradnorm4j.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.gradnorm4j.history.HistoryLimit.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A history as CSV and back. */
class HistoryCsvTest {
  private static final HistoryLimit SHORT = new HistoryLimit(Kind.THINNED, 64);

  private static HistoryRecorder empty(HistoryLimit limit, String... tasks) {
    return new HistoryRecorder(limit, List.of(tasks), SyntheticHistory.QUANTITIES, Map.of());
  }

  private static String csv(History history) throws IOException {
    StringBuilder csv = new StringBuilder();
    history.view().writeCsv(csv);
    return csv.toString();
  }

  @Test
  void header_andRows_areOfTheQuantities(@TempDir Path folder) throws IOException {
    SyntheticHistory run = new SyntheticHistory("a", "say \"b\", please").steps(2);
    run.stepWithoutLastTask(0.5, 2.0);
    Path file = folder.resolve("history.csv");
    run.history().writeCsv(file);
    List<String> lines = Files.readAllLines(file);
    assertThat(lines.get(0))
        .isEqualTo(
            "iteration,epoch,task,loss,loss_weight,gradient_norm,weighted_gradient_norm,target,deviation,rate,present,skipped,steps,gradient_share");
    assertThat(lines).hasSize(1 + 3 * 2);
    List<Row> rows = run.history().rows().toList();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      assertThat(lines.get(1 + i))
          .startsWith(
              String.join(
                  ",",
                  Integer.toString(row.iteration()),
                  "0",
                  i % 2 == 0 ? "a" : "\"say \"\"b\"\", please\"",
                  Double.toString(row.loss()),
                  Double.toString(row.lossWeight()),
                  Double.toString(row.gradientNorm()),
                  Double.toString(row.weightedGradientNorm()),
                  Double.toString(row.value(SyntheticHistory.TARGET)),
                  Double.toString(row.value(SyntheticHistory.DEVIATION)),
                  Double.toString(row.value(SyntheticHistory.RATE)),
                  Boolean.toString(i != 5),
                  "false,1,"));
    }
    assertThat(lines.get(6)).contains(",NaN,").endsWith(",false,false,1,0.0");
    assertThat(lines.get(5)).endsWith(",1.0");
  }

  /** Then both go on, and stay the same: nothing that matters was lost. */
  @ParameterizedTest
  @CsvSource({
    "0, ALL, 0",
    "700, ALL, 0",
    "700, LAST_STEPS, 50",
    "700, NONE, 0",
    "700, THINNED, 0",
    "700, THINNED, 64",
    "64, THINNED, 64",
    "67, THINNED, 64",
    "1201, THINNED, 100"
  })
  void readBack_isTheSame_andGoesOnTheSame(int steps, Kind kind, int kept) throws IOException {
    HistoryLimit limit = new HistoryLimit(kind, kept);
    SyntheticHistory run = new SyntheticHistory(limit, "a", "b").steps(steps / 2);
    run.step(new double[] {Double.NaN, 1}, new double[] {1, Double.POSITIVE_INFINITY});
    run.stepWithoutLastTask(0.5, 2.0).steps(steps - steps / 2);
    HistoryRecorder again = empty(limit, "a", "b");
    again.read(new StringReader(csv(run.history())), "file");
    again.restore(run.recorder().counts(), run.recorder().last().orElseThrow());
    assertSame(again, run.recorder());
    for (int i = 0; i < 300; i++) {
      run.steps(1);
      again.add(run.recorder().last().orElseThrow());
    }
    assertSame(again, run.recorder());
  }

  private static void assertSame(HistoryRecorder one, HistoryRecorder other) throws IOException {
    assertThat(one.history().rows()).containsExactlyElementsOf(other.history().rows().toList());
    assertThat(one.counts()).isEqualTo(other.counts());
    assertThat(one.last()).isEqualTo(other.last());
    HistoryView view = one.history().view();
    assertThat(view.exact()).isEqualTo(other.history().view().exact());
    assertThat(view.increasing()).isEqualTo(other.history().view().increasing());
    assertThat(view.lastIteration()).isEqualTo(other.history().view().lastIteration());
    assertThat(csv(one.history())).isEqualTo(csv(other.history()));
  }

  @Test
  void appendedRows_areReadAsOneFile() throws IOException {
    SyntheticHistory run = new SyntheticHistory("a", "b").steps(30);
    StringBuilder file = new StringBuilder(csv(run.history()));
    run.steps(20);
    run.history().view().appendCsv(file, 30);
    assertThat(file).hasToString(csv(run.history()));
    HistoryRecorder again = empty(SHORT, "a", "b");
    again.read(new StringReader(file.toString()), "file");
    assertThat(again.history().rows()).containsExactlyElementsOf(run.history().rows().toList());
    assertThat(again.counts()).isEqualTo(run.recorder().counts());
  }

  /** A limit that was made smaller since. */
  @Test
  void thinnedRows_areThinnedFurther_orLeftOut() throws IOException {
    SyntheticHistory run =
        new SyntheticHistory(new HistoryLimit(Kind.THINNED, 640), "a", "b").steps(5000);
    HistoryRecorder shorter = empty(SHORT, "a", "b");
    shorter.read(new StringReader(csv(run.history())), "file");
    assertThat(shorter.history().size()).isBetween(32, 64);
    assertThat(shorter.history().steps()).isEqualTo(5000);
    assertThat(
            shorter
                .history()
                .rows()
                .filter(row -> row.task().equals("b"))
                .mapToDouble(Row::loss)
                .max())
        .isEqualTo(
            run.history()
                .rows()
                .filter(row -> row.task().equals("b"))
                .mapToDouble(Row::loss)
                .max());
    HistoryRecorder last = empty(History.lastSteps(100), "a", "b");
    last.read(new StringReader(csv(run.history())), "file");
    List<Row> all = run.history().rows().toList();
    assertThat(last.history().rows())
        .containsExactlyElementsOf(all.subList(all.size() - 200, all.size()));
  }

  @ParameterizedTest
  @CsvSource({
    "'^iteration', 'iterations', 1, no header",
    "'\n1,', '\nx,', 4, 'For input string: \"x\"'",
    "',b,', ',c,', 3, no row of task b as expected",
    "',true,', ',yes,', 2, no true or false as expected",
    "'\n4,0,b.*\n', '\n', 10, no row of every task as expected",
    "'false,1,', 'false,2,', 3, no same steps as expected",
  })
  void otherFiles_areRefused_withTheRecord(String what, String by, int record, String message)
      throws IOException {
    String csv = csv(new SyntheticHistory("a", "b").steps(5).history()).replaceFirst(what, by);
    assertThatThrownBy(() -> empty(SHORT, "a", "b").read(new StringReader(csv), "run.csv"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("run.csv is no history of [a, b]: record " + record + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void sectionsOutOfPlace_areRefused() throws IOException {
    List<String> lines =
        csv(new SyntheticHistory(SHORT, "a").steps(300).history()).lines().toList();
    String single = lines.get(lines.size() - 1);
    String header = lines.get(0) + "\n";
    assertRefused(header + lines.get(1) + "\n", "no second row of a section");
    assertRefused(header + lines.get(1) + "\n" + single + "\n", "no second row of a section");
    assertRefused(
        header + single + "\n" + lines.get(1) + "\n" + lines.get(2) + "\n",
        "come before single steps");
  }

  private static void assertRefused(String csv, String message) {
    assertThatThrownBy(() -> empty(SHORT, "a").read(new StringReader(csv), "file"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(message);
  }

  @Test
  void countsOfAnotherRun_areRefused() throws IOException {
    SyntheticHistory run = new SyntheticHistory("a", "b").steps(9);
    HistoryRecorder again = empty(SHORT, "a", "b");
    again.read(new StringReader(csv(run.history())), "file");
    SyntheticHistory shorter = new SyntheticHistory("a", "b").steps(8);
    assertThatThrownBy(
            () ->
                again.restore(shorter.recorder().counts(), shorter.recorder().last().orElseThrow()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("counts of 8 steps and 2 tasks must fit 9 steps and 2 tasks");
    assertThatThrownBy(() -> again.restore(run.recorder().counts(), null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must be there if and only if there are steps (9)");
  }
}
