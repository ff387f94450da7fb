package org.gradnorm4j.examples;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.DoubleStream;

/**
 * A table, and how it is split and encoded for one seed.
 *
 * @param file the table came from, for messages
 * @param table all rows
 * @param targets names of the targets, in the order of the tasks
 * @param testShare of the rows that are tested on, drawn anew for each seed; NaN if the test rows
 *     are a file of their own
 * @param rawTargets whether numeric targets keep their units in training
 */
record TableData(
    Path file, Table table, Set<String> targets, double testShare, boolean rawTargets) {

  List<TableTask> tasks() {
    return targets.stream().map(name -> TableTask.of(name, table.columns().get(name))).toList();
  }

  boolean splitsAnew() {
    return !Double.isNaN(testShare);
  }

  /**
   * The rows for a seed.
   *
   * @throws CsvException if a target has too few values in them; names it
   */
  TableSplit split(long seed) throws CsvException {
    int[] usable = TableSplit.withAny(table, targets);
    if (splitsAnew() && usable.length < 2) {
      throw new CsvException(
          file,
          String.format(
              Locale.ROOT,
              "%s with a target: two are the least. Add rows",
              Console.count(usable.length, "row", "rows")));
    }
    TableSplit split =
        splitsAnew()
            ? TableSplit.random(usable, testShare, seed)
            : TableSplit.ofFiles(table, usable);
    for (String target : targets) {
      check(target, split, seed);
    }
    return split;
  }

  private void check(String target, TableSplit split, long seed) throws CsvException {
    Table.Column column = table.columns().get(target);
    String remedy = splitsAnew() ? "Add rows, or take another --seed" : "Add rows";
    long different = values(column, split.train()).distinct().count();
    if (different < 2) {
      throw new CsvException(
          file,
          1,
          target,
          String.format(
              Locale.ROOT,
              "a target with %s in the training rows (seed %d): there is nothing to learn. %s",
              different == 0 ? "no value" : "one value only",
              seed,
              remedy));
    }
    if (values(column, split.test()).findAny().isEmpty()) {
      throw new CsvException(
          file,
          1,
          target,
          String.format(
              Locale.ROOT, "a target with no value in the test rows (seed %d). %s", seed, remedy));
    }
  }

  private static DoubleStream values(Table.Column column, int[] rows) {
    return Arrays.stream(rows)
        .mapToDouble(row -> column.cells()[row])
        .filter(cell -> !Double.isNaN(cell));
  }

  TableEncoding encoding(TableSplit split) {
    return TableEncoding.of(table, List.copyOf(targets), rawTargets, split.train());
  }
}
