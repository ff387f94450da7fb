package org.gradnorm4j.history;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.gradnorm4j.weighting.Quantity;

/**
 * Which numbers are kept of a step, and where in its row. Columns are numbered: the first four of
 * every strategy, those of its own quantities per task, the share in the gradient, and last its
 * quantities of the step.
 *
 * <p>A step of its own is stored without weighted norm and share, which follow from the others; in
 * a merged section they do not.
 */
final class Columns {
  static final int LOSS = 0;
  static final int LOSS_WEIGHT = 1;
  static final int GRADIENT_NORM = 2;

  /** What is measured: the columns that are stored of every step come first. */
  private static final int MEASURED = 3;

  /** The name of a chart that every strategy has. */
  private static final String SHARES_CHART = "gradient_shares";

  private final List<String> taskNames;
  private final List<Quantity> quantities;
  private final List<Quantity> ofTask = new ArrayList<>();
  private final List<Quantity> ofStep = new ArrayList<>();

  /**
   * Of a strategy.
   *
   * @throws IllegalArgumentException if two columns would have the same name; says which
   */
  Columns(List<String> taskNames, List<Quantity> quantities) {
    this.taskNames = List.copyOf(taskNames);
    this.quantities = List.copyOf(quantities);
    Set<String> ids = new HashSet<>(HistoryCsv.header(List.of()));
    ids.add(SHARES_CHART);
    for (Quantity quantity : this.quantities) {
      if (!ids.add(quantity.id())) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "quantity '%s' cannot be recorded: the history has a column of that name. Give it another id",
                quantity.id()));
      }
      (quantity.isPerTask() ? ofTask : ofStep).add(quantity);
    }
  }

  List<String> taskNames() {
    return taskNames;
  }

  int tasks() {
    return taskNames.size();
  }

  /** In the strategy's order. */
  List<Quantity> quantities() {
    return quantities;
  }

  /** The strategy's that are per task, in the order of their columns. */
  List<Quantity> ofTask() {
    return ofTask;
  }

  /** The strategy's that are one number, in the order of their columns. */
  List<Quantity> ofStep() {
    return ofStep;
  }

  int firstOfTask() {
    return MEASURED;
  }

  int weightedGradientNorm() {
    return MEASURED + ofTask.size();
  }

  int share() {
    return weightedGradientNorm() + 1;
  }

  int firstOfStep() {
    return share() + 1;
  }

  /**
   * The column of a quantity.
   *
   * @throws IllegalArgumentException if there is none; says which there are
   */
  int of(Quantity quantity) {
    if (quantity.equals(Quantity.LOSS)) {
      return LOSS;
    }
    if (quantity.equals(Quantity.LOSS_WEIGHT)) {
      return LOSS_WEIGHT;
    }
    if (quantity.equals(Quantity.GRADIENT_NORM)) {
      return GRADIENT_NORM;
    }
    if (quantity.equals(Quantity.WEIGHTED_GRADIENT_NORM)) {
      return weightedGradientNorm();
    }
    if (!quantities.contains(quantity)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "quantity '%s' is not in this history. Its strategy reports %s",
              quantity.id(),
              quantities));
    }
    return quantity.isPerTask()
        ? firstOfTask() + ofTask.indexOf(quantity)
        : firstOfStep() + ofStep.indexOf(quantity);
  }

  /** The place of a number in the row of a step of its own; task is ignored where it has none. */
  int inStep(int task, int column) {
    return place(weightedGradientNorm(), task, column);
  }

  int stepWidth() {
    return tasks() * weightedGradientNorm() + ofStep.size();
  }

  /** The place of a number in a row of a section. */
  int inSection(int task, int column) {
    return place(firstOfStep(), task, column);
  }

  int sectionWidth() {
    return tasks() * firstOfStep() + ofStep.size();
  }

  private int place(int width, int task, int column) {
    return column < firstOfStep()
        ? task * width + column
        : tasks() * width + column - firstOfStep();
  }
}
