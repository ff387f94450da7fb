package org.gradnorm4j.examples;

import java.io.PrintWriter;
import java.util.Collection;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.Predicate;

/** The progress lines of a run, and its stop watch. */
final class Progress {
  private static final double NANOS = 1e9;

  private final Collection<TaskKind> tasks;
  private final int steps;
  private final PrintWriter out;
  private final long start = System.nanoTime();
  private long training;
  private long resumed;

  /**
   * Begins to measure the time.
   *
   * @param tasks the kind of each
   * @param steps in all
   * @param out printed to
   */
  Progress(Collection<TaskKind> tasks, int steps, PrintWriter out) {
    this.tasks = tasks;
    this.steps = steps;
    this.out = out;
  }

  void resume() {
    resumed = System.nanoTime();
  }

  void pause() {
    training += System.nanoTime() - resumed;
  }

  double trainingSeconds() {
    return training / NANOS;
  }

  /** One line; its lists have one value per task that has one. */
  void report(int step, int epoch, TaskScores test, Map<String, Double> lossWeights) {
    double elapsed = (System.nanoTime() - start) / NANOS;
    String losses = list("%.4g", test.losses(), kind -> kind != TaskKind.PENALTY);
    String accuracies = list("%.3f", test.accuracies(), TaskKind.CLASSIFICATION::equals);
    String scores =
        format("  epoch %d  step %d/%d  test loss %s", epoch + 1, step, steps, losses)
            + (accuracies.isEmpty() ? "" : "  accuracy " + accuracies);
    double[] weights = lossWeights.values().stream().mapToDouble(Double::doubleValue).toArray();
    String pace =
        format(
            "  lambda %s  %.1f steps/s  %.0f s left",
            list("%.4g", weights, kind -> true),
            step / trainingSeconds(),
            elapsed * (steps - step) / step);
    boolean fits = scores.length() + pace.length() <= Console.COLUMNS;
    Console.print(fits ? scores + pace : scores + "\n  " + pace, out);
  }

  private String list(String format, double[] values, Predicate<TaskKind> included) {
    StringJoiner list = new StringJoiner(" ");
    Iterator<TaskKind> kinds = tasks.iterator();
    for (double value : values) {
      if (included.test(kinds.next())) {
        list.add(format(format, value));
      }
    }
    return list.toString();
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
