package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Report and charts of made-up histories. */
class GradNormReportTest {

  /** A million steps and ten tasks: the report stays small, and the spike is drawn. */
  @Test
  void millionSteps_areWrittenInBrief_withTheirLargestSpike(@TempDir Path folder) throws Exception {
    int spike = 654_321;
    SyntheticHistory run = new SyntheticHistory(SyntheticHistory.names(10)).steps(spike);
    double[] losses = new double[10];
    double[] norms = new double[10];
    Arrays.fill(losses, 0.5);
    Arrays.fill(norms, 0.5);
    norms[3] = 1e4 / run.lossWeights()[3]; // G = 1e4
    GradNormHistory history = run.step(losses, norms).steps(1_000_000 - spike - 1).history();
    assertThat(history.size()).isEqualTo(1_000_000);

    Path file = folder.resolve("report.html");
    history.writeReport(file);

    assertThat(Files.size(file)).isLessThan(3_000_000L);
    StepTable.View view = history.view();
    double largest = view.weightedGradientNorm(spike, 3);
    ChartLine line = GradNormChart.GRADIENT_NORMS.lines(view).get(3);
    assertThat(line.x().length).isLessThanOrEqualTo(2 * Extremes.SECTIONS + 2);
    int drawn = Arrays.binarySearch(line.x(), spike);
    assertThat(drawn).isNotNegative();
    assertThat(line.y()[drawn])
        .isEqualTo(largest)
        .isEqualTo(Arrays.stream(line.y()).max().orElse(0));
    assertThat(view.share(spike, 3)).isGreaterThan(0.99);
    ChartLine band = GradNormChart.GRADIENT_SHARES.lines(view).get(9 - 3);
    assertThat(band.y()[Arrays.binarySearch(band.x(), spike)]).isGreaterThan(0.99);
    Document report = parse(Files.readString(file));
    for (GradNormChart chart : GradNormChart.values()) {
      assertThat(dataPaths(report, chart)).as(chart.id()).hasSizeGreaterThanOrEqualTo(10);
    }
  }

  /** Every step is drawn while they are few; of many, the extremes of each section. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 999, 1000})
  void fewSteps_areAllDrawn(int steps) {
    StepTable.View view = new SyntheticHistory("a", "b").steps(steps).history().view();
    ChartLine line = GradNormChart.LOSS_WEIGHTS.lines(view).get(1);
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
    StepTable.View view = new SyntheticHistory("a", "b").steps(12_345).history().view();
    for (GradNormChart chart : List.of(GradNormChart.LOSS_WEIGHTS, GradNormChart.TRAINING_RATES)) {
      ChartLine line = chart.lines(view).get(0);
      assertThat(line.x()).startsWith(0).endsWith(12_344).isSorted();
      for (int begin = 0; begin + 50 <= 12_345; begin += 25) { // covers a whole section
        double max = Double.NEGATIVE_INFINITY;
        for (int step = begin; step < begin + 25; step++) {
          double value =
              chart == GradNormChart.LOSS_WEIGHTS
                  ? view.lossWeight(step, 0)
                  : view.relativeInverseTrainingRate(step, 0);
          max = Math.max(max, value);
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
    StepTable.View view = new SyntheticHistory("a", "b", "c").steps(7).history().view();
    List<ChartLine> bands = GradNormChart.GRADIENT_SHARES.lines(view);
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
    GradNormHistory history = new SyntheticHistory("a", "b").steps(20).history();
    Document report = parse(GradNormReport.of(history).toHtml());
    List<GradNormHistory.Row> last = history.rows().skip(38).toList();
    NodeList cells = byId(report, "last-step").getElementsByTagName("td");
    for (int task = 0; task < 2; task++) {
      assertThat(value(cells, 9 * task)).isEqualTo(last.get(task).loss());
      assertThat(value(cells, 9 * task + 2))
          .isEqualTo(last.get(task).relativeInverseTrainingRate());
      assertThat(value(cells, 9 * task + 3)).isEqualTo(last.get(task).gradientNorm());
      assertThat(value(cells, 9 * task + 4)).isEqualTo(last.get(task).lossWeight());
      assertThat(value(cells, 9 * task + 5)).isEqualTo(last.get(task).weightedGradientNorm());
      assertThat(value(cells, 9 * task + 6)).isEqualTo(last.get(task).targetGradientNorm());
    }
    double mean =
        history
            .rows()
            .filter(row -> row.task().equals("a"))
            .skip(15) // the last quarter of 20
            .mapToDouble(GradNormHistory.Row::lossWeight)
            .average()
            .orElseThrow();
    assertThat(byId(report, "static-weights").getTextContent())
        .isEqualTo(
            String.format(
                Locale.ROOT,
                "GradNorm.builder().pin(\"a\", %.6g).pin(\"b\", %.6g).build()",
                mean,
                2.0 - mean));
    assertThat(byId(report, "settings").getTextContent()).contains("alpha", "1.5");
    assertThat(report.getElementsByTagName("script").getLength()).isZero();
  }

  /** Names are text, whatever is in them; the page names no other resource. */
  @Test
  void report_escapesNames_andLoadsNothing() throws Exception {
    String name = "<script>alert('x')</script>&\"a task with a very long name\"";
    String html = GradNormReport.of(new SyntheticHistory(name, "b").steps(5).history()).toHtml();
    Document report = parse(html);
    assertThat(byId(report, "last-step").getElementsByTagName("th").item(10).getTextContent())
        .isEqualTo(name);
    assertThat(html).doesNotContain("<script");
    assertThat(html.replace("xmlns=\"http://www.w3.org/2000/svg\"", ""))
        .doesNotContain("http", "src=", "@import", "<link");
  }

