package org.gradnorm4j.examples;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.DoubleStream;
import org.apache.commons.math3.stat.descriptive.SummaryStatistics;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * How the rows of a table become numbers for a network, learned from the training rows alone. A
 * numeric cell x becomes (x − mean) / deviation, a missing one 0. A text becomes a 1 among as many
 * 0 as the training rows have different texts; missing is a text of its own if it occurs there. A
 * text that does not is all 0.
 *
 * @param inputs columns, in the order of the network's inputs
 * @param targets columns, in the order of the network's outputs
 */
record TableEncoding(List<Column> inputs, List<Column> targets) {

  /**
   * One column.
   *
   * @param name of the column
   * @param mean of the cells; null for text
   * @param deviation standard deviation of the cells, 1 if they are all the same; null for text
   * @param categories in the order of their places; null for numbers
   * @param hasMissing whether missing has the place after the categories
   */
  record Column(
      String name, Double mean, Double deviation, List<String> categories, Boolean hasMissing) {

    boolean isNumeric() {
      return categories == null;
    }

    int width() {
      return isNumeric() ? 1 : categories.size() + (hasMissing ? 1 : 0);
    }
  }

  /**
   * Learns.
   *
   * @param table not modified
   * @param targets names of the targets
   * @param rawTargets whether numeric targets stay as they are
   * @param rows to learn from
   */
  static TableEncoding of(Table table, List<String> targets, boolean rawTargets, int[] rows) {
    List<Column> inputColumns = new ArrayList<>();
    Map<String, Column> targetColumns = new LinkedHashMap<>();
    table
        .columns()
        .forEach(
            (name, column) -> {
              boolean target = targets.contains(name);
              Column encoded =
                  column.isNumeric()
                      ? number(name, column, target && rawTargets, rows)
                      : text(name, column, target, rows);
              if (target) {
                targetColumns.put(name, encoded);
              } else {
                inputColumns.add(encoded);
              }
            });
    return new TableEncoding(
        List.copyOf(inputColumns), targets.stream().map(targetColumns::get).toList());
  }

  private static Column number(String name, Table.Column column, boolean raw, int[] rows) {
    SummaryStatistics statistics = new SummaryStatistics();
    present(column, rows).forEach(statistics::addValue);
    boolean varies = statistics.getN() > 1 && statistics.getStandardDeviation() > 0.0;
    checkSize(
        name,
        statistics.getMax(),
        statistics.getN() == 0 || statistics.getVariance() < Double.POSITIVE_INFINITY);
    return new Column(
        name,
        raw || statistics.getN() == 0 ? 0.0 : statistics.getMean(),
        raw || !varies ? 1.0 : statistics.getStandardDeviation(),
        null,
        null);
  }

  /** A target has a place for every class of the table: a class is not unknown, only untrained. */
  private static Column text(String name, Table.Column column, boolean target, int[] rows) {
    if (target) {
      return new Column(name, null, null, column.categories(), false);
    }
    TreeSet<Integer> seen = new TreeSet<>();
    present(column, rows).forEach(index -> seen.add((int) index));
    boolean missing = Arrays.stream(rows).anyMatch(row -> Double.isNaN(column.cells()[row]));
    return new Column(
        name, null, null, seen.stream().map(column.categories()::get).toList(), missing);
  }

  private static DoubleStream present(Table.Column column, int[] rows) {
    return Arrays.stream(rows)
        .mapToDouble(row -> column.cells()[row])
        .filter(x -> !Double.isNaN(x));
  }

  int width() {
    return inputs.stream().mapToInt(Column::width).sum();
  }

  /** The rows as a network takes them. */
  Samples samples(Table table, int[] rows) {
    float[] features = new float[Math.multiplyExact(rows.length, width())];
    int place = 0;
    for (Column input : inputs) {
      encode(input, table, rows, features, place, width());
      place += input.width();
    }
    INDArray[] labels = new INDArray[targets.size()];
    INDArray[] masks = new INDArray[targets.size()];
    for (int task = 0; task < labels.length; task++) {
      Column target = targets.get(task);
      float[] values = new float[Math.multiplyExact(rows.length, target.width())];
      encode(target, table, rows, values, 0, target.width());
      labels[task] = Nd4j.create(values, new long[] {rows.length, target.width()});
      masks[task] = mask(table.columns().get(target.name()), rows);
    }
    return new Samples(Nd4j.create(features, new long[] {rows.length, width()}), labels, masks);
  }

  private static INDArray mask(Table.Column column, int[] rows) {
    float[] mask = new float[rows.length];
    boolean missing = false;
    for (int i = 0; i < rows.length; i++) {
      boolean absent = Double.isNaN(column.cells()[rows[i]]);
      mask[i] = absent ? 0f : 1f;
      missing |= absent;
    }
    return missing ? Nd4j.create(mask, new long[] {rows.length, 1}) : null;
  }

  /** Writes a column's places of all rows into rows of {@code width} values. */
  private static void encode(
      Column column, Table table, int[] rows, float[] values, int place, int width) {
    Table.Column cells = table.columns().get(column.name());
    int[] places = column.isNumeric() ? null : places(column, cells);
    for (int i = 0; i < rows.length; i++) {
      double cell = cells.cells()[rows[i]];
      int at = i * width + place;
      if (column.isNumeric()) {
        values[at] =
            Double.isNaN(cell) ? 0f : (float) ((cell - column.mean()) / column.deviation());
        checkSize(column.name(), cell, Float.isFinite(values[at]));
      } else {
        int offset =
            Double.isNaN(cell)
                ? column.hasMissing() ? column.categories().size() : -1
                : places[(int) cell];
        if (offset >= 0) {
          values[at + offset] = 1f;
        }
      }
    }
  }

  private static void checkSize(String column, double cell, boolean usable) {
    if (!usable) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "column '%s': %s is too large to compute with. Rescale the column, or leave it out with --ignore",
              column,
              cell));
    }
  }

  /** The place of each of the table's categories; −1 if it has none. */
  private static int[] places(Column column, Table.Column cells) {
    return cells.categories().stream().mapToInt(column.categories()::indexOf).toArray();
  }
}
