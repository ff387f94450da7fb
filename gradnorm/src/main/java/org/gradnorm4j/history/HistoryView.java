package org.gradnorm4j.history;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;

/**
 * The steps of a {@link History} at a moment, by number: rows from 0 to size &minus; 1, tasks as in
 * {@link #taskNames()}. Immutable; can be read while training goes on. Internal to the library: for
 * charts, report, live page and files. Users read {@link History#rows()}.
 *
 * <p>Rows before {@link #exact()} come in pairs, each of a section of steps that were merged: the
 * smallest values, then the largest. All others are one step each.
 */
public final class HistoryView {
  private final Columns columns;
  private final HistoryLimit limit;
  private final RowList.Snapshot sections;
  private final RowList.Snapshot open;
  private final RowList.Snapshot steps;
  private final long sectionSteps;
  private final long openSteps;
  private final HistoryCounts counts;
  private final boolean increasing;
  private final int lastIteration;
  private final int lastEpoch;
  private final BalancedStep last;

  HistoryView(
      Columns columns,
      HistoryLimit limit,
      RowList.Snapshot sections,
      RowList.Snapshot open,
      RowList.Snapshot steps,
      long sectionSteps,
      long openSteps,
      HistoryCounts counts,
      boolean increasing,
      int lastIteration,
      int lastEpoch,
      BalancedStep last) {
    this.columns = columns;
    this.limit = limit;
    this.sections = sections;
    this.open = open;
    this.steps = steps;
    this.sectionSteps = sectionSteps;
    this.openSteps = openSteps;
    this.counts = counts;
    this.increasing = increasing;
    this.lastIteration = lastIteration;
    this.lastEpoch = lastEpoch;
    this.last = last;
  }

  /** A number that a task has in a row. */
  @FunctionalInterface
  public interface Value {
    /**
     * The number.
     *
     * @param row from 0
     * @param task from 0; ignored if there is one number for all
     * @return NaN where there is none
     */
    double of(int row, int task);
  }

  /**
   * The tasks.
   *
   * @return their names; unmodifiable
   */
  public List<String> taskNames() {
    return columns.taskNames();
  }

  /**
   * How many tasks.
   *
   * @return &ge; 1
   */
  public int tasks() {
    return columns.tasks();
  }

  /**
   * What the strategy reports.
   *
   * @return in its order; unmodifiable
   */
  public List<Quantity> quantities() {
    return columns.quantities();
  }

  /**
   * How much is kept.
   *
   * @return the limit
   */
  public HistoryLimit limit() {
    return limit;
  }

  /**
   * What was counted of all steps.
   *
   * @return exact, whatever is kept
   */
  public HistoryCounts counts() {
    return counts;
  }

  /**
   * The rows that are kept.
   *
   * @return how many of each task
   */
  public int size() {
    return sections.size() + open.size() + steps.size();
  }

  /**
   * The first row from which on each is one step.
   *
   * @return from 0 to {@link #size()}, even
   */
  public int exact() {
    return sections.size() + open.size();
  }

  /**
   * The steps that a row stands for.
   *
   * @param row from 0
   * @return 1, or the steps of its section
   */
  public long steps(int row) {
    if (row < sections.size()) {
      return sectionSteps;
    }
    return row < exact() ? openSteps : 1;
  }

  /**
   * Which step of the run a row is, counted from 0; of a section the first one's for the smallest
   * values, the last one's for the largest.
   *
   * @param row from 0
   * @return from 0 to counts().steps() &minus; 1
   */
  public long number(int row) {
    long merged = sections.size() / 2 * sectionSteps + openSteps;
    long first = counts.steps() - merged - steps.size();
    if (row >= exact()) {
      return first + merged + row - exact();
    }
    long begin = row / 2 * sectionSteps;
    return first + (row % 2 == 0 ? begin : begin + steps(row) - 1);
  }

  /**
   * Whether the iteration tells steps apart.
   *
   * @return false if the history goes on in another network, so that it repeats
   */
  public boolean increasing() {
    return increasing;
  }

  /**
   * The iteration of the last step, kept or not.
   *
   * @return 0 if there is none yet
   */
  public int lastIteration() {
    return lastIteration;
  }

  /**
   * The epoch of the last step, kept or not.
   *
   * @return 0 if there is none yet
   */
  public int lastEpoch() {
    return lastEpoch;
  }

