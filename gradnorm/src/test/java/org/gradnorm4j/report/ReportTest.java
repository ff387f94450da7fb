package org.gradnorm4j.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryView;
import org.gradnorm4j.history.Row;
import org.gradnorm4j.history.SyntheticHistory;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Report and charts of made-up histories. */
class ReportTest {

  /** A million steps and ten tasks: the report stays small, and the spike is drawn. */
  @Test
  void millionSteps_areWrittenInBrief_withTheirLargestSpike(@TempDir Path folder) throws Exception {
    int spike = 654_321;
    SyntheticHistory run = new SyntheticHistory(SyntheticHistory.names(10)).steps(spike);
    double[] losses = new double[10];
    double[] norms = new double[10];
    Arrays.fill(losses, 0.5);
    Arrays.fill(norms, 0.5);
    norms[3] = 1e9 / run.lossWeights()[3];
    double largest = run.lossWeights()[3] * norms[3];
    History history = run.step(losses, norms).steps(1_000_000 - spike - 1).history();
    assertThat(history.steps()).isEqualTo(1_000_000);
    assertThat(history.size()).isLessThanOrEqualTo(100_000);

    Path file = folder.resolve("report.html");
    Report.of(history).write(file);

    assertThat(Files.size(file)).isLessThan(3_000_000L);
    HistoryView view = history.view();
    ChartLine line = Page.lines(view, "weighted-gradient-norm").get(3);
    assertThat(line.x().length).isLessThanOrEqualTo(2 * Extremes.SECTIONS + 2);
    assertThat(line.y()[drawnAt(line, spike, view.steps(0))])
        .isEqualTo(largest)
        .isEqualTo(Arrays.stream(line.y()).max().orElse(0));
    ChartLine band = Page.lines(view, "gradient-shares").get(9 - 3);
    assertThat(band.y()[drawnAt(band, spike, view.steps(0))]).isGreaterThan(0.99);
    Page report = new Page(Files.readString(file));
    assertThat(report.text("omissions"))
        .contains(
            "steps are kept one by one; of those before, the smallest and the largest values");
    for (Chart chart : Chart.of(history)) {
      assertThat(report.dataPaths(chart.id(), 500))
          .as(chart.id())
          .hasSizeGreaterThanOrEqualTo(chart.id().equals("deviation") ? 1 : 10);
    }
  }

  /** The point of the largest value, which is the spike's: not further from it than its section. */
  private static int drawnAt(ChartLine line, int spike, long section) {
    int largest = 0;
    for (int i = 0; i < line.y().length; i++) {
      largest = line.y()[i] > line.y()[largest] ? i : largest;
    }
    assertThat(line.x()[largest]).isBetween((double) spike, (double) spike + section);
    return largest;
  }

