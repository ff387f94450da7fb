package org.gradnorm4j.history;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.commons.math3.util.FastMath;

/**
 * Loss weights to train with as constants: the mean of each &lambda;<sub>i</sub> over late steps of
 * a run (Chen et al., section 5.3). Printed, they are the strategy that holds them:
 *
 * <pre>{@code
 * FixedWeights.of(Map.of("depth", 1.31, "normals", 0.69))
 * }</pre>
 *
 * <p>If a weight moved by more than a factor of 10 within these steps, the means are geometric, as
 * an arithmetic one would be that of the largest values only: exp(mean of log
 * &lambda;<sub>i</sub>), times the one factor that brings &Sigma; &lambda; back. Weights that did
 * not move stay exact.
 *
 * <p><b>Note:</b> the paper says only that the weights are averaged over time. Over a whole run the
 * mean is mostly of the way there.
 *
 * @param lossWeights by task name, in the order of the tasks; copied
 * @param steps how many were averaged
 * @param geometric whether the means are geometric
 */
public record StaticWeights(Map<String, Double> lossWeights, int steps, boolean geometric) {
  /** Weights that move by more than this are averaged geometrically. */
  private static final double DECADE = 10.0;

  /** The share of a run's steps that is late: one in so many. */
  private static final int LATE = 4;

  /** {@code Map.of} takes no more. */
  private static final int MOST_OF_MAP_OF = 10;

  /**
   * Copies.
   *
   * @param lossWeights copied
   * @param steps see above
   * @param geometric see above
   */
  public StaticWeights {
    lossWeights = Collections.unmodifiableMap(new LinkedHashMap<>(lossWeights));
  }

  /**
   * Over the last quarter of the run, or what of it is kept step by step.
   *
   * @param history of at least one step that is kept
   * @return the means
   * @throws IllegalStateException if no step is kept; says the remedy
   */
  public static StaticWeights ofLateSteps(HistoryView history) {
    long late = Math.max(1, history.counts().steps() / LATE);
    return of(history, (int) Math.min(Integer.MAX_VALUE, late));
  }

  /**
   * Over some steps.
   *
   * @param history of at least one step that is kept
   * @param lastSteps how many, &ge; 1; all that are kept one by one if there are fewer
   * @return the means
   * @throws IllegalArgumentException if lastSteps is less than 1
   * @throws IllegalStateException if no step is kept; says the remedy
   */
  public static StaticWeights of(HistoryView history, int lastSteps) {
    if (lastSteps < 1) {
      throw new IllegalArgumentException("lastSteps (" + lastSteps + ") must be >= 1");
    }
    if (history.counts().steps() == 0) {
      throw new IllegalStateException("no step is recorded yet. Train first");
    }
    if (history.size() == history.exact()) {
      throw new IllegalStateException(
          "no step is kept. Build the balancer with history(History.all()) or history(History.lastSteps(n))");
    }
    int steps = Math.min(lastSteps, history.size() - history.exact());
    List<Course> courses =
        IntStream.range(0, history.tasks())
            .mapToObj(task -> Course.of(history, task, steps))
            .toList();
    boolean geometric =
        courses.stream().allMatch(course -> course.least() > 0.0)
            && courses.stream().anyMatch(course -> course.most() > DECADE * course.least());
    double factor = geometric ? factor(courses) : 1.0;
    Map<String, Double> means = new LinkedHashMap<>();
    for (int task = 0; task < courses.size(); task++) {
      Course course = courses.get(task);
      double mean = geometric ? factor * course.geometricMean() : course.mean();
      means.put(history.taskNames().get(task), course.isConstant() ? course.least() : mean);
    }
    return new StaticWeights(means, steps, geometric);
  }

  /** What geometric means are multiplied by, so that they sum to what the weights did. */
  private static double factor(List<Course> courses) {
    double sum = 0.0;
    double geometric = 0.0;
    for (Course course : courses) {
      sum += course.isConstant() ? 0.0 : course.mean();
      geometric += course.isConstant() ? 0.0 : course.geometricMean();
    }
    return sum / geometric;
  }

  /** A task's weights over some steps. The geometric mean is NaN if one is negative. */
  private record Course(double least, double most, double mean, double geometricMean) {
    static Course of(HistoryView history, int task, int steps) {
      double least = Double.POSITIVE_INFINITY;
      double most = Double.NEGATIVE_INFINITY;
      double sum = 0.0;
      double logs = 0.0;
      for (int step = history.size() - steps; step < history.size(); step++) {
        double weight = history.lossWeight(step, task);
        least = Math.min(least, weight);
        most = Math.max(most, weight);
        sum += weight;
        logs += FastMath.log(weight);
      }
      return new Course(least, most, sum / steps, FastMath.exp(logs / steps));
    }

    boolean isConstant() {
      return least == most;
    }
  }

  /**
   * Others over the same steps, such as what limits make of these.
   *
   * @param weights by task; not modified
   * @return these weights
   */
  public StaticWeights with(double[] weights) {
    Map<String, Double> others = new LinkedHashMap<>(lossWeights);
    int task = 0;
    for (Map.Entry<String, Double> entry : others.entrySet()) {
      entry.setValue(weights[task++]);
    }
    return new StaticWeights(others, steps, geometric);
  }

  /**
   * The weights.
   *
   * @return by task, in the order of the tasks
   */
  public double[] toArray() {
    return lossWeights.values().stream().mapToDouble(Double::doubleValue).toArray();
  }

  /**
   * Which mean it is, over which steps.
   *
   * @return to be read
   */
  public String describe() {
    return String.format(
        Locale.ROOT,
        "%s mean of each task's weight over the last %,d recorded %s",
        geometric ? "Geometric" : "Arithmetic",
        steps,
        steps == 1 ? "step" : "steps");
  }

  /** Java code, the weights to six digits. */
  @Override
  public String toString() {
    boolean few = lossWeights.size() <= MOST_OF_MAP_OF;
    return lossWeights.entrySet().stream()
        .map(
            entry ->
                String.format(
                    Locale.ROOT,
                    few ? "\"%s\", %.6g" : "Map.entry(\"%s\", %.6g)",
                    entry.getKey().replace("\\", "\\\\").replace("\"", "\\\""),
                    entry.getValue()))
        .collect(
            Collectors.joining(", ", "FixedWeights.of(Map." + (few ? "of(" : "ofEntries("), "))"));
  }
}
