package org.gradnorm4j.examples;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** Test errors of all seeds, and what their differences say. Lower is better in all of them. */
final class TableResults {
  private final double testToTrain;
  private final List<Map<TableMethod, double[]>> errors = new ArrayList<>();
  private final List<double[]> lossWeights = new ArrayList<>();

  /**
   * Of no seeds yet.
   *
   * @param testToTrain n_test/n_train if each seed has its own random split, else 0
   */
  TableResults(double testToTrain) {
    this.testToTrain = testToTrain;
  }

  /**
   * Results of one seed.
   *
   * @param errorsByMethod one value per task
   * @param finalLossWeights GradNorm's λ_i after the last step
   */
  void add(Map<TableMethod, double[]> errorsByMethod, double[] finalLossWeights) {
    errors.add(new EnumMap<>(errorsByMethod));
    lossWeights.add(finalLossWeights);
  }

  int seeds() {
    return errors.size();
  }

  /** The error of a task, one value per seed. */
  double[] errors(TableMethod method, int task) {
    return perSeed(seed -> errors.get(seed).get(method)[task]);
  }

  Interval error(TableMethod method, int task) {
    return Interval.of(errors(method, task), testToTrain);
  }

  /** The error of a method less that of equal weights, one value per seed. */
  double[] differences(TableMethod method, int task) {
    return perSeed(
        seed -> errors.get(seed).get(method)[task] - errors.get(seed).get(TableMethod.EQUAL)[task]);
  }

  Interval difference(TableMethod method, int task) {
    return Interval.of(differences(method, task), testToTrain);
  }

  double lossWeight(int task) {
    return Interval.of(perSeed(seed -> lossWeights.get(seed)[task]), 0.0).mean();
  }

  private double[] perSeed(IntToDoubleFunction value) {
    return IntStream.range(0, seeds()).mapToDouble(value).toArray();
  }
}
