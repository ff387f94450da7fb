package org.gradnorm4j.history;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.commons.math3.stat.descriptive.SummaryStatistics;
import org.apache.commons.math3.stat.descriptive.SynchronizedSummaryStatistics;
import org.gradnorm4j.persist.AtomicFile;
import org.gradnorm4j.weighting.Quantity;

/**
 * What a training run recorded: rows of one step and task, to be read while training goes on, in
 * any thread. It grows as the run does; nobody but the balancer changes it.
 *
 * <pre>{@code
 * balancer.history().writeCsv(Path.of("history.csv"));
 * Report.of(balancer.history()).write(Path.of("report.html"));
 * }</pre>
 *
 * <p>How much is kept is chosen when the balancer is built: {@link #all()}, {@link #lastSteps} or
 * {@link #none()}. By default a history keeps every step up to a number of them ({@link
 * HistoryLimit#byDefault()}). Beyond it, at least the newer half of as many steps stays as it is.
 * Older steps are merged into sections, each as long as the others. Of a section two rows stay for
 * each task: one with the smallest value of every number, one with the largest. So no minimum and
 * no maximum of a run is lost, and the memory is bounded however long it is. {@link Row#steps()}
 * tells such rows. Steps, and what a report warns of, are counted exactly in any case.
 *
 * <p>Numbers are kept as they are: 8 bytes each, with T tasks and GradNorm's four quantities 49 T +
 * 16 bytes a step.
 */
public final class History {
  private final StepTable table;
  private final SummaryStatistics nanos = new SynchronizedSummaryStatistics();
  private volatile Map<String, String> settings;

  History(StepTable table, Map<String, String> settings) {
    this.table = table;
    settings(settings);
  }

  /**
   * Keeps every step: memory grows with the run.
   *
   * @return a limit
   */
  public static HistoryLimit all() {
    return new HistoryLimit(HistoryLimit.Kind.ALL, 0);
  }

  /**
   * Keeps the newest steps.
   *
   * @param steps how many, &ge; 1
   * @return a limit
   * @throws IllegalArgumentException if steps is less than 1
   */
  public static HistoryLimit lastSteps(int steps) {
    return new HistoryLimit(HistoryLimit.Kind.LAST_STEPS, steps);
  }

  /**
   * Keeps no step but the last; counts all.
   *
   * @return a limit
   */
  public static HistoryLimit none() {
    return new HistoryLimit(HistoryLimit.Kind.NONE, 0);
  }

  /**
   * The tasks, in the order of the rows of a step.
   *
   * @return their names; unmodifiable
   */
  public List<String> taskNames() {
    return table.columns().taskNames();
  }

  /**
   * What the strategy reports of a step, beside losses, weights and norms.
   *
   * @return in its order; unmodifiable
   */
  public List<Quantity> quantities() {
    return table.columns().quantities();
  }

  /**
   * How the run was set up, as a report tells it.
   *
   * @return value by name, in the order of reading; unmodifiable
   */
  public Map<String, String> settings() {
    return settings;
  }

  void settings(Map<String, String> others) {
    settings = Collections.unmodifiableMap(new LinkedHashMap<>(others));
  }

  void addNanos(long ofStep) {
    nanos.addValue(ofStep);
  }

  /**
   * What a step costs: the mean time of measuring and deciding.
   *
   * @return milliseconds; NaN if they are not known, as of a history from a file
   */
  public double meanMilliseconds() {
    return nanos.getMean() / 1e6;
  }

  /**
   * How much is kept.
   *
   * @return rows of each task: steps, or two for each section of merged steps
   */
  public int size() {
    return table.size();
  }

  /**
   * How much was recorded, kept or not.
   *
   * @return steps of the run so far
   */
  public long steps() {
    return table.stepsInAll();
  }

  /**
   * All rows that are kept, step by step and in the order of the tasks within a step.
   *
   * @return a stream over what was recorded when it was asked for
   */
  public Stream<Row> rows() {
    HistoryView view = view();
    int tasks = view.tasks();
    return LongStream.range(0, (long) view.size() * tasks)
        .mapToObj(index -> Row.of(view, (int) (index / tasks), (int) (index % tasks)));
  }

  /**
   * Writes all rows as CSV (RFC 4180, UTF-8). The header is {@code
   * iteration,epoch,task,loss,loss_weight,gradient_norm,weighted_gradient_norm}, then the id of
   * each of the {@link #quantities()}, then {@code present,skipped,steps,gradient_share}: {@link
   * Row#steps()}, and G<sub>i</sub> / &Sigma; G<sub>j</sub>. A quantity of the step is repeated for
   * every task. Numbers have all their digits.
   *
   * @param file created, or replaced when all is written
   * @throws IOException if the file cannot be written
   */
  public void writeCsv(Path file) throws IOException {
    HistoryView view = view();
    AtomicFile.write(
        file,
        temporary -> {
          try (BufferedWriter out = Files.newBufferedWriter(temporary)) {
            view.writeCsv(out);
          }
        });
  }

  /**
   * A snapshot by number, for those who draw or save it. Internal to the library.
   *
   * @return what is kept now; does not change
   */
  public HistoryView view() {
    return table.view();
  }

  /** Tasks, steps, and how the run was set up. */
  @Override
  public String toString() {
    HistoryView view = view();
    long steps = view.counts().steps();
    String extent =
        steps == 0
            ? "no step yet"
            : String.format(
                Locale.ROOT,
                "%d %s, iterations %d to %d",
                steps,
                steps == 1 ? "step" : "steps",
                view.counts().firstIteration(),
                view.lastIteration());
    return String.format(
        Locale.ROOT, "History[tasks %s, %s, settings %s]", taskNames(), extent, settings);
  }
}
