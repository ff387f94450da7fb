package org.gradnorm4j.examples;

import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import org.apache.commons.math3.util.FastMath;

/** Whether the table at hand needs GradNorm, in numbers and in words. */
final class TableAnswer {
  private static final int FEW_SEEDS = 5;
  private static final int LEAST_TO_AGREE = 4;
  private static final double SMALLEST_PLAIN = 1e-4;
  private static final double LARGEST_PLAIN = 1e7;

  private final List<TableTask> tasks;
  private final TableResults results;

  TableAnswer(List<TableTask> tasks, TableResults results) {
    this.tasks = tasks;
    this.results = results;
  }

  void print(PrintWriter out) {
    for (int task = 0; task < tasks.size(); task++) {
      printTask(task, out);
    }
    StringJoiner weights = new StringJoiner(", ");
    for (int task = 0; task < tasks.size(); task++) {
      weights.add(tasks.get(task).name() + " " + number(results.lossWeight(task), 3));
    }
    out.println();
    Console.print("GradNorm's lambda at the end, mean over the seeds: " + weights, out);
    out.println();
    out.println("Do you need GradNorm here?");
    Console.print(needed(), out);
    unanimous().forEach(sentence -> Console.print(sentence, out));
    Console.print(alone(), out);
    caveats().forEach(caveat -> Console.print(caveat, out));
    out.println();
  }

  private void printTask(int task, PrintWriter out) {
    out.println();
    Console.print(tasks.get(task).name() + ": " + tasks.get(task).measure(), out);
    out.println("                 mean, 95 % interval   less equal weights, 95 % interval");
    for (TableMethod method : TableMethod.values()) {
      String row =
          String.format(
              Locale.ROOT, "  %-9s %25s", method, interval("", 4, results.error(method, task)));
      if (method != TableMethod.EQUAL) {
        Interval difference = results.difference(method, task);
        row +=
            String.format(
                Locale.ROOT, "%22s  %s", interval("+", 3, difference), difference.verdict());
      }
      out.println(row);
    }
  }

  /** The answer, by the tasks' verdicts on GradNorm. */
  String needed() {
    List<String> better = tasks(TableMethod.GRADNORM, Verdict.BETTER);
    List<String> worse = tasks(TableMethod.GRADNORM, Verdict.WORSE);
    List<String> unknown = tasks(TableMethod.GRADNORM, Verdict.UNKNOWN);
    if (unknown.size() == tasks.size()) {
      return "It cannot be told: "
          + (results.seeds() == 1
              ? "one seed says nothing about chance. Run with --seeds 5 or more."
              : "a run diverged. Try a smaller --learning-rate.");
    }
    String rest = unknown.isEmpty() ? "" : " It cannot be told for " + list(unknown) + ".";
    if (better.isEmpty() && worse.isEmpty()) {
      return "No: equal weights do as well, as far as this shows. No difference shown on "
          + (unknown.isEmpty() ? "any target." : "any other target.")
          + rest;
    } else if (worse.isEmpty()) {
      return String.format(
          Locale.ROOT, "It helps: GradNorm is better on %s%s.%s", list(better), others(), rest);
    } else if (better.isEmpty()) {
      return String.format(
          Locale.ROOT,
          "No, it does harm: GradNorm is worse on %s%s. Stay with equal weights.%s",
          list(worse),
          others(),
          rest);
    }
    return String.format(
        Locale.ROOT,
        "It is a trade: GradNorm is better on %s, worse on %s%s.%s",
        list(better),
        list(worse),
        others(),
        rest);
  }

  private String others() {
    List<String> same = tasks(TableMethod.GRADNORM, Verdict.NO_DIFFERENCE);
    return same.isEmpty() ? "" : ", no difference shown on " + list(same);
  }

  private String alone() {
    StringJoiner sentence = new StringJoiner("; ", "A network for each task alone: ", ".");
    for (Verdict verdict : Verdict.values()) {
      List<String> those = tasks(TableMethod.ALONE, verdict);
      if (!those.isEmpty()) {
        sentence.add(verdict + (verdict == Verdict.UNKNOWN ? " for " : " on ") + list(those));
      }
    }
    return sentence.toString();
  }

  /** What the intervals are too wide to show, though the seeds agree. */
  List<String> unanimous() {
    List<String> sentences = new ArrayList<>();
    for (int task = 0; task < tasks.size(); task++) {
      double[] differences = results.differences(TableMethod.GRADNORM, task);
      boolean shown =
          results.difference(TableMethod.GRADNORM, task).verdict() != Verdict.NO_DIFFERENCE;
      boolean lower = Arrays.stream(differences).allMatch(difference -> difference < 0.0);
      boolean higher = Arrays.stream(differences).allMatch(difference -> difference > 0.0);
      if (!shown && results.seeds() >= LEAST_TO_AGREE && (lower || higher)) {
        sentences.add(
            String.format(
                Locale.ROOT,
                "Yet GradNorm was %s on %s in all %d seeds, by amounts too different to tell. Try more --seeds.",
                lower ? "better" : "worse",
                tasks.get(task).name(),
                results.seeds()));
      }
    }
    return sentences;
  }

  private List<String> caveats() {
    List<String> caveats = new ArrayList<>();
    caveats.add(
        "\"No difference shown\" means that 0 is in the interval of the paired differences, not that"
            + " there is none. Each interval errs in 5 % of cases, so among many targets one may show"
            + " a difference by chance.");
    if (results.seeds() > 1 && results.seeds() < FEW_SEEDS) {
      caveats.add(
          String.format(
              Locale.ROOT,
              "With %d seeds the intervals are wide: only large differences show. Try --seeds 10.",
              results.seeds()));
    }
    return caveats;
  }

  private List<String> tasks(TableMethod method, Verdict verdict) {
    List<String> names = new ArrayList<>();
    for (int task = 0; task < tasks.size(); task++) {
      if (results.difference(method, task).verdict() == verdict) {
        names.add(tasks.get(task).name());
      }
    }
    return names;
  }

  private static String list(List<String> names) {
    return String.join(", ", names);
  }

  /** With a sign before a positive number; the half width to two digits. */
  private static String interval(String plus, int digits, Interval interval) {
    return (interval.mean() > 0.0 ? plus : "")
        + number(interval.mean(), digits)
        + (Double.isNaN(interval.halfWidth()) ? "" : " +- " + number(interval.halfWidth(), 2));
  }

  /** Rounded to significant digits; without an exponent where that is readable. */
  private static String number(double value, int digits) {
    if (!Double.isFinite(value)) {
      return "diverged";
    }
    double size = FastMath.abs(value);
    return value == 0.0 || (size >= SMALLEST_PLAIN && size < LARGEST_PLAIN)
        ? new BigDecimal(value).round(new MathContext(digits)).toPlainString()
        : String.format(Locale.ROOT, "%." + (digits - 1) + "e", value);
  }
}
