package org.gradnorm4j.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryView;
import org.gradnorm4j.history.SyntheticHistory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** More tasks than a reader tells apart: what is drawn of them, and that the chart says so. */
class ManyTasksReportTest {
  private static final int TASKS = 200;

  @ParameterizedTest
  @ValueSource(ints = {20, 200, 300})
  void report_staysBelowThreeMegabytes_howeverManyStepsAndTasks(int tasks) {
    History history = new SyntheticHistory(SyntheticHistory.names(tasks)).steps(2_000).history();
    byte[] html = Report.of(history).toHtml().getBytes(StandardCharsets.UTF_8);
    assertThat(html.length).isLessThan(3_000_000);
  }

  @Test
  void upToTwentyTasks_haveALineEach_andNothingIsSaid() {
    HistoryView view = new SyntheticHistory(SyntheticHistory.names(20)).steps(5).history().view();
    for (Chart chart : Chart.of(view)) {
      int lines = chart.id().equals("deviation") ? 1 : 20;
      assertThat(kinds(chart.lines(), ChartLine.Kind.MAIN)).hasSize(lines);
      assertThat(kinds(chart.lines(), ChartLine.Kind.OTHERS)).isEmpty();
      assertThat(chart.drawing().title()).isEqualTo(chart.title());
      assertThat(chart.drawing().xTitle()).isEqualTo("iteration");
    }
  }

  /** Oracle: the smallest and the largest value of each task, sorted by brute force. */
  @Test
  void linesOfTheirOwn_areThoseOfTheLargestAndTheSmallestValues() {
    HistoryView view = history(40).view();
    double[] smallest = new double[TASKS];
    double[] largest = new double[TASKS];
    for (int task = 0; task < TASKS; task++) {
      int i = task;
      double[] all =
          IntStream.range(0, 40).mapToDouble(step -> view.weightedGradientNorm(step, i)).toArray();
      smallest[task] = Arrays.stream(all).min().orElseThrow();
      largest[task] = Arrays.stream(all).max().orElseThrow();
    }
    double fifthLargest = Arrays.stream(largest).sorted().toArray()[TASKS - 5];
    double fifthSmallest = Arrays.stream(smallest).sorted().toArray()[4];
    String[] expected =
        IntStream.range(0, TASKS)
            .filter(i -> largest[i] >= fifthLargest || smallest[i] <= fifthSmallest)
            .mapToObj(i -> "task " + i)
            .toArray(String[]::new);
    List<ChartLine> lines = Page.lines(view, "weighted-gradient-norm");
    assertThat(kinds(lines, ChartLine.Kind.MAIN))
        .extracting(ChartLine::name)
        .containsExactly(expected);
    assertThat(kinds(lines, ChartLine.Kind.DRAWN_WITH))
        .extracting(ChartLine::name)
        .containsExactly(expected);
    assertThat(kinds(lines, ChartLine.Kind.MAIN))
        .extracting(ChartLine::place)
        .doesNotHaveDuplicates();
  }

  /** Oracle: sorting the values of the tasks without a line, step by step. */
  @Test
  void others_areTheirSmallestMedianAndLargest() {
    HistoryView view = history(30).view();
    List<ChartLine> lines = Page.lines(view, "loss-weight");
    List<String> drawn = kinds(lines, ChartLine.Kind.MAIN).stream().map(ChartLine::name).toList();
    List<ChartLine> others = kinds(lines, ChartLine.Kind.OTHERS);
    int count = TASKS - drawn.size();
    assertThat(others)
        .extracting(ChartLine::name)
        .containsExactly(
            count + " others: smallest", count + " others: median", count + " others: largest");
    for (int step = 0; step < 30; step++) {
      int t = step;
      double[] values =
          IntStream.range(0, TASKS)
              .filter(task -> !drawn.contains("task " + task))
              .mapToDouble(task -> view.lossWeight(t, task))
              .sorted()
              .toArray();
      assertThat(others.get(0).y()[step]).isEqualTo(values[0]);
      assertThat(others.get(1).y()[step])
          .isEqualTo((values[(count - 1) / 2] + values[count / 2]) / 2);
      assertThat(others.get(2).y()[step]).isEqualTo(values[count - 1]);
    }
  }

  /** A spike of one step of one task is drawn under its name. */
  @Test
  void spike_hasItsName() {
    SyntheticHistory run = new SyntheticHistory(SyntheticHistory.names(TASKS)).steps(500);
    double[] losses = new double[TASKS];
    double[] norms = new double[TASKS];
    Arrays.fill(losses, 0.5);
    Arrays.fill(norms, 0.5);
    norms[77] = 1e9 / run.lossWeights()[77];
    HistoryView view = run.step(losses, norms).steps(800).history().view();
    ChartLine spike =
        Page.lines(view, "weighted-gradient-norm").stream()
            .filter(line -> line.name().equals("task 77") && line.kind() == ChartLine.Kind.MAIN)
            .findFirst()
            .orElseThrow();
    assertThat(Arrays.stream(spike.y()).max()).hasValue(view.weightedGradientNorm(500, 77));
    assertThat(Page.lines(view, "gradient-shares")).extracting(ChartLine::name).contains("task 77");
  }

  @Test
  void shares_stackToOne_withOneBandOfAllOthers() {
    HistoryView view = history(12).view();
    List<ChartLine> bands = Page.lines(view, "gradient-shares");
    assertThat(bands).hasSize(11);
    assertThat(bands.get(0).name()).isEqualTo("190 others");
    assertThat(bands.get(0).kind()).isEqualTo(ChartLine.Kind.OTHERS);
    for (int step = 0; step < 12; step++) {
      assertThat(bands.get(0).y()[step]).isCloseTo(1.0, within(1e-12));
      double drawn = 0.0;
      for (ChartLine band : bands.subList(1, 11)) {
        drawn += view.shares().of(step, Integer.parseInt(band.name().substring(5)));
      }
      assertThat(bands.get(1).y()[step]).isCloseTo(drawn, within(1e-12));
    }
  }

  /** What is left out is said where it is drawn, in the page and in the picture. */
  @Test
  void whatIsLeftOut_isSaid(@TempDir Path folder) throws Exception {
    History history = history(1_200);
    for (Chart chart : Chart.of(history)) {
      String others = chart.id().equals("deviation") ? "" : " of 200 tasks, others grey";
      assertThat(chart.drawing().title()).startsWith(chart.title()).endsWith(others);
      assertThat(chart.drawing().xTitle()).endsWith(" of each of 500 sections)");
      Path file = folder.resolve(chart.id());
      chart.writePng(file);
      assertThat(file).isNotEmptyFile();
    }
    assertThat(Report.of(history).toHtml())
        .contains("Of 200 tasks, those have a line of their own that reach the 5 largest")
        .contains("Of each of 500 sections of the run");
  }

  @Test
  void oneStep_isASingular() {
    String html = Report.of(new SyntheticHistory("a", "b").steps(1).history()).toHtml();
    assertThat(html).contains(">1 step recorded, iterations 0 to 0, epochs 0 to 0.<");
  }

  private static History history(int steps) {
    return new SyntheticHistory(SyntheticHistory.names(TASKS)).steps(steps).history();
  }

  private static List<ChartLine> kinds(List<ChartLine> lines, ChartLine.Kind kind) {
    return lines.stream().filter(line -> line.kind() == kind).toList();
  }
}
