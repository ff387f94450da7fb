package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.math3.stat.descriptive.SummaryStatistics;
import org.apache.commons.math3.stat.descriptive.SynchronizedSummaryStatistics;

/**
 * Every step of a training run, one row per step and task. Kept in memory as plain numbers, 41
 * bytes a row and 16 a step; may be read while training goes on in another thread.
 */
public final class GradNormHistory {
  private final List<String> taskNames;
  private volatile Map<String, String> settings;
  private final StepTable steps;
  private final SummaryStatistics nanos = new SynchronizedSummaryStatistics();

  /**
   * An empty history, to be filled from steps that were recorded elsewhere. The history of a
   * training run is {@link GradNorm#history()}.
   *
   * @param taskNames in the order of the arrays of a step; copied
   * @param settings what a report tells of how the run was set up, in this order; copied
   */
  public GradNormHistory(List<String> taskNames, Map<String, String> settings) {
    this.taskNames = List.copyOf(taskNames);
    settings(settings);
    steps = new StepTable(this.taskNames);
  }

  /**
   * One task in one step, as measured. In a step that was skipped (see {@link
   * GradNormStep#skipped()}) the last three numbers are NaN; of an absent task the loss and the
   * gradient norm are NaN, too.
   *
   * @param iteration DL4J's iteration count
   * @param epoch DL4J's epoch count
   * @param task name of the task
   * @param loss L<sub>i</sub>, mean over the minibatch
   * @param lossWeight &lambda;<sub>i</sub> the step was trained with
   * @param gradientNorm &#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214;
   * @param weightedGradientNorm G<sub>i</sub>
   * @param targetGradientNorm mean of G &middot; r<sub>i</sub><sup>&alpha;</sup>
   * @param relativeInverseTrainingRate r<sub>i</sub>
   * @param present whether the minibatch had labels of the task
   * @param skipped whether the step was skipped
   */
  public record Row(
      int iteration,
      int epoch,
      String task,
      double loss,
      double lossWeight,
      double gradientNorm,
      double weightedGradientNorm,
      double targetGradientNorm,
      double relativeInverseTrainingRate,
      boolean present,
      boolean skipped) {}

  /**
   * Adds a step after the others.
   *
   * @param step of these tasks
   * @throws IllegalArgumentException if it has other tasks
   */
  public void add(GradNormStep step) {
    if (!step.measurement().taskNames().equals(taskNames)) {
      throw new IllegalArgumentException(
          "step of "
              + step.measurement().taskNames()
              + " must have the tasks of the history "
              + taskNames
              + ". Begin another history");
    }
    steps.add(step);
  }

  /**
   * The tasks, in the order of the rows of a step.
   *
   * @return their names; unmodifiable
   */
  public List<String> taskNames() {
    return taskNames;
  }

  /**
   * How the run was set up, as {@link #writeReport} tells it.
   *
   * @return name and value of each setting; unmodifiable
   */
  public Map<String, String> settings() {
    return settings;
  }

  /** The run goes on with others; copied. */
  void settings(Map<String, String> others) {
    settings = Collections.unmodifiableMap(new LinkedHashMap<>(others));
  }

  /** Time that a step spent on measuring and on the rule. */
  void addNanos(long nanos) {
    this.nanos.addValue(nanos);
  }

  /** Mean of those times in ms; NaN if they are not known. */
  double meanMilliseconds() {
    return nanos.getMean() / 1e6;
  }

  StepTable.View view() {
    return steps.view();
  }

  /**
   * The number of steps recorded.
   *
   * @return steps so far
   */
  public int size() {
    return steps.size();
  }

  /**
   * All rows so far, step by step and in the order of the tasks within a step.
   *
   * @return a stream over the steps that were recorded when it was asked for
   */
  public Stream<Row> rows() {
    StepTable.View view = steps.view();
    int tasks = taskNames.size();
    return IntStream.range(0, view.size() * tasks)
        .mapToObj(index -> row(view, index / tasks, index % tasks));
  }

  private Row row(StepTable.View view, int step, int task) {
    return new Row(
        view.iteration(step),
        view.epoch(step),
        taskNames.get(task),
        view.loss(step, task),
        view.lossWeight(step, task),
        view.gradientNorm(step, task),
        view.weightedGradientNorm(step, task),
        view.targetGradientNorm(step, task),
        view.relativeInverseTrainingRate(step, task),
        view.isPresent(step, task),
        view.isSkipped(step));
  }

  /**
   * Writes all rows as CSV (RFC 4180, UTF-8) with the header {@code
   * iteration,epoch,task,loss,loss_weight,gradient_norm,weighted_gradient_norm,target_gradient_norm,relative_inverse_training_rate,mean_loss_ratio,present,skipped}.
   * Numbers have all their digits.
   *
   * @param file created, or replaced when all is written
   * @throws IOException if the file cannot be written
   */
  public void writeCsv(Path file) throws IOException {
    AtomicFile.write(file, temporary -> HistoryCsv.write(temporary, view()));
  }

  /**
   * Reads back what {@link #writeCsv} wrote.
   *
   * @param lastStep null before the first
   */
  void read(Reader csv, String name, GradNormStep lastStep) throws IOException {
    HistoryCsv.read(csv, name, taskNames, steps);
    if (lastStep == null && steps.size() > 0) {
      throw new IOException(name + " has steps, where there should be none");
    }
    steps.last(lastStep);
  }

  /**
   * Writes a page to keep: one HTML file that needs no other and no network, with all {@link
   * GradNormChart charts}, the last step, the settings, and weights to train with as constants. See
   * {@link GradNormReport}.
   *
   * @param file created, or replaced when all is written
   * @throws IOException if the file cannot be written
   */
  public void writeReport(Path file) throws IOException {
    String html = GradNormReport.of(this).toHtml();
    AtomicFile.write(file, temporary -> Files.writeString(temporary, html));
  }

  /**
   * Writes each chart as a PNG file, named {@code loss-weights.png} and so on.
   *
   * @param folder created if it does not exist
   * @return the files, in the order of {@link GradNormChart}
   * @throws IOException if a file cannot be written
   */
  public List<Path> writeCharts(Path folder) throws IOException {
    Files.createDirectories(folder);
    List<Path> files = new ArrayList<>();
    for (GradNormChart chart : GradNormChart.values()) {
      Path file = folder.resolve(chart.id() + ".png");
      chart.writePng(this, file);
      files.add(file);
    }
    return files;
  }

  /** Tasks, steps, and how the run was set up. */
  @Override
  public String toString() {
    StepTable.View view = view();
    String extent =
        view.size() == 0
            ? "no step yet"
            : String.format(
                Locale.ROOT,
                "%d steps, iterations %d to %d",
                view.size(),
                view.iteration(0),
                view.iteration(view.size() - 1));
    return String.format(
        Locale.ROOT, "GradNormHistory[tasks %s, %s, settings %s]", taskNames, extent, settings);
  }
}
