package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A picture of a {@link GradNormHistory}: one line, or one band, per task over the training steps.
 * The same picture in a report, as PNG, and on a live page.
 *
 * <p>Of more than a thousand steps not all are drawn: of each of 500 sections of the history, every
 * line keeps the smallest and the largest value, so that a spike of one step shows. The bands of
 * {@link #GRADIENT_SHARES} keep the steps of a section in which one task had most and least of the
 * gradient. Of more than 20 tasks not all have a line of their own: those have that reach the five
 * largest and the five smallest values of the chart; of the others the smallest, the median and the
 * largest value of each step are drawn in grey. The bands are those of the ten tasks that reach the
 * largest shares, and one of all others. The chart says so. Values that are not finite are left
 * out. The vertical axis is logarithmic if the values are positive and span more than two decades.
 *
 * <p>Drawn by AWT without a display; it needs a font on the system.
 */
public enum GradNormChart {
  /** Loss weights &lambda;<sub>i</sub>. */
  LOSS_WEIGHTS("loss-weights", "Loss weights", "λ") {
    @Override
    List<ChartLine> lines(StepTable.View history) {
      return ChartLine.perTask(history, history::lossWeight);
    }
  },

  /** Weighted gradient norms G<sub>i</sub>, solid, and their targets, dotted. */
  GRADIENT_NORMS("gradient-norms", "Weighted gradient norms (solid), their targets (dotted)", "G") {
    @Override
    List<ChartLine> lines(StepTable.View history) {
      return ChartLine.withTargets(
          history, history::weightedGradientNorm, history::targetGradientNorm);
    }
  },

  /** Losses over the initial ones, L<sub>i</sub>/L<sub>i</sub>(0). */
  LOSS_RATIOS("loss-ratios", "Losses over the initial losses", "L / L(0)") {
    @Override
    List<ChartLine> lines(StepTable.View history) {
      return ChartLine.perTask(history, history::lossRatio);
    }
  },

  /** Relative inverse training rates r<sub>i</sub>; above 1: behind the others. */
  TRAINING_RATES(
      "training-rates", "Relative inverse training rates (above 1: behind the others)", "r") {
    @Override
    List<ChartLine> lines(StepTable.View history) {
      return ChartLine.perTask(history, history::relativeInverseTrainingRate);
    }
  },

  /** Shares G<sub>i</sub> / &Sigma; G<sub>j</sub> of the tasks in the gradient, stacked. */
  GRADIENT_SHARES("gradient-shares", "Shares of the gradient (stacked)", "G / ΣG") {
    @Override
    List<ChartLine> lines(StepTable.View history) {
      return ChartLine.stackedShares(history);
    }
  };

  private final String id;
  private final String title;
  private final String quantity;

  GradNormChart(String id, String title, String quantity) {
    this.id = id;
    this.title = title;
    this.quantity = quantity;
  }

  /** What is drawn. */
  abstract List<ChartLine> lines(StepTable.View history);

  /**
   * A name for files and for anchors of a page.
   *
   * @return such as {@code loss-weights}
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
   * @param history of any size; not modified
   * @param file created, or replaced when all is written
   * @throws IOException if the file cannot be written
   */
  public void writePng(GradNormHistory history, Path file) throws IOException {
    ChartDrawing.Content drawing = drawing(history.view());
    AtomicFile.write(file, temporary -> ChartDrawing.writePng(drawing, temporary));
  }

  /** Draws the chart as an SVG element to stand in a page. */
  String svg(StepTable.View history) {
    return ChartDrawing.svg(drawing(history), id);
  }

  /** What is drawn, and what is said of what is not. */
  ChartDrawing.Content drawing(StepTable.View history) {
    return new ChartDrawing.Content(
        title + grouped(history),
        (history.increasing() ? "iteration" : "step") + thinned(history),
        quantity,
        this == GRADIENT_SHARES,
        lines(history));
  }

  /** What is to be said of tasks without a line of their own. */
  private String grouped(StepTable.View history) {
    String those = this == GRADIENT_SHARES ? "ten largest" : "extremes";
    return history.tasks() <= ChartTasks.MOST
        ? ""
        : String.format(Locale.ROOT, ": %s of %,d tasks, others grey", those, history.tasks());
  }

  /** What is to be said of steps that are not drawn. */
  private String thinned(StepTable.View history) {
    String kept =
        this == GRADIENT_SHARES
            ? "the least and the most unequal step"
            : "the smallest and the largest value";
    return history.size() <= 2 * Extremes.SECTIONS
        ? ""
        : String.format(Locale.ROOT, " (%s of each of %d sections)", kept, Extremes.SECTIONS);
  }
}
