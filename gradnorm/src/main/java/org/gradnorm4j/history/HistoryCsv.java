package org.gradnorm4j.history;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.gradnorm4j.weighting.Quantity;

/** A history as CSV (RFC 4180, UTF-8), one record per row and task. */
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
    CSVPrinter csv = new CSVPrinter(out, FORMAT);
    csv.printRecord(header(history.columns()));
    int[] columns = numbers(history.columns());
    TaskShares shares = history.shares();
    for (int row = 0; row < history.size(); row++) {
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
}
