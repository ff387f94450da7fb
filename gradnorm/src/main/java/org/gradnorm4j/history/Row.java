package org.gradnorm4j.history;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.gradnorm4j.weighting.Quantity;

/**
 * One task in one step of a {@link History}, as measured. Immutable; equal if all numbers are.
 *
 * <p>In a long run that was thinned, older rows stand for a section of several steps, two for each
 * task: the first has the smallest value of each number, the second the largest; see {@link
 * #steps()}.
 */
public final class Row {
  private final Columns columns;
  private final int iteration;
  private final int epoch;
  private final String task;
  private final double[] values;
  private final boolean present;
  private final boolean skipped;
  private final long steps;

  private Row(HistoryView history, int row, int task) {
    columns = history.columns();
    iteration = history.iteration(row);
    epoch = history.epoch(row);
    this.task = history.taskNames().get(task);
    int own = columns.share();
    values = new double[own + columns.ofStep().size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = history.value(row, task, i < own ? i : columns.firstOfStep() + i - own);
    }
    present = history.isPresent(row, task);
    skipped = history.isSkipped(row);
    steps = history.steps(row);
  }

  static Row of(HistoryView history, int row, int task) {
    return new Row(history, row, task);
  }

  /**
   * DL4J's iteration count.
   *
   * @return of the step; of a section that of its first step or, with the largest values, its last
   */
  public int iteration() {
    return iteration;
  }

  /**
   * DL4J's epoch count.
   *
   * @return as {@link #iteration()}
   */
  public int epoch() {
    return epoch;
  }

  /**
   * The task.
   *
   * @return its name
   */
  public String task() {
    return task;
  }

  /**
   * L<sub>i</sub>, mean over the minibatch.
   *
   * @return NaN if the task was absent
   */
  public double loss() {
    return values[Columns.LOSS];
  }

  /**
   * &lambda;<sub>i</sub> that the step was trained with.
   *
   * @return the loss weight
   */
  public double lossWeight() {
    return values[Columns.LOSS_WEIGHT];
  }

  /**
   * &#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214;.
   *
   * @return NaN if the task was absent
   */
  public double gradientNorm() {
    return values[Columns.GRADIENT_NORM];
  }

  /**
   * G<sub>i</sub> = |&lambda;<sub>i</sub>|&middot;&#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214;.
   *
   * @return NaN if the task was absent, or the step skipped
   */
  public double weightedGradientNorm() {
    return values[columns.weightedGradientNorm()];
  }

  /**
   * What the strategy reports.
   *
   * @param quantity one of the strategy's, or one that is recorded for every strategy
   * @return of this task or, if the quantity is of the step, the same for all tasks; NaN where the
   *     step has none
   * @throws IllegalArgumentException if it is not recorded; names those that are
   */
  public double value(Quantity quantity) {
    int column = columns.of(quantity);
    return values[column < columns.share() ? column : column - 1];
  }

  /**
   * Whether the minibatch had labels of the task.
   *
   * @return of a section: in all of its steps or, with the largest values, in any
   */
  public boolean present() {
    return present;
  }

  /**
   * Whether the step left the weights alone, as a value was not finite.
   *
   * @return of a section: all of its steps or, with the largest values, any
   */
  public boolean skipped() {
    return skipped;
  }

  /**
   * The steps this stands for.
   *
   * @return 1, or how many were merged into this row and its neighbour
   */
  public long steps() {
    return steps;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Row that
        && iteration == that.iteration
        && epoch == that.epoch
        && task.equals(that.task)
        && present == that.present
        && skipped == that.skipped
        && steps == that.steps
        && Arrays.equals(values, that.values)
        && columns.quantities().equals(that.columns.quantities());
  }

  @Override
  public int hashCode() {
    return Objects.hash(iteration, epoch, task, Arrays.hashCode(values));
  }

  /** One line: the numbers by their names in a file. */
  @Override
  public String toString() {
    StringBuilder text =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "iteration %d, epoch %d, %s: loss %.6g, loss weight %.6g, gradient norm %.6g, weighted gradient norm %.6g",
                iteration,
                epoch,
                task,
                loss(),
                lossWeight(),
                gradientNorm(),
                weightedGradientNorm()));
    List<Quantity> quantities = columns.quantities();
    for (Quantity quantity : quantities) {
      text.append(String.format(Locale.ROOT, ", %s %.6g", quantity.id(), value(quantity)));
    }
    text.append(present ? "" : ", absent").append(skipped ? ", skipped" : "");
    return text.append(steps == 1 ? "" : ", of " + steps + " steps").toString();
  }
}
