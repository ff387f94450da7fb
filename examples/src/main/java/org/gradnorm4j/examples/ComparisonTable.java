package org.gradnorm4j.examples;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** The outcome of several runs side by side: a row for each quantity, a column for each run. */
final class ComparisonTable {
  private ComparisonTable() {}

  static void print(List<RunSummary> runs, PrintWriter out) {
    out.println();
    row(out, "", runs, RunSummary::balancer);
    for (String task : runs.get(0).tasks().keySet()) {
      row(out, task + " loss weight", runs, run -> number(run.tasks().get(task).lossWeight()));
      row(out, task + " train loss", runs, run -> number(run.tasks().get(task).trainLoss()));
      row(out, task + " test loss", runs, run -> number(run.tasks().get(task).testLoss()));
      if (runs.get(0).tasks().get(task).testAccuracy() != null) {
        row(out, task + " accuracy", runs, run -> number(run.tasks().get(task).testAccuracy()));
      }
    }
    row(out, "normalized test loss", runs, run -> number(run.normalizedTestLoss()));
    row(out, "training seconds", runs, run -> number(run.seconds()));
    out.println();
  }

  private static void row(
      PrintWriter out, String title, List<RunSummary> runs, Function<RunSummary, String> cell) {
    out.printf("%-24s", title);
    runs.forEach(run -> out.printf("%14s", cell.apply(run)));
    out.println();
  }

  private static String number(Double value) {
    return value == null ? "-" : String.format(Locale.ROOT, "%.5g", value);
  }
}
