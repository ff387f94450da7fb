package org.gradnorm4j.history;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;

/**
 * Fills a {@link History}. For balancers, and for whoever has steps from elsewhere, as from a file.
 * Mutable; may be used by several threads.
 */
public final class HistoryRecorder {
  private final StepTable table;
  private final History history;

  /**
   * Begins an empty history.
   *
   * @param limit how much is kept
   * @param taskNames at least one, in the order of the arrays of a step; copied
   * @param quantities what the strategy reports; copied
   * @param settings what a report tells of how the run was set up, in this order; copied
   * @throws IllegalArgumentException if there is no task, or two columns would have the same name
   */
  public HistoryRecorder(
      HistoryLimit limit,
      List<String> taskNames,
      List<Quantity> quantities,
      Map<String, String> settings) {
    if (taskNames.isEmpty()) {
      throw new IllegalArgumentException("taskNames ([]) must name a task");
    }
    table = new StepTable(new Columns(taskNames, quantities), limit);
    history = new History(table, settings);
  }

  StepTable table() {
    return table;
  }

  /**
   * Adds a step after the others.
   *
   * @param step of these tasks and quantities
   * @throws IllegalArgumentException if it has others
   */
  public void add(BalancedStep step) {
    check("tasks", step.measurement().taskNames(), history.taskNames());
    check("quantities", step.quantities(), history.quantities());
    table.add(step);
  }

  private static void check(String what, List<?> ofStep, List<?> ofHistory) {
    if (!ofStep.equals(ofHistory)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "step with %s %s must have those of the history, %s. Begin another history",
              what,
              ofStep,
              ofHistory));
    }
  }

  /**
   * Adds what a step took to measure and to decide.
   *
   * @param nanos its time
   */
  public void addNanos(long nanos) {
    history.addNanos(nanos);
  }

  /**
   * The run goes on with other settings.
   *
   * @param settings value by name; copied
   */
  public void settings(Map<String, String> settings) {
    history.settings(settings);
  }

  /**
   * What is recorded.
   *
   * @return always the same, read-only
   */
  public History history() {
    return history;
  }

  /**
   * The last step.
   *
   * @return empty if there is none yet
   */
  public Optional<BalancedStep> last() {
    return Optional.ofNullable(table.last());
  }

  /**
   * How much is kept.
   *
   * @return the limit
   */
  public HistoryLimit limit() {
    return table.limit();
  }

  /**
   * What was counted of all steps; for a file.
   *
   * @return exact, whatever is kept
   */
  public HistoryCounts counts() {
    return table.counts();
  }

  /**
   * Tells what cannot be seen from rows that were read.
   *
   * @param counts of all steps
   * @param lastStep null before the first
   * @throws IllegalArgumentException if the counts are of other tasks, or of fewer steps than were
   *     read; or if there is a last step and no step was counted, or the other way round
   */
  void restore(HistoryCounts counts, BalancedStep lastStep) {
    if ((lastStep == null) != (counts.steps() == 0)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "last step (%s) must be there if and only if there are steps (%d)",
              lastStep,
              counts.steps()));
    }
    table.restore(counts, lastStep);
  }
}
