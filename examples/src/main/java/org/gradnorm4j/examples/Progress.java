package org.gradnorm4j.examples;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The progress lines of a run, and its stop watch. */
final class Progress {
  private static final double NANOS = 1e9;

  private final int steps;
  private final PrintWriter out;
  private final long start = System.nanoTime();
  private long training;
  private long resumed;

  Progress(int steps, PrintWriter out) {
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

  /** One line; its lists have one value per task. */
  void report(int step, int epoch, TaskScores test, Map<String, Double> lossWeights) {
    double elapsed = (System.nanoTime() - start) / NANOS;
    String accuracy =
        test.accuracies() == null ? "" : "  accuracy " + list("%.3f", test.accuracies());
    out.printf(
        Locale.ROOT,
        "  epoch %d  step %d/%d  test loss %s%s  lambda %s  %.1f steps/s  %.0f s left%n",
        epoch + 1,
        step,
        steps,
        list("%.4g", test.losses()),
        accuracy,
        list("%.4g", values(lossWeights.values())),
        step / trainingSeconds(),
        elapsed * (steps - step) / step);
    out.flush();
  }

  private static double[] values(Collection<Double> boxed) {
    return boxed.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static String list(String format, double[] values) {
    return Arrays.stream(values)
        .mapToObj(value -> String.format(Locale.ROOT, format, value))
        .collect(Collectors.joining(" "));
  }
}
