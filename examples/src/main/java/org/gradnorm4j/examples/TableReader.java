package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.commons.csv.CSVRecord;

/**
 * Reads a table in two passes: the first finds out what the columns are, and whether the table fits
 * in memory; the second keeps the cells. Columns are matched by name, so the files may have them in
 * different orders.
 */
final class TableReader {
  private final List<CsvFile> files;
  private final Set<String> missing;
  private final int maxCategories;
  private final MemoryLimit limit;

  /**
   * For one or two files.
   *
   * @param files to train on, and to test on if that is a file of its own
   * @param missing cells that stand for a missing value, besides the empty one
   * @param maxCategories most different values of a column that is not numeric
   * @param limit of the table
   */
  TableReader(List<CsvFile> files, Set<String> missing, int maxCategories, MemoryLimit limit) {
    this.files = files;
    this.missing = missing;
    this.maxCategories = maxCategories;
    this.limit = limit;
  }

  /** A column as a pass meets it: where it stands in the file at hand. */
  private record Position(String name, int index) {}

  /** Sees one cell. */
  private interface CellVisitor {
    void cell(CsvFile file, long line, String column, String cell) throws CsvException;
  }

  /**
   * Reads.
   *
   * @param wanted columns
   * @throws CsvException if a file or a column is of no use; says which, where and why
   */
  Table read(TableColumns wanted) throws IOException {
    List<String> names = wanted.names(files.get(0).header(), files.get(0).path());
    Map<String, ColumnScan> scans = new LinkedHashMap<>();
    for (String name : names) {
      scans.put(name, new ColumnScan(name, wanted.targets().contains(name), maxCategories));
    }
    int[] rows = scan(names, scans);
    Map<String, List<String>> categories = new LinkedHashMap<>();
    long width = 0;
    for (ColumnScan scan : scans.values()) {
      List<String> ofColumn = categories(scan, wanted.kinds().get(scan.name()));
      categories.put(scan.name(), ofColumn);
      width += ofColumn == null ? 1 : ofColumn.size() + 1;
    }
    limit.check(last(files).path(), rows[rows.length - 1] + 1L, sum(rows), names.size() + width);
    Map<String, Table.Column> columns = cells(names, categories, sum(rows));
    TableRemarks remarks = new TableRemarks();
    scans.forEach(
        (name, scan) -> remarks.add(scan, columns.get(name), wanted.kinds().containsKey(name)));
    return new Table(columns, rows[0], sum(rows), remarks.lines());
  }

  /** Sorted; null for a column of numbers. */
  private List<String> categories(ColumnScan scan, TaskKind kind) throws CsvException {
    Path file = files.get(0).path();
    if (scan.isEmpty() && scan.isTarget()) {
      throw new CsvException(
          file,
          1,
          scan.name(),
          "a target, but all its cells are missing. Choose another with --targets");
    }
    if (kind == TaskKind.REGRESSION || (kind == null && scan.isNumeric())) {
      scan.checkNumbers();
      return null;
    }
    if (kind == null) {
      scan.checkUnmixed();
    }
    List<String> categories = scan.checkedCategories();
    if (scan.isTarget() && categories.size() == 1) {
      throw new CsvException(
          file,
          1,
          scan.name(),
          String.format(
              Locale.ROOT,
              "a target with one class only, '%s': there is nothing to learn. Choose another with --targets",
              CsvFile.abbreviated(categories.get(0))));
    }
    return categories;
  }

  /** The rows of each file. */
  private int[] scan(List<String> names, Map<String, ColumnScan> scans) throws IOException {
    int[] rows = new int[files.size()];
    for (int i = 0; i < rows.length; i++) {
      int file = i;
      forEachRow(
          files.get(i),
          names,
          line -> {
            rows[file]++;
            limit.check(files.get(file).path(), line, sum(rows), names.size());
          },
          (at, line, column, cell) -> {
            if (!isMissing(cell)) {
              scans.get(column).add(at.path(), line, cell);
            }
          });
      if (rows[i] == 0) {
        throw new CsvException(
            files.get(i).path(), "no rows after the header. There is nothing to train on");
      }
    }
    return rows;
  }

  private Map<String, Table.Column> cells(
      List<String> names, Map<String, List<String>> categories, int rows) throws IOException {
    Map<String, Table.Column> columns = new LinkedHashMap<>();
    names.forEach(
        name -> columns.put(name, new Table.Column(categories.get(name), new double[rows])));
    int[] row = {-1};
    for (CsvFile file : files) {
      forEachRow(
          file,
          names,
          line -> row[0]++,
          (at, line, name, cell) -> {
            Table.Column column = columns.get(name);
            column.cells()[row[0]] = value(cell, column);
          });
    }
    return columns;
  }

  private double value(String cell, Table.Column column) {
    if (isMissing(cell)) {
      return Double.NaN;
    }
    return column.isNumeric()
        ? Double.parseDouble(cell)
        : Collections.binarySearch(column.categories(), cell);
  }

  private boolean isMissing(String cell) {
    return cell.isEmpty() || missing.contains(cell);
  }

  /** Called when a row begins. */
  private interface RowStart {
    void row(long line) throws CsvException;
  }

  private static void forEachRow(
      CsvFile file, List<String> names, RowStart start, CellVisitor visitor) throws IOException {
    List<Position> positions = positions(file, names);
    file.forEachRow(
        (long line, CSVRecord cells) -> {
          start.row(line);
          for (Position position : positions) {
            visitor.cell(file, line, position.name, CsvFile.stripped(cells.get(position.index)));
          }
        });
  }

  private static List<Position> positions(CsvFile file, List<String> names) throws IOException {
    List<String> header = file.header();
    List<Position> positions = new ArrayList<>();
    for (String name : names) {
      int index = header.indexOf(name);
      if (index < 0) {
        throw new CsvException(
            file.path(),
            1,
            name,
            "there is no such column, but the file to train on has it. Add it, or leave it out with --ignore");
      }
      positions.add(new Position(name, index));
    }
    return positions;
  }

  private static CsvFile last(List<CsvFile> files) {
    return files.get(files.size() - 1);
  }

  private static int sum(int[] rows) {
    return Arrays.stream(rows).sum();
  }
}
