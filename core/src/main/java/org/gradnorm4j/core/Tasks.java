package org.gradnorm4j.core;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tasks whose losses make up L = &Sigma;<sub>i</sub> &lambda;<sub>i</sub> L<sub>i</sub>: the
 * order of every array by task, and what is known of each before the first step. Immutable.
 */
public final class Tasks {
  private final List<String> names;
  private final double[] configuredLossWeights;
  private final double[] uninformedLosses;

  private Tasks(List<String> names, double[] configuredLossWeights, double[] uninformedLosses) {
    this.names = names;
    this.configuredLossWeights = configuredLossWeights;
    this.uninformedLosses = uninformedLosses;
  }

  /**
   * Tasks of which nothing but the names is known: configured loss weights of 1, uninformed losses
   * NaN.
   *
   * @param names at least one, all different; copied
   * @return the tasks, in that order
   * @throws IllegalArgumentException if there is no name, or one is null, or there twice
   */
  public static Tasks of(List<String> names) {
    double[] weights = new double[names == null ? 0 : names.size()];
    double[] losses = weights.clone();
    Arrays.fill(weights, 1.0);
    Arrays.fill(losses, Double.NaN);
    return of(names, weights, losses);
  }

  /**
   * Tasks of a network.
   *
   * @param names at least one, all different; copied
   * @param configuredLossWeights &lambda;<sub>i</sub> as the network is configured, one per task: 1
   *     for a plain output, else that of its term or penalty; finite and &ge; 0; copied
   * @param uninformedLosses L<sub>i</sub> per label of an output that knows nothing, one per task;
   *     NaN where it cannot be known; copied
   * @return the tasks, in that order
   * @throws IllegalArgumentException if there is no name, or one is null, or there twice; if an
   *     array has another length than {@code names}; if a weight is negative, infinite or NaN
   */
  public static Tasks of(
      List<String> names, double[] configuredLossWeights, double[] uninformedLosses) {
    checkNames(names);
    TaskArrays.checkLength("configuredLossWeights", configuredLossWeights, names);
    TaskArrays.checkLength("uninformedLosses", uninformedLosses, names);
    for (int i = 0; i < configuredLossWeights.length; i++) {
      if (!(configuredLossWeights[i] >= 0.0 && Double.isFinite(configuredLossWeights[i]))) {
        throw new IllegalArgumentException(
            "task '"
                + names.get(i)
                + "': configured loss weight ("
                + configuredLossWeights[i]
                + ") must be >= 0 and finite");
      }
    }
    return new Tasks(List.copyOf(names), configuredLossWeights.clone(), uninformedLosses.clone());
  }

  private static void checkNames(List<String> names) {
    if (names == null || names.isEmpty()) {
      throw new IllegalArgumentException("names (" + names + ") must name at least one task");
    }
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (name == null || !seen.add(name)) {
        throw new IllegalArgumentException(
            "names " + names + " must not have null, or a name twice (" + name + ")");
      }
    }
  }

  /**
   * The names, in the order of every array by task.
   *
   * @return outputs, terms, penalties; unmodifiable
   */
  public List<String> names() {
    return names;
  }

  /**
   * How many there are.
   *
   * @return T, &ge; 1
   */
  public int size() {
    return names.size();
  }

  /**
   * An array by task as a map.
   *
   * @param values one per task; copied
   * @return the values by name, in the order of the tasks; unmodifiable
   * @throws IllegalArgumentException if null, or not one value per task
   */
  public Map<String, Double> byName(double[] values) {
    TaskArrays.checkLength("values", values, names);
    Map<String, Double> byName = new LinkedHashMap<>();
    for (int i = 0; i < values.length; i++) {
      byName.put(names.get(i), values[i]);
    }
    return Collections.unmodifiableMap(byName);
  }

  /**
   * The loss weights the network is configured with.
   *
   * @return &lambda;<sub>i</sub>, one per task; a copy
   */
  public double[] configuredLossWeights() {
    return configuredLossWeights.clone();
  }

  /**
   * What the loss of each task is, per label, while its output gives every class the same
   * probability: log C for the cross-entropy of C classes (softmax), C log 2 for that of C
   * sigmoids.
   *
   * @return one value per task, NaN where it cannot be known: regressions, class weights,
   *     penalties; a copy
   */
  public double[] uninformedLosses() {
    return uninformedLosses.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Tasks that
        && names.equals(that.names)
        && Arrays.equals(configuredLossWeights, that.configuredLossWeights)
        && Arrays.equals(uninformedLosses, that.uninformedLosses);
  }

  @Override
  public int hashCode() {
    return names.hashCode();
  }

  @Override
  public String toString() {
    return "Tasks" + names;
  }
}
