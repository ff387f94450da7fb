package org.gradnorm4j.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryView;
import org.gradnorm4j.persist.AtomicFile;
import org.gradnorm4j.weighting.Quantity;

/**
 * A picture of a {@link History}: one line, or one band, per task over the training steps, or one
 * line for a quantity of the step. The same picture in a report, as PNG, and on a live page.
 *
 * <p>Of more than a thousand steps not all are drawn: of each of 500 sections of the history, every
 * line keeps the smallest and the largest value, so that a spike of one step shows. The bands of
 * shares keep the steps of a section in which one task had most and least of the gradient. Of more
 * than 20 tasks not all have a line of their own: those have that reach the five largest and the
 * five smallest values of the chart; of the others the smallest, the median and the largest value
 * of each step are drawn in grey. The bands are those of the ten tasks that reach the largest
 * shares, and one of all others. The chart says so. Values that are not finite are left out. The
 * vertical axis is logarithmic if the values are positive and span more than two decades.
 *
 * <p>Drawn by AWT without a display; it needs a font on the system.
 */
public final class Chart {
  private static final String SHARES = "gradient-shares";

  private final HistoryView history;
  private final String id;
  private final String title;
  private final String yTitle;
  private final Quantity main;
  private final List<Quantity> drawnWith;

  private Chart(
      HistoryView history,
      String id,
      String title,
      String yTitle,
      Quantity main,
      List<Quantity> drawnWith) {
    this.history = history;
    this.id = id;
    this.title = title;
    this.yTitle = yTitle;
    this.main = main;
    this.drawnWith = drawnWith;
  }

  /**
   * All charts of the steps that a history has now: of the losses, the loss weights, the weighted
   * gradient norms and of every quantity of the strategy, each with what is {@linkplain
   * Quantity#drawnWith() drawn with it}, and of the tasks' shares in the gradient.
   *
   * @param history of any size; not modified
   * @return in this order; unmodifiable
   */
  public static List<Chart> of(History history) {
    return of(history.view());
  }

  static List<Chart> of(HistoryView history) {
    Map<Quantity, List<Quantity>> charts = new LinkedHashMap<>();
    charts.put(Quantity.LOSS, new ArrayList<>());
    charts.put(Quantity.LOSS_WEIGHT, new ArrayList<>());
    charts.put(Quantity.WEIGHTED_GRADIENT_NORM, new ArrayList<>());
    for (Quantity quantity : history.quantities()) {
      List<Quantity> with = charts.computeIfAbsent(chartOf(quantity), main -> new ArrayList<>());
      if (quantity.drawnWith().isPresent()) {
        with.add(quantity);
      }
    }
    List<Chart> all = new ArrayList<>();
    charts.forEach((main, with) -> all.add(new Chart(history, main, with)));
    all.add(
        new Chart(history, SHARES, "Shares of the gradient (stacked)", "G / ΣG", null, List.of()));
    return List.copyOf(all);
  }

  private Chart(HistoryView history, Quantity main, List<Quantity> drawnWith) {
    this(
        history,
        main.id().replace('_', '-'),
        title(main, drawnWith),
        main.symbol() + (main.unit().isEmpty() ? "" : " (" + main.unit() + ")"),
        main,
        drawnWith);
  }

  private static Quantity chartOf(Quantity quantity) {
    Quantity chart = quantity;
    while (chart.drawnWith().isPresent()) {
      chart = chart.drawnWith().get();
    }
    return chart;
  }

  private static String title(Quantity main, List<Quantity> drawnWith) {
    return drawnWith.isEmpty()
        ? main.name()
        : drawnWith.stream()
            .map(quantity -> lowerCase(quantity.name()))
            .collect(Collectors.joining(", ", main.name() + " (solid), ", " (dotted)"));
  }

  private static String lowerCase(String name) {
    return name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1);
  }

  /**
   * A name for files and for anchors of a page.
   *
   * @return the quantity's with hyphens, such as {@code loss-weight}, or {@code gradient-shares}
   */
  public String id() {
    return id;
  }

  /**
   * What the chart shows.
   *
   * @return its heading
   */
  public String title() {
    return title;
  }

  /**
   * Draws the chart as PNG, 1200 &times; 480 pixels.
   *
   * @param file created, or replaced when all is written
   * @throws IOException if the file cannot be written
   */
  public void writePng(Path file) throws IOException {
    ChartDrawing.Content drawing = drawing();
    AtomicFile.write(file, temporary -> ChartDrawing.writePng(drawing, temporary));
  }

  /** Draws the chart as an SVG element to stand in a page. */
  String svg() {
    return ChartDrawing.svg(drawing(), id);
  }

  /** What is drawn. */
  List<ChartLine> lines() {
    return isOfShares() ? ChartLine.stackedShares(history) : ChartLine.of(history, main, drawnWith);
  }

  /** What is drawn, and what is said of what is not. */
  ChartDrawing.Content drawing() {
    return new ChartDrawing.Content(
        title + grouped(),
        (history.increasing() ? "iteration" : "step") + thinned(),
        yTitle,
        isOfShares(),
        lines());
  }

  private boolean isOfShares() {
    return main == null;
  }

  /** What is to be said of tasks without a line of their own. */
  private String grouped() {
    boolean all = history.tasks() <= ChartTasks.MOST || !(isOfShares() || main.isPerTask());
    String those = isOfShares() ? "ten largest" : "extremes";
    return all
        ? ""
        : String.format(Locale.ROOT, ": %s of %,d tasks, others grey", those, history.tasks());
  }

  /** What is to be said of steps that are not drawn. */
  private String thinned() {
    String kept =
        isOfShares() ? "the least and the most unequal step" : "the smallest and the largest value";
    return history.size() <= 2 * Extremes.SECTIONS
        ? ""
        : String.format(Locale.ROOT, " (%s of each of %d sections)", kept, Extremes.SECTIONS);
  }

  /** The id. */
  @Override
  public String toString() {
    return id;
  }
}