  /**
   * The last step.
   *
   * @return empty if there is none yet
   */
  public Optional<BalancedStep> last() {
    return Optional.ofNullable(last);
  }

  /**
   * DL4J's iteration count.
   *
   * @param row from 0
   * @return of its step; of a section that of its first step or, with the largest values, its last
   */
  public int iteration(int row) {
    return part(row).iteration(within(row));
  }

  /**
   * DL4J's epoch count.
   *
   * @param row from 0
   * @return as {@link #iteration}
   */
  public int epoch(int row) {
    return part(row).epoch(within(row));
  }

  /**
   * Whether the minibatch had labels of the task.
   *
   * @param row from 0
   * @param task from 0
   * @return in a section: in all of its steps or, with the largest values, in any
   */
  public boolean isPresent(int row, int task) {
    return (flags(row, task) & RowList.PRESENT) != 0;
  }

  /**
   * Whether the weights were left alone.
   *
   * @param row from 0
   * @return as {@link #isPresent}
   */
  public boolean isSkipped(int row) {
    return (flags(row, 0) & RowList.SKIPPED) != 0;
  }

  byte flags(int row, int task) {
    return part(row).flags(within(row), task);
  }

  /**
   * L<sub>i</sub>.
   *
   * @param row from 0
   * @param task from 0
   * @return NaN if there were no labels
   */
  public double loss(int row, int task) {
    return value(row, task, Columns.LOSS);
  }

  /**
   * &lambda;<sub>i</sub> that the step was trained with.
   *
   * @param row from 0
   * @param task from 0
   * @return any number
   */
  public double lossWeight(int row, int task) {
    return value(row, task, Columns.LOSS_WEIGHT);
  }

  /**
   * &#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214;.
   *
   * @param row from 0
   * @param task from 0
   * @return NaN if there were no labels
   */
  public double gradientNorm(int row, int task) {
    return value(row, task, Columns.GRADIENT_NORM);
  }

  /**
   * G<sub>i</sub>.
   *
   * @param row from 0
   * @param task from 0
   * @return NaN in a skipped step, and if there were no labels
   */
  public double weightedGradientNorm(int row, int task) {
    return value(row, task, columns.weightedGradientNorm());
  }

  /**
   * A quantity, to be asked for many numbers.
   *
   * @param quantity one of the strategy's, or one that is recorded for every strategy
   * @return its numbers
   * @throws IllegalArgumentException if it is not recorded; names those that are
   */
  public Value values(Quantity quantity) {
    int column = columns.of(quantity);
    return (row, task) -> value(row, task, column);
  }

  /**
   * Shares in the gradient.
   *
   * @return of all rows and tasks
   */
  public TaskShares shares() {
    return new TaskShares(this);
  }

  /**
   * Writes all as {@link History#writeCsv} does.
   *
   * @param out not closed
   * @throws IOException if it cannot be written
   */
  public void writeCsv(Appendable out) throws IOException {
    HistoryCsv.write(out, this);
  }

  Columns columns() {
    return columns;
  }

  /** Two rows each. */
  RowList.Snapshot sections() {
    return sections;
  }

  /** Two rows, or none. */
  RowList.Snapshot open() {
    return open;
  }

  RowList.Snapshot steps() {
    return steps;
  }

  long sectionSteps() {
    return sectionSteps;
  }

  long openSteps() {
    return openSteps;
  }

  double value(int row, int task, int column) {
    int step = row - exact();
    if (step < 0) {
      return part(row).cell(within(row), columns.inSection(task, column));
    }
    if (column == columns.weightedGradientNorm()) {
      return isSkipped(row)
          ? Double.NaN
          : Math.abs(lossWeight(row, task)) * gradientNorm(row, task);
    }
    return steps.cell(step, columns.inStep(task, column));
  }

  /** Of a section. */
  double storedShare(int row, int task) {
    return part(row).cell(within(row), columns.inSection(task, columns.share()));
  }

  private RowList.Snapshot part(int row) {
    if (row < sections.size()) {
      return sections;
    }
    return row < exact() ? open : steps;
  }

  private int within(int row) {
    if (row < sections.size()) {
      return row;
    }
    return row < exact() ? row - sections.size() : row - exact();
  }
}
