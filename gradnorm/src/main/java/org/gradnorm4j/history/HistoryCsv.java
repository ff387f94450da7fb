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

  private static final List<String> FIRST = List.of("iteration", "epoch", "task");
  private static final List<String> LAST = List.of("present", "skipped", "steps", "gradient_share");

  private HistoryCsv() {}

  /** The first line, with the quantities that a strategy reports. */
  static List<String> header(List<Quantity> reported) {
    List<String> header = new ArrayList<>(FIRST);
    numbers(reported).forEach(quantity -> header.add(quantity.id()));
    header.addAll(LAST);
    return header;
  }

  /** What stands between name and flags, in the order of the file. */
  private static List<Quantity> numbers(List<Quantity> reported) {
    List<Quantity> numbers =
        new ArrayList<>(
            List.of(
                Quantity.LOSS,
                Quantity.LOSS_WEIGHT,
                Quantity.GRADIENT_NORM,
                Quantity.WEIGHTED_GRADIENT_NORM));
    numbers.addAll(reported);
    return numbers;
  }

  static void write(Appendable out, HistoryView history) throws IOException {
    CSVPrinter csv = new CSVPrinter(out, FORMAT);
    List<Quantity> reported = history.columns().quantities();
    csv.printRecord(header(reported));
    int[] columns = numbers(reported).stream().mapToInt(history.columns()::of).toArray();
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
}
