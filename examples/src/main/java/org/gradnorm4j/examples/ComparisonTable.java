package org.gradnorm4j.examples;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The outcome of several runs side by side: a row for each quantity, a column for each run. */
final class ComparisonTable {
  private static final int TITLE_WIDTH = 24;

  private final Map<String, Function<RunSummary, Double>> rows = new LinkedHashMap<>();

  private ComparisonTable() {}

  static void print(Problem problem, List<RunSummary> runs, PrintWriter out) {
    ComparisonTable table = new ComparisonTable();
    problem.tasks().forEach(table::addTask);
    if (!problem.hasPenalty()) {
      table.rows.put("normalized test loss", RunSummary::normalizedTestLoss);
    }
    table.rows.put("training seconds", RunSummary::seconds);
    table.print(runs, out);
  }

  private void addTask(String name, TaskKind kind) {
    addRow(name, "loss weight", RunSummary.Task::lossWeight);
    if (kind == TaskKind.PENALTY) {
      addRow(name, "penalty", RunSummary.Task::trainLoss);
    } else {
      addRow(name, "train loss", RunSummary.Task::trainLoss);
      addRow(name, "test loss", RunSummary.Task::testLoss);
    }
    if (kind == TaskKind.CLASSIFICATION) {
      addRow(name, "accuracy", RunSummary.Task::testAccuracy);
    }
  }

  private void addRow(String task, String quantity, Function<RunSummary.Task, Double> value) {
    rows.put(task + " " + quantity, run -> value.apply(run.tasks().get(task)));
  }

  private void print(List<RunSummary> runs, PrintWriter out) {
    int longest = rows.keySet().stream().mapToInt(String::length).max().orElse(0);
    String title = "%-" + Math.max(TITLE_WIDTH, longest) + "s";
    out.println();
    print(out, title, "", runs, RunSummary::balancer);
    rows.forEach((name, cell) -> print(out, title, name, runs, run -> number(cell.apply(run))));
    out.println();
  }

  private static void print(
      PrintWriter out,
      String title,
      String name,
      List<RunSummary> runs,
      Function<RunSummary, String> cell) {
    out.printf(Locale.ROOT, title, name);
    runs.forEach(run -> out.printf(Locale.ROOT, "%14s", cell.apply(run)));
    out.println();
  }

  private static String number(Double value) {
    return value == null ? "-" : String.format(Locale.ROOT, "%.5g", value);
  }
}
