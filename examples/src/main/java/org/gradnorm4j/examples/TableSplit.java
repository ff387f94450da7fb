package org.gradnorm4j.examples;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.commons.math3.random.Well19937c;
import org.apache.commons.math3.util.MathArrays;

/**
 * The rows of a table that are trained on, and those that are not.
 *
 * @param train indices
 * @param test indices
 */
record TableSplit(int[] train, int[] test) {

  /** The rows of each file; of those without any target, which teach nothing, none. */
  static TableSplit ofFiles(Table table, int[] usable) {
    return new TableSplit(
        Arrays.stream(usable).filter(row -> row < table.trainRows()).toArray(),
        Arrays.stream(usable).filter(row -> row >= table.trainRows()).toArray());
  }

  /**
   * At random.
   *
   * @param usable rows to choose from, not modified
   * @param testShare of them to test on, rounded to at least one row and at most all but one
   * @param seed of the choice
   */
  static TableSplit random(int[] usable, double testShare, long seed) {
    int[] order = usable.clone();
    MathArrays.shuffle(order, new Well19937c(seed));
    int test = (int) Math.round(testShare * order.length);
    test = Math.max(1, Math.min(order.length - 1, test));
    return new TableSplit(
        Arrays.copyOfRange(order, test, order.length), Arrays.copyOf(order, test));
  }

  /** The rows with a value in at least one of the columns. */
  static int[] withAny(Table table, Iterable<String> columns) {
    return IntStream.range(0, table.rows())
        .filter(
            row -> {
              for (String column : columns) {
                if (!Double.isNaN(table.columns().get(column).cells()[row])) {
                  return true;
                }
              }
              return false;
            })
        .toArray();
  }
}
