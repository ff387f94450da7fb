package org.gradnorm4j.history;

import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVPrinter;
import org.apache.commons.csv.CSVRecord;
import org.gradnorm4j.weighting.Quantity;

/** A history as CSV (RFC 4180, UTF-8), one record per row and task, and back. */
final class HistoryCsv {
  private static final CSVFormat FORMAT =
      CSVFormat.RFC4180.builder().setRecordSeparator('\n').build();

  private static final List<String> MEASURED =
      List.of(
          "iteration",
          "epoch",
          "task",
          Quantity.LOSS.id(),
          Quantity.LOSS_WEIGHT.id(),
          Quantity.GRADIENT_NORM.id(),
          Quantity.WEIGHTED_GRADIENT_NORM.id());
  private static final List<String> LAST = List.of("present", "skipped", "steps", "gradient_share");

  private HistoryCsv() {}

  private static List<String> header(Columns columns) {
    List<String> header = new ArrayList<>(MEASURED);
    columns.quantities().forEach(quantity -> header.add(quantity.id()));
    header.addAll(LAST);
    return header;
  }

  static void write(Appendable out, HistoryView history) throws IOException {
    new CSVPrinter(out, FORMAT).printRecord(header(history.columns()));
    append(out, history, 0);
  }

  /** Writes rows without the header. */
  static void append(Appendable out, HistoryView history, int from) throws IOException {
    CSVPrinter csv = new CSVPrinter(out, FORMAT);
    int[] columns = numbers(history.columns());
    TaskShares shares = history.shares();
    for (int row = from; row < history.size(); row++) {
      for (int task = 0; task < history.tasks(); task++) {
        csv.print(history.iteration(row));
        csv.print(history.epoch(row));
        csv.print(history.taskNames().get(task));
        for (int column : columns) {
          csv.print(history.value(row, task, column));
        }
        csv.print(history.isPresent(row, task));
        csv.print(history.isSkipped(row));
        csv.print(history.steps(row));
        csv.print(shares.of(row, task));
        csv.println();
      }
    }
  }

  /** The columns of the numbers between name and flags, in the order of the file. */
  private static int[] numbers(Columns columns) {
    List<Quantity> quantities =
        new ArrayList<>(
            List.of(
                Quantity.LOSS,
                Quantity.LOSS_WEIGHT,
                Quantity.GRADIENT_NORM,
                Quantity.WEIGHTED_GRADIENT_NORM));
    quantities.addAll(columns.quantities());
    return quantities.stream().mapToInt(columns::of).toArray();
  }

  /**
   * Reads the rows of a file into a table.
   *
   * @param name of the file, for messages
   * @throws IOException if the file cannot be read, or is not of these tasks; says where
   */
  static void read(Reader file, String name, StepTable table) throws IOException {
    Columns columns = table.columns();
    CSVParser csv = FORMAT.parse(file); // not closed: the reader is the caller's
    try {
      Iterator<CSVRecord> records = csv.iterator();
      check(
          records.hasNext() && header(columns).equals(records.next().toList()),
          "header " + header(columns));
      FileRow smallest = null;
      while (records.hasNext()) {
        FileRow row = FileRow.read(records, columns);
        if (row.steps == 1) {
          check(smallest == null, "second row of a section");
          table.addStep(row.iteration, row.epoch, row.inStep, row.flags);
        } else if (smallest == null) {
          smallest = row;
        } else {
          check(smallest.steps == row.steps, "second row of a section");
          table.addSection(
              row.steps,
              new int[] {smallest.iteration, row.iteration},
              new int[] {smallest.epoch, row.epoch},
              new double[][] {smallest.inSection, row.inSection},
              new byte[][] {smallest.flags, row.flags});
          smallest = null;
        }
      }
      check(smallest == null, "second row of a section");
    } catch (IOException | RuntimeException e) { // commons-csv: UncheckedIOException
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s is no history of %s: record %d: %s",
              name,
              columns.taskNames(),
              csv.getRecordNumber(),
              e.getMessage()),
          e);
    }
  }

  /** A row with all its tasks, as it is in the file: with more numbers than a step keeps. */
  private static final class FileRow {
    final int iteration;
    final int epoch;
    final long steps;
    final byte[] flags;
    final double[] inStep;
    final double[] inSection;

    private FileRow(CSVRecord first, Columns columns) {
      iteration = Integer.parseInt(first.get(0));
      epoch = Integer.parseInt(first.get(1));
      steps = Long.parseLong(first.get(first.size() - 2));
      flags = new byte[columns.tasks()];
      inStep = new double[columns.stepWidth()];
      inSection = new double[columns.sectionWidth()];
    }

    static FileRow read(Iterator<CSVRecord> records, Columns columns) throws IOException {
      int width = header(columns).size();
      int[] numbers = numbers(columns);
      FileRow row = null;
      for (int task = 0; task < columns.tasks(); task++) {
        check(records.hasNext(), "row of every task");
        CSVRecord record = records.next();
        check(
            record.size() == width && record.get(2).equals(columns.taskNames().get(task)),
            "row of task " + columns.taskNames().get(task));
        row = task == 0 ? new FileRow(record, columns) : row;
        check(row.steps == Long.parseLong(record.get(width - 2)), "same steps");
        row.set(task, record, numbers, columns);
      }
      return row;
    }

    private void set(int task, CSVRecord record, int[] numbers, Columns columns)
        throws IOException {
      int next = 3;
      for (int column : numbers) {
        double value = Double.parseDouble(record.get(next++));
        inSection[columns.inSection(task, column)] = value;
        if (column != columns.weightedGradientNorm()) { // follows from the others
          inStep[columns.inStep(task, column)] = value;
        }
      }
      flags[task] = StepTable.flags(bool(record.get(next)), bool(record.get(next + 1)));
      inSection[columns.inSection(task, columns.share())] =
          Double.parseDouble(record.get(next + 3));
    }
  }

  private static boolean bool(String text) throws IOException {
    check(text.equals("true") || text.equals("false"), "true or false");
    return text.equals("true");
  }

  private static void check(boolean holds, String what) throws IOException {
    if (!holds) {
      throw new IOException("no " + what + " as expected");
    }
  }
}