  /** Every step is drawn while they are few; of many, the extremes of each section. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 999, 1000})
  void fewSteps_areAllDrawn(int steps) {
    HistoryView view = new SyntheticHistory("a", "b").steps(steps).history().view();
    ChartLine line = Page.lines(view, "loss-weight").get(1);
    assertThat(line.name()).isEqualTo("b");
    assertThat(line.y()).hasSize(steps);
    for (int step = 0; step < steps; step++) {
      assertThat(line.x()[step]).isEqualTo(step);
      assertThat(line.y()[step]).isEqualTo(view.lossWeight(step, 1));
    }
  }

  /** Oracle: brute force over each section. */
  @Test
  void manySteps_keepTheExtremesOfEverySection() {
    HistoryView view = new SyntheticHistory("a", "b").steps(12_345).history().view();
    for (Quantity quantity : List.of(Quantity.LOSS_WEIGHT, SyntheticHistory.RATE)) {
      ChartLine line = Page.lines(view, quantity.id().replace('_', '-')).get(0);
      assertThat(line.x()).startsWith(0).endsWith(12_344).isSorted();
      for (int begin = 0; begin + 50 <= 12_345; begin += 25) { // covers a whole section
        double max = Double.NEGATIVE_INFINITY;
        for (int step = begin; step < begin + 25; step++) {
          max = Math.max(max, view.values(quantity).of(step, 0));
        }
        double drawn = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < line.x().length; i++) {
          if (line.x()[i] >= begin - 25 && line.x()[i] < begin + 50) {
            drawn = Math.max(drawn, line.y()[i]);
          }
        }
        assertThat(drawn).isGreaterThanOrEqualTo(max);
      }
    }
  }

  @Test
  void shares_areThoseOfTheNorms_andStackToOne() {
    HistoryView view = new SyntheticHistory("a", "b", "c").steps(7).history().view();
    List<ChartLine> bands = Page.lines(view, "gradient-shares");
    assertThat(bands).extracting(ChartLine::name).containsExactly("c", "b", "a");
    for (int step = 0; step < 7; step++) {
      double a = view.weightedGradientNorm(step, 0);
      double b = view.weightedGradientNorm(step, 1);
      double c = view.weightedGradientNorm(step, 2);
      assertThat(bands.get(2).y()[step]).isCloseTo(a / (a + b + c), within(1e-15));
      assertThat(bands.get(1).y()[step]).isCloseTo((a + b) / (a + b + c), within(1e-15));
      assertThat(bands.get(0).y()[step]).isCloseTo(1.0, within(1e-15));
    }
  }

  @Test
  void report_hasTheLastStepToTheLastDigit_andTheMeanWeights() throws Exception {
    SyntheticHistory run = new SyntheticHistory("a", "b").steps(20);
    Page report = Page.of(run.history());
    BalancedStep last = run.recorder().last().orElseThrow();
    for (Quantity quantity :
        List.of(
            Quantity.LOSS,
            Quantity.GRADIENT_NORM,
            Quantity.LOSS_WEIGHT,
            Quantity.WEIGHTED_GRADIENT_NORM,
            SyntheticHistory.TARGET,
            SyntheticHistory.RATE)) {
      assertThat(report.values(quantity.id()))
          .as(quantity.id())
          .containsExactly(last.values(quantity));
    }
    assertThat(report.values("deviation")).containsExactly(last.value(SyntheticHistory.DEVIATION));
    assertThat(report.values("next_loss_weight")).containsExactly(last.nextLossWeights());
    assertThat(report.values("gradient_share")[0])
        .isCloseTo(run.history().view().shares().of(19, 0), within(1e-15));
    double mean =
        run.history()
            .rows()
            .filter(row -> row.task().equals("a"))
            .skip(15) // the last quarter of 20
            .mapToDouble(Row::lossWeight)
            .average()
            .orElseThrow();
    assertThat(report.text("static-weights"))
        .isEqualTo(
            String.format(
                Locale.ROOT,
                "FixedWeights.of(Map.of(\"a\", %.6g, \"b\", %.6g))",
                mean,
                2.0 - mean));
    assertThat(report.text("settings")).contains("alpha", "1.5");
    assertThat(report.byId("steps").getAttribute("data-steps")).isEqualTo("20");
    assertThat(report.count("script")).isZero();
    assertThat(report.has("overhead")).isFalse();
    run.recorder().addNanos(1_000_000);
    run.recorder().addNanos(2_000_000);
    assertThat(Page.of(run.history()).text("overhead")).startsWith("1.500 ms per measured step");
  }

  /** Names are text, whatever is in them; the page names no other resource. */
  @Test
  void report_escapesNames_andLoadsNothing() throws Exception {
    String name = "<script>alert('x')</script>&\"a task with a very long name\"";
    String html = Report.of(new SyntheticHistory(name, "b").steps(5).history()).toHtml();
    assertThat(new Page(html).text("last-step")).contains(name);
    assertThat(html).doesNotContain("<script");
    assertThat(html.replace("xmlns=\"http://www.w3.org/2000/svg\"", ""))
        .doesNotContain("http", "src=", "@import", "<link");
  }

  @Test
  void skippedSteps_areWarnedOf_andNotDrawn() throws Exception {
    History history =
        new SyntheticHistory("a", "b")
            .steps(3)
            .step(new double[] {Double.NaN, 1}, new double[] {1, Double.POSITIVE_INFINITY})
            .steps(3)
            .history();
    Page report = Page.of(history);
    assertThat(report.text("warnings").lines())
        .containsExactly(
            "1 of 7 steps left the loss weights alone, as a value was not finite. The first was iteration 3.",
            "1 of 7 steps had a loss not finite, task 'a'. The first was iteration 3.",
            "1 of 7 steps had a gradient not finite, task 'b'. The first was iteration 3.");
    assertThat(Page.lines(history.view(), "rate").get(0).x()).containsExactly(0, 1, 2, 4, 5, 6);
    assertThat(Page.lines(history.view(), "loss-weight").get(0).x()).hasSize(7);
  }

  /** A task that has labels in every other minibatch only still has its line. */
  @Test
  void absentTasks_areCounted_andTheirLinesConnected() throws Exception {
    SyntheticHistory run = new SyntheticHistory("a", "b");
    for (int i = 0; i < 3; i++) {
      run.steps(1).stepWithoutLastTask(0.5, 2.0);
    }
    Page report = Page.of(run.history());
    assertThat(report.text("warnings"))
        .isEqualTo("3 of 6 steps had no labels of task 'b'. The first was iteration 1.");
    ChartLine line = Page.lines(run.history().view(), "weighted-gradient-norm").get(1);
    assertThat(line.x()).containsExactly(0, 2, 4);
    assertThat(run.history().view().shares().of(1, 0)).isEqualTo(1.0);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void emptyAndTinyHistories_areDrawn(int steps, @TempDir Path folder) throws Exception {
    History history = new SyntheticHistory("a", "b").steps(steps).history();
    for (Chart chart : Chart.of(history)) {
      Path file = folder.resolve(chart.id() + ".png");
      chart.writePng(file);
      BufferedImage image = ImageIO.read(file.toFile());
      assertThat(image.getWidth()).isEqualTo(ChartDrawing.WIDTH);
    }
    Page report = Page.of(history);
    assertThat(report.has("last-step")).isEqualTo(steps > 0);
    assertThat(report.has("static-weights")).isEqualTo(steps > 0);
  }

  /** A history that keeps nothing still has its last step, its counts and its settings. */
  @Test
  void withoutSteps_thePageSaysSo() throws Exception {
    SyntheticHistory run = new SyntheticHistory(History.none(), "a", "b").steps(7);
    run.step(new double[] {Double.NaN, 1}, new double[] {1, 1}).steps(1);
    Page report = Page.of(run.history());
    assertThat(report.text("steps"))
        .isEqualTo("9 steps recorded, iterations 0 to 8, epochs 0 to 0.");
    assertThat(report.text("omissions")).isEqualTo("No steps are kept, so the charts are empty.");
    assertThat(report.values("loss"))
        .containsExactly(run.recorder().last().orElseThrow().measurement().losses());
    assertThat(report.text("warnings")).contains("1 of 9 steps left the loss weights alone");
    assertThat(report.has("static-weights")).isFalse();
  }

  @Test
  void lastSteps_areSaidToBe() throws Exception {
    SyntheticHistory run = new SyntheticHistory(History.lastSteps(5), "a", "b").steps(7);
    Page report = Page.of(run.history());
    assertThat(report.text("steps")).startsWith("7 steps recorded, iterations 0 to 6");
    assertThat(report.text("omissions")).isEqualTo("At most the last 5 steps are kept.");
    assertThat(Page.lines(run.history().view(), "loss").get(0).x()).containsExactly(2, 3, 4, 5, 6);
  }

  /** Iterations that begin anew would be drawn one over the other. */
  @Test
  void historyThatGoesOnInAnotherNetwork_isDrawnByStep() {
    SyntheticHistory run = new SyntheticHistory("a", "b").steps(3);
    BalancedStep again = run.recorder().last().orElseThrow();
    run.recorder().add(again);
    run.recorder().add(again);
    HistoryView view = run.history().view();
    assertThat(Page.lines(view, "loss").get(0).x()).containsExactly(0, 1, 2, 3, 4);
    assertThat(Page.chart(view, "loss").drawing().xTitle()).isEqualTo("step");
  }

  /** XChart cuts off a legend that is higher than the chart: the first task's entry would go. */
  @Test
  void legend_hasRoomForEveryTask(@TempDir Path folder) throws Exception {
    History history =
        new SyntheticHistory(SyntheticHistory.names(ChartTasks.MOST)).steps(3).history();
    for (Path file : Report.of(history).writeCharts(folder)) {
      BufferedImage image = ImageIO.read(file.toFile());
      int entries = file.endsWith("deviation.png") ? 1 : ChartTasks.MOST;
      assertThat(linesOfText(image, 1140, 1190)).as(file.toString()).isEqualTo(entries);
    }
  }

  /** Counts the runs of rows that have ink between two columns. */
  private static int linesOfText(BufferedImage image, int left, int right) {
    int lines = 0;
    boolean inside = false;
    for (int y = 0; y < image.getHeight(); y++) {
      int[] row = image.getRGB(left, y, right - left, 1, null, 0, right - left);
      boolean ink = Arrays.stream(row).anyMatch(pixel -> (pixel & 0xFFFFFF) != 0xFFFFFF);
      lines += ink && !inside ? 1 : 0;
      inside = ink;
    }
    return lines;
  }

  @Test
  void writeCharts_writesOnePngEach(@TempDir Path folder) throws Exception {
    History history = new SyntheticHistory("a", "b").steps(300).history();
    List<Path> files = Report.of(history).writeCharts(folder.resolve("new/charts"));
    assertThat(files)
        .extracting(file -> file.getFileName().toString())
        .containsExactly(
            "loss.png",
            "loss-weight.png",
            "weighted-gradient-norm.png",
            "deviation.png",
            "rate.png",
            "gradient-shares.png");
    for (Path file : files) {
      BufferedImage image = ImageIO.read(file.toFile());
      assertThat(colored(image, 0x0072B2)).as(file + ": pixels of task a").isGreaterThan(200);
      if (!file.endsWith("deviation.png")) {
        assertThat(colored(image, 0xD55E00)).as(file + ": pixels of task b").isGreaterThan(200);
      }
    }
  }

  private static int colored(BufferedImage image, int rgb) {
    int width = image.getWidth();
    int[] pixels = image.getRGB(0, 0, width, image.getHeight(), null, 0, width);
    return (int) Arrays.stream(pixels).filter(pixel -> (pixel & 0xFFFFFF) == rgb).count();
  }
}
