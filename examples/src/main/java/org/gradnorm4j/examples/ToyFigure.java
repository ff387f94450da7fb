package org.gradnorm4j.examples;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.colors.ColorBlindFriendlySeriesColors;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * The two panels that the paper's Figure 2 has for the toy: the loss weights that GradNorm chose,
 * and the task-normalized test loss of each balancer. A line per seed; those of one task, or one
 * balancer, have one colour.
 */
final class ToyFigure {
  private static final int WIDTH = 560;
  private static final int HEIGHT = 400;
  private static final MathContext DIGITS = new MathContext(4);

  private static final Color[] COLORS = new ColorBlindFriendlySeriesColors().getSeriesColors();

  private static final float WIDTH_OF_LINE = 1.2f;
  private static final BasicStroke SOLID = new BasicStroke(WIDTH_OF_LINE);

  /** Of a line that has another line's colour. */
  private static final BasicStroke DASHED =
      new BasicStroke(
          WIDTH_OF_LINE,
          BasicStroke.CAP_BUTT,
          BasicStroke.JOIN_ROUND,
          1f,
          new float[] {6f, 3f},
          0f);

  private final double[] sigmas;
  private final List<TrainingCurve> curves = new ArrayList<>();

  /**
   * Empty.
   *
   * @param sigmas scales of the tasks, in their order
   */
  ToyFigure(double[] sigmas) {
    this.sigmas = sigmas;
  }

  /** A run that will be drawn. */
  TrainingCurve add(TrainingCurve curve) {
    curves.add(curve);
    return curve;
  }

  /** {@code figure.png}: the panels side by side. */
  Path write(RunFiles files) throws IOException {
    Path file = files.resolve("figure.png");
    BitmapEncoder.saveBitmap(
        List.of(lossWeights(), testLosses()), 1, 2, file.toString(), BitmapFormat.PNG);
    return file;
  }

  private XYChart lossWeights() {
    XYChart chart = chart("Loss weights, GradNorm", "λ");
    for (TrainingCurve curve : curves) {
      if (curve.balancer().isGradNorm()) {
        List<String> tasks = List.copyOf(curve.points().get(0).lossWeights().keySet());
        for (int i = 0; i < sigmas.length; i++) {
          String task = tasks.get(i);
          String label = "σ = " + new BigDecimal(sigmas[i]).round(DIGITS).toPlainString();
          add(chart, curve, "task " + i, label, i, point -> point.lossWeights().get(task));
        }
      }
    }
    return chart;
  }

  private XYChart testLosses() {
    XYChart chart = chart("Test loss, Σ L / L(0)", "Σ L / L(0)");
    List<Balancer> balancers = curves.stream().map(TrainingCurve::balancer).distinct().toList();
    for (TrainingCurve curve : curves) {
      String name = curve.balancer().toString();
      int color = balancers.indexOf(curve.balancer());
      add(chart, curve, name, name, color, TrainingCurve.Point::normalizedLoss);
    }
    return chart;
  }

  private static XYChart chart(String title, String yTitle) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle("training step")
            .yAxisTitle(yTitle)
            .build();
    XYStyler styler = chart.getStyler();
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    styler.setBaseFont(font);
    styler.setChartTitleFont(font.deriveFont(Font.BOLD, 14));
    styler.setLegendPosition(LegendPosition.OutsideE).setLegendBorderColor(Color.WHITE);
    styler.setChartBackgroundColor(Color.WHITE).setPlotBackgroundColor(Color.WHITE);
    styler.setChartTitleBoxVisible(false).setPlotBorderVisible(false);
    styler.setLocale(Locale.ROOT);
    return chart;
  }

  /** Values that are not finite are left out; the legend has each label once. */
  private static void add(
      XYChart chart,
      TrainingCurve curve,
      String name,
      String label,
      int color,
      ToDoubleFunction<TrainingCurve.Point> value) {
    List<TrainingCurve.Point> finite =
        curve.points().stream()
            .filter(point -> Double.isFinite(value.applyAsDouble(point)))
            .toList();
    if (finite.isEmpty()) {
      return;
    }
    boolean first = chart.getSeries(name) == null;
    XYSeries line =
        chart.addSeries(
            first ? name : name + ", line " + chart.getSeriesCollection().size(),
            finite.stream().mapToDouble(TrainingCurve.Point::step).toArray(),
            finite.stream().mapToDouble(value).toArray());
    line.setLabel(label);
    line.setShowInLegend(first);
    line.setMarker(SeriesMarkers.NONE);
    line.setLineColor(COLORS[color % COLORS.length]);
    line.setLineStyle(color < COLORS.length ? SOLID : DASHED);
  }
}
