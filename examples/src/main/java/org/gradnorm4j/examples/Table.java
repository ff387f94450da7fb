package org.gradnorm4j.examples;

import java.util.List;
import java.util.Map;

/**
 * The columns in use of one or two CSV files, the rows of the second after those of the first.
 *
 * @param columns by name: inputs, then targets
 * @param trainRows rows of the file to train on
 * @param rows of both files
 * @param remarks what its columns were taken for, where something else may have been meant
 */
record Table(Map<String, Column> columns, int trainRows, int rows, List<String> remarks) {

  /**
   * One column.
   *
   * @param categories its different values, sorted; null if it is numeric
   * @param cells a number each, of text the index of the category; NaN where missing
   */
  record Column(List<String> categories, double[] cells) {

    boolean isNumeric() {
      return categories == null;
    }
  }
}