  @Test
  void skippedSteps_areWarnedOf_andNotDrawn() throws Exception {
    GradNormHistory history =
        new SyntheticHistory("a", "b")
            .steps(3)
            .step(new double[] {Double.NaN, 1}, new double[] {1, Double.POSITIVE_INFINITY})
            .steps(3)
            .history();
    Document report = parse(GradNormReport.of(history).toHtml());
    assertThat(byId(report, "warnings").getTextContent().strip().lines())
        .containsExactly(
            "1 of 7 steps left the loss weights alone, as a value was not finite. The first was iteration 3.",
            "1 of 7 steps had a loss not finite, task 'a'. The first was iteration 3.",
            "1 of 7 steps had a gradient not finite, task 'b'. The first was iteration 3.");
    assertThat(GradNormChart.LOSS_RATIOS.lines(history.view()).get(0).x())
        .containsExactly(0, 1, 2, 4, 5, 6);
    assertThat(GradNormChart.LOSS_WEIGHTS.lines(history.view()).get(0).x()).hasSize(7);
  }

  /** A task that has labels in every other minibatch only still has its line. */
  @Test
  void absentTasks_areCounted_andTheirLinesConnected() throws Exception {
    SyntheticHistory run = new SyntheticHistory("a", "b");
    for (int i = 0; i < 3; i++) {
      run.steps(1).stepWithoutLastTask(0.5, 2.0);
    }
    Document report = parse(GradNormReport.of(run.history()).toHtml());
    assertThat(byId(report, "warnings").getTextContent().strip())
        .isEqualTo("3 of 6 steps had no labels of task 'b'. The first was iteration 1.");
    ChartLine line = GradNormChart.GRADIENT_NORMS.lines(run.history().view()).get(1);
    assertThat(line.x()).containsExactly(0, 2, 4);
    assertThat(run.history().view().share(1, 0)).isEqualTo(1.0);
  }

