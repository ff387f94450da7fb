package org.gradnorm4j.gradnorm;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Loss weights to train with as constants: the mean of each &lambda;<sub>i</sub> over the last
 * steps of a run (Chen et al., section 5.3). Printed, they are the builder's calls that hold them:
 *
 * <pre>{@code
 * GradNorm.builder().pin("depth", 1.31).pin("normals", 0.69).build()
 * }</pre>
 *
 * @param lossWeights by task name, in the order of the tasks; copied
 * @param steps how many were averaged
 */
public record StaticWeights(Map<String, Double> lossWeights, int steps) {

  /**
   * Copies.
   *
   * @param lossWeights copied
   * @param steps see above
   */
  public StaticWeights {
    lossWeights = Collections.unmodifiableMap(new LinkedHashMap<>(lossWeights));
  }

  static StaticWeights of(StepTable.View history, int lastSteps) {
    if (lastSteps < 1) {
      throw new IllegalArgumentException("lastSteps (" + lastSteps + ") must be >= 1");
    }
    if (history.size() == 0) {
      throw new IllegalStateException("no step is recorded yet. Train first");
    }
    int steps = Math.min(lastSteps, history.size());
    Map<String, Double> means = new LinkedHashMap<>();
    for (int task = 0; task < history.tasks(); task++) {
      double sum = 0.0;
      for (int step = history.size() - steps; step < history.size(); step++) {
        sum += history.lossWeight(step, task);
      }
      means.put(history.taskNames().get(task), sum / steps);
    }
    return new StaticWeights(means, steps);
  }

  /** Java code, the weights to six digits. */
  @Override
  public String toString() {
    return lossWeights.entrySet().stream()
        .map(
            entry ->
                ".pin(\"%s\", %s)"
                    .formatted(
                        entry.getKey().replace("\\", "\\\\").replace("\"", "\\\""),
                        String.format(Locale.ROOT, "%.6g", entry.getValue())))
        .collect(Collectors.joining("", "GradNorm.builder()", ".build()"));
  }
}
