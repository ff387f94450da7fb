package org.gradnorm4j.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.gradnorm4j.history.Numbers;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** How charts look, by XChart. */
final class ChartDrawing {
  static final int WIDTH = 1200;
  private static final int HEIGHT = 480;

  /** Values that span more are drawn on a logarithmic axis. */
  private static final double LINEAR_SPAN = 100.0;

  private static final int LABEL_LENGTH = 24;

  /** Okabe and Ito's palette, which colour-blind people can tell apart too, and two more. */
  private static final Color[] COLORS = {
    new Color(0x0072B2),
    new Color(0xD55E00),
    new Color(0x009E73),
    new Color(0xCC79A7),
    new Color(0x000000),
    new Color(0xE69F00),
    new Color(0x56B4E9),
    new Color(0x8C510A),
    new Color(0xB8A800),
    new Color(0x7B3294)
  };

  /** Of the tasks without a line of their own. */
  private static final Color GREY = new Color(0xB4B4B4);

  /** The second ten tasks are dashed, and the median of the others. */
  private static final float[][] DASHES = {null, {8, 4}};

  private static final float[] DOTTED = {1, 4};

  /** More points than that on a line are close enough for a curve between them to look straight. */
  private static final int DENSE = 200;

  private static final Pattern LONG_NUMBER = Pattern.compile("(\\d+\\.\\d)\\d+");
  private static final Pattern CURVE = Pattern.compile("C\\S+ \\S+ (\\S+)");

  private ChartDrawing() {}

  /**
   * What to draw.
   *
   * @param title heading
   * @param xTitle label of the horizontal axis
   * @param yTitle label of the vertical axis
   * @param bands whether the lines are upper edges of bands in [0, 1], in the order of painting
   * @param lines may be empty
   */
  record Content(
      String title, String xTitle, String yTitle, boolean bands, List<ChartLine> lines) {}

  static void writePng(Content content, Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      ChartEncoder.saveChart(chart(content, DENSE), out, "png");
    }
  }

  /**
   * An {@code svg} element without what a file of its own would need, as wide as its place.
   *
   * @param id names of clip paths begin with it: a page has one name space for all charts
   */
  static String svg(Content content, String id) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      ChartEncoder.saveChart(chart(content, 0), out, "svg");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String file = out.toString(StandardCharsets.UTF_8);
    String body = straighten(file.substring(file.indexOf('>', file.indexOf("<svg")) + 1));
    return String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"%s\" viewBox=\"0 0 %d %d\">",
            Html.escape(content.title()),
            WIDTH,
            HEIGHT)
        + LONG_NUMBER
            .matcher(body)
            .replaceAll("$1")
            .replace("id=\"", "id=\"" + id + "-")
            .replace("url(#", "url(#" + id + "-");
  }

  /** Puts straight lines in the place of the curves of the data, which are clipped to the plot. */
  private static String straighten(String svg) {
    int begin = svg.indexOf("<g clip-path");
    int end = svg.indexOf("</g>", begin);
    return svg.substring(0, begin)
        + CURVE.matcher(svg.substring(begin, end)).replaceAll("L$1")
        + svg.substring(end);
  }

  /**
   * The chart.
   *
   * @param dense of lines with more points than this XChart draws a path, which a dash pattern
   *     needs and takes fewer characters; it has curves from point to point. Others are drawn piece
   *     by piece, straight
   */
  private static XYChart chart(Content content, int dense) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(content.title())
            .xAxisTitle(content.xTitle())
            .yAxisTitle(content.yTitle())
            .build();
    style(chart.getStyler());
    List<ChartLine> lines = content.lines();
    if (lines.isEmpty()) { // XChart cannot draw nothing
      lines =
          List.of(
              new ChartLine(
                  0, "no finite value yet", ChartLine.Kind.MAIN, new double[1], new double[1]));
    }
    boolean logarithmic = !content.bands() && isLogarithmic(lines);
    chart.getStyler().setYAxisLogarithmic(logarithmic);
    if (content.bands()) {
      chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.0);
    }
    useRoundTicks(chart, lines.get(0));
    for (ChartLine line : lines) {
      add(chart, line, content.bands()).setSmooth(line.x().length > dense);
    }
    return chart;
  }

  private static void style(XYStyler styler) {
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 14);
    styler.setBaseFont(font);
    styler.setChartTitleFont(font.deriveFont(Font.BOLD, 16));
    styler.setAxisTitleFont(font).setAxisTickLabelsFont(font.deriveFont(13f));
    styler.setLegendFont(font).setLegendPosition(LegendPosition.OutsideE);
    styler.setLegendBorderColor(Color.WHITE).setLegendSeriesLineLength(36);
    styler.setChartBackgroundColor(Color.WHITE).setPlotBackgroundColor(Color.WHITE);
    styler.setChartTitleBoxVisible(false).setPlotBorderVisible(false);
    styler.setPlotGridLinesColor(new Color(0xE4E4E4)).setPlotGridLinesStroke(new BasicStroke(1));
    styler.setPlotContentSize(0.98);
    styler.setXAxisTickMarkSpacingHint(110);
    styler.setXAxisTickLabelsFormattingFunction(ChartDrawing::iteration);
    styler.setYAxisLogarithmicDecadeOnly(true);
    styler.setLocale(Locale.ROOT).setMarkerSize(5);
  }

  /**
   * XChart puts the ticks on data, every 11th or so, where that is equally spaced; a series that is
   * not drawn prevents it.
   */
  private static void useRoundTicks(XYChart chart, ChartLine line) {
    double x = line.x()[0];
    double y = line.y()[0];
    chart
        .addSeries("ticks", new double[] {x, x + 0.25}, new double[] {y, y})
        .setShowInLegend(false)
        .setEnabled(false);
  }

  /** Nothing between two iterations, where ticks are when there are few. */
  private static String iteration(double x) {
    return x == Math.rint(x) ? String.format(Locale.ROOT, "%,.0f", x) : "";
  }

  private static XYSeries add(XYChart chart, ChartLine line, boolean band) {
    XYSeries series = chart.addSeries(line.kind() + " " + line.place(), line.x(), line.y());
    boolean dotted = line.kind() == ChartLine.Kind.DRAWN_WITH;
    boolean others = line.kind() == ChartLine.Kind.OTHERS;
    Color color = others ? GREY : COLORS[line.place() % COLORS.length];
    int dashes = others ? line.place() : line.place() / COLORS.length;
    float[] dash = dotted ? DOTTED : DASHES[dashes % DASHES.length];
    series.setLabel(Numbers.shortened(line.name(), LABEL_LENGTH));
    series.setShowInLegend(!dotted);
    series.setLineColor(color).setFillColor(color);
    series.setMarkerColor(color);
    series.setMarker(line.x().length == 1 ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
    series.setLineStyle(
        new BasicStroke(
            dotted ? 1.5f : 1.8f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_BEVEL, 1, dash, 0));
    if (band) {
      series.setXYSeriesRenderStyle(XYSeriesRenderStyle.Area);
    }
    return series;
  }

  private static boolean isLogarithmic(List<ChartLine> lines) {
    double min = lines.stream().flatMapToDouble(line -> Arrays.stream(line.y())).min().orElse(0);
    double max = lines.stream().flatMapToDouble(line -> Arrays.stream(line.y())).max().orElse(0);
    return min > 0.0 && max / min > LINEAR_SPAN;
  }
}