  /** Oracle: the steps' own ratios. */
  @Test
  void lossRatios_areThoseOfTheSteps() {
    SyntheticHistory run = new SyntheticHistory("a", "b", "c");
    List<double[]> ratios = new java.util.ArrayList<>();
    for (int i = 0; i < 5; i++) {
      run.steps(1);
      ratios.add(run.history().view().last().lossRatios());
    }
    List<ChartLine> lines = GradNormChart.LOSS_RATIOS.lines(run.history().view());
    for (int step = 0; step < 5; step++) {
      for (int task = 0; task < 3; task++) {
        assertThat(lines.get(task).y()[step]).isCloseTo(ratios.get(step)[task], within(1e-14));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void emptyAndTinyHistories_areDrawn(GradNormChart chart, @TempDir Path folder) throws Exception {
    for (int steps : new int[] {0, 1}) {
      GradNormHistory history = new SyntheticHistory("a", "b").steps(steps).history();
      Path file = folder.resolve(steps + ".png");
      chart.writePng(history, file);
      BufferedImage image = ImageIO.read(file.toFile());
      assertThat(image.getWidth()).isEqualTo(ChartDrawing.WIDTH);
      parse(chart.svg(history.view()));
    }
  }

  /** XChart cuts off a legend that is higher than the chart: the first task's entry would go. */
  @Test
  void legend_hasRoomForEveryTask(@TempDir Path folder) throws Exception {
    GradNormHistory history =
        new SyntheticHistory(SyntheticHistory.names(ChartTasks.MOST)).steps(3).history();
    for (Path file : history.writeCharts(folder)) {
      BufferedImage image = ImageIO.read(file.toFile());
      assertThat(linesOfText(image, 1140, 1190)).as(file.toString()).isEqualTo(ChartTasks.MOST);
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
    GradNormHistory history = new SyntheticHistory("a", "b").steps(300).history();
    List<Path> files = history.writeCharts(folder.resolve("new/charts"));
    assertThat(files)
        .extracting(file -> file.getFileName().toString())
        .containsExactly(
            "loss-weights.png",
            "gradient-norms.png",
            "loss-ratios.png",
            "training-rates.png",
            "gradient-shares.png");
    for (Path file : files) {
      BufferedImage image = ImageIO.read(file.toFile());
      assertThat(colored(image, 0x0072B2)).as(file + ": pixels of task a").isGreaterThan(200);
      assertThat(colored(image, 0xD55E00)).as(file + ": pixels of task b").isGreaterThan(200);
    }
  }

  private static int colored(BufferedImage image, int rgb) {
    int width = image.getWidth();
    int[] pixels = image.getRGB(0, 0, width, image.getHeight(), null, 0, width);
    return (int) Arrays.stream(pixels).filter(pixel -> (pixel & 0xFFFFFF) == rgb).count();
  }

  private static double value(NodeList cells, int index) {
    return Double.parseDouble(((Element) cells.item(index)).getAttribute("data-value"));
  }

  /** The page is XML but for its void elements. */
  private static Document parse(String html) throws Exception {
    String xml = html.replace("<!DOCTYPE html>", "").replaceAll("<(meta[^>]*)>", "<$1/>");
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
  }

  private static Element byId(Document document, String id) {
    NodeList all = document.getElementsByTagName("*");
    for (int i = 0; i < all.getLength(); i++) {
      if (((Element) all.item(i)).getAttribute("id").equals(id)) {
        return (Element) all.item(i);
      }
    }
    throw new AssertionError("no element " + id);
  }

  private static List<String> dataPaths(Document report, GradNormChart chart) {
    NodeList groups = byId(report, chart.id()).getElementsByTagName("g");
    for (int i = 0; i < groups.getLength(); i++) {
      if (((Element) groups.item(i)).hasAttribute("clip-path")) {
        NodeList paths = ((Element) groups.item(i)).getElementsByTagName("path");
        return java.util.stream.IntStream.range(0, paths.getLength())
            .mapToObj(p -> ((Element) paths.item(p)).getAttribute("d"))
            .filter(d -> d.split("L").length > 500)
            .toList();
      }
    }
    throw new AssertionError("no data in " + chart);
  }
}
