package org.gradnorm4j.examples;

import java.util.Locale;
import org.apache.commons.math3.util.FastMath;

/**
 * A target of a table as a task.
 *
 * @param name of the column
 * @param kind regression or classification
 * @param classes number of classes; 0 for a regression
 */
record TableTask(String name, TaskKind kind, int classes) {

  static TableTask of(String name, Table.Column column) {
    return column.isNumeric()
        ? new TableTask(name, TaskKind.REGRESSION, 0)
        : new TableTask(name, TaskKind.CLASSIFICATION, column.categories().size());
  }

  /** What is measured, in words. */
  String measure() {
    return kind == TaskKind.REGRESSION
        ? "root mean squared error on test rows, in the units of the file"
        : "share of test rows that are classified wrongly, " + classesInWords();
  }

  /**
   * The error on the test rows that have the target: of a regression the root of the mean squared
   * error in the units of the file, of a classification the share of wrong ones.
   *
   * @param scores of a network
   * @param output of the network, from 0
   * @param encoding of the target
   */
  double error(TaskScores scores, int output, TableEncoding.Column encoding) {
    return kind == TaskKind.REGRESSION
        ? encoding.deviation() * FastMath.sqrt(scores.losses()[output])
        : 1.0 - scores.accuracies()[output];
  }

  @Override
  public String toString() {
    return name
        + (kind == TaskKind.REGRESSION
            ? " (regression)"
            : String.format(Locale.ROOT, " (classification, %s)", classesInWords()));
  }

  private String classesInWords() {
    return Console.count(classes, "class", "classes");
  }
}
