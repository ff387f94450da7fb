package org.gradnorm4j.examples;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/**
 * What the columns of a table were taken for, where the user may have meant something else. Columns
 * of which the same is to be said share a line.
 */
final class TableRemarks {
  private static final int LISTED = 5;
  private static final int FEW = 10;
  private static final int LEAST_ROWS = 10;

  private final Map<String, List<String>> columns = new LinkedHashMap<>();

  /**
   * Looks at a column.
   *
   * @param scan of its cells
   * @param column as it was taken
   * @param asked whether the user said what it is
   */
  void add(ColumnScan scan, Table.Column column, boolean asked) {
    if (scan.isEmpty()) {
      say(scan, "all cells are missing: it teaches nothing. Leave it out with --ignore");
    } else if (present(column).distinct().limit(2).count() == 1) {
      say(scan, "all cells are the same: it teaches nothing. Leave it out with --ignore");
    } else if (column.isNumeric()) {
      addNumbers(scan, column, asked);
    } else {
      addText(scan, column, asked);
    }
  }

  private void addNumbers(ColumnScan scan, Table.Column column, boolean asked) {
    boolean whole = present(column).allMatch(x -> x == Math.rint(x));
    long different = present(column).distinct().limit(FEW + 1L).count();
    if (scan.isTarget() && !asked && whole && different <= FEW && 2 * different <= scan.count()) {
      say(
          scan,
          String.format(
              Locale.ROOT,
              "a regression, though its numbers are whole and only %d different ones. If they are classes: --task %s:classification",
              different,
              scan.name()));
    } else if (whole && present(column).allMatch(TableRemarks::isDate)) {
      say(
          scan,
          "numbers, though they look like dates (20240131). Make year, month and day columns of their own, or leave it out with --ignore");
    } else if (!scan.isTarget() && whole && rises(column)) {
      say(
          scan,
          "numbers that rise from row to row. If they only name the rows, leave them out with --ignore");
    }
  }

  private void addText(ColumnScan scan, Table.Column column, boolean asked) {
    String taken =
        Console.count(
            column.categories().size(),
            scan.isTarget() ? "class" : "category",
            scan.isTarget() ? "classes" : "categories");
    for (CellShape shape : CellShape.values()) {
      if (!asked && shape.words() != null && 2 * scan.count(shape) > scan.count()) {
        say(
            scan,
            String.format(
                Locale.ROOT,
                "text of %s, though its cells look like %s ('%s'). %s",
                taken,
                shape.words(),
                scan.example(shape),
                remedy(shape)));
      }
    }
    if (!asked && scan.count(CellShape.NUMBER) > 0) {
      say(
          scan,
          String.format(
              Locale.ROOT,
              "text of %s, though %d of its %s are numbers",
              taken,
              scan.count(CellShape.NUMBER),
              Console.count(scan.count(), "cell", "cells")));
    }
    if (scan.count(CellShape.MISSING) > 0) {
      say(
          scan,
          String.format(
              Locale.ROOT,
              "'%s' is one of its %s. If it stands for a missing value, name it with --missing",
              scan.example(CellShape.MISSING),
              scan.isTarget() ? "classes" : "categories"));
    }
    if (column.categories().size() == scan.count() && scan.count() >= LEAST_ROWS) {
      say(
          scan,
          "text of which no two cells are the same: it teaches nothing. Leave it out with --ignore");
    }
  }

  private static String remedy(CellShape shape) {
    return shape == CellShape.DATE
        ? "Their order is lost: make year, month and day columns of their own, or leave it out with --ignore"
        : "To have numbers, write them plainly, as 1234.5";
  }

  private static boolean isDate(double number) {
    long month = (long) number / 100 % 100;
    long day = (long) number % 100;
    return number >= 19000101
        && number < 21000101
        && month >= 1
        && month <= 12
        && day >= 1
        && day <= 31;
  }

  private static boolean rises(Table.Column column) {
    double[] cells = column.cells();
    for (int i = 1; i < cells.length; i++) {
      if (!(cells[i] > cells[i - 1])) {
        return false;
      }
    }
    return cells.length >= LEAST_ROWS;
  }

  private static DoubleStream present(Table.Column column) {
    return Arrays.stream(column.cells()).filter(x -> !Double.isNaN(x));
  }

  private void say(ColumnScan scan, String remark) {
    columns.computeIfAbsent(remark, r -> new ArrayList<>()).add(scan.name());
  }

  /** A line for each remark: the columns, then what is to be said of them. */
  List<String> lines() {
    return columns.entrySet().stream()
        .map(remark -> named(remark.getValue()) + ": " + remark.getKey())
        .collect(Collectors.toList());
  }

  private static String named(List<String> names) {
    String first = String.join(", ", names.subList(0, Math.min(LISTED, names.size())));
    return names.size() <= LISTED
        ? first
        : first + String.format(Locale.ROOT, " and %d more", names.size() - LISTED);
  }
}
