package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVPrinter;
import org.apache.commons.csv.CSVRecord;

/** A history as CSV (RFC 4180, UTF-8), one row per step and task, and back. */
final class HistoryCsv {
  private static final String[] HEADER = {
    "iteration",
    "epoch",
    "task",
    "loss",
    "loss_weight",
    "gradient_norm",
    "weighted_gradient_norm",
    "target_gradient_norm",
    "relative_inverse_training_rate",
    "mean_loss_ratio",
    "present",
    "skipped"
  };
  private static final CSVFormat FORMAT =
      CSVFormat.RFC4180.builder().setRecordSeparator('\n').build();

  private HistoryCsv() {}

  static void write(Path file, StepTable.View steps) throws IOException {
    try (CSVPrinter csv =
        new CSVPrinter(Files.newBufferedWriter(file, StandardCharsets.UTF_8), FORMAT)) {
      csv.printRecord((Object[]) HEADER);
      for (int step = 0; step < steps.size(); step++) {
        for (int task = 0; task < steps.tasks(); task++) {
          csv.printRecord(
              steps.iteration(step),
              steps.epoch(step),
              steps.taskNames().get(task),
              steps.loss(step, task),
              steps.lossWeight(step, task),
              steps.gradientNorm(step, task),
              steps.weightedGradientNorm(step, task),
              steps.targetGradientNorm(step, task),
              steps.relativeInverseTrainingRate(step, task),
              steps.meanLossRatio(step),
              steps.isPresent(step, task),
              steps.isSkipped(step));
        }
      }
    }
  }

  /**
   * Reads the steps of a file into a table.
   *
   * @param name of the file, for messages
   * @throws IOException if the file cannot be read, or is not of these tasks; says where
   */
  static void read(Reader file, String name, List<String> tasks, StepTable steps)
      throws IOException {
    long line = 0;
    try (CSVParser csv = FORMAT.parse(file)) {
      Iterator<CSVRecord> records = csv.iterator();
      check(records.hasNext() && List.of(HEADER).equals(records.next().toList()), "header");
      while (records.hasNext()) {
        StepTable.Row[] rows = new StepTable.Row[tasks.size()];
        for (int task = 0; task < rows.length; task++) {
          check(records.hasNext(), "step");
          CSVRecord record = records.next();
          line = record.getRecordNumber();
          check(record.size() == HEADER.length && record.get(2).equals(tasks.get(task)), "row");
          rows[task] = row(record);
        }
        steps.add(rows);
      }
    } catch (IOException | RuntimeException e) { // commons-csv: UncheckedIOException
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s is no history of %s: record %d: %s",
              name,
              tasks,
              line,
              e.getMessage()),
          e);
    }
  }

  private static StepTable.Row row(CSVRecord record) throws IOException {
    return new StepTable.Row(
        Integer.parseInt(record.get(0)),
        Integer.parseInt(record.get(1)),
        Double.parseDouble(record.get(3)),
        Double.parseDouble(record.get(4)),
        Double.parseDouble(record.get(5)),
        Double.parseDouble(record.get(7)),
        Double.parseDouble(record.get(8)),
        Double.parseDouble(record.get(9)),
        bool(record.get(10)),
        bool(record.get(11)));
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
