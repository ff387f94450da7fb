package org.gradnorm4j.persist;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import org.gradnorm4j.weighting.SkipCause;

/**
 * A {@link BalancedStep} in a file. Arrays are by task; not to be modified.
 *
 * @param iteration of Deeplearning4j
 * @param epoch of Deeplearning4j
 * @param batchSize examples in the minibatch
 * @param tasks their names
 * @param present whether the minibatch had labels of the task
 * @param losses as measured
 * @param lossesPerLabel as measured
 * @param gradientNorms as measured
 * @param lossWeights of the step
 * @param quantities that the strategy reports
 * @param values by quantity: by task, or one number
 * @param nextLossWeights of the next step
 * @param skipCauses by task; empty if the step was not skipped
 */
public record StepRecord(
    int iteration,
    int epoch,
    int batchSize,
    List<String> tasks,
    boolean[] present,
    double[] losses,
    double[] lossesPerLabel,
    double[] gradientNorms,
    double[] lossWeights,
    List<QuantityRecord> quantities,
    double[][] values,
    double[] nextLossWeights,
    Map<String, List<SkipCause>> skipCauses) {

  /**
   * Refuses what no step can have.
   *
   * @param iteration see above
   * @param epoch see above
   * @param batchSize see above
   * @param tasks see above
   * @param present see above
   * @param losses see above
   * @param lossesPerLabel see above
   * @param gradientNorms see above
   * @param lossWeights see above
   * @param quantities see above
   * @param values see above
   * @param nextLossWeights see above
   * @param skipCauses see above
   * @throws IllegalArgumentException names what is wrong
   */
  public StepRecord {
    check(iteration >= 0, "iteration", iteration, "must be >= 0");
    check(epoch >= 0, "epoch", epoch, "must be >= 0");
    check(batchSize >= 0, "batchSize", batchSize, "must be >= 0");
    check(values.length == quantities.size(), "values", values.length, "must be by quantity");
    for (double weight : nextLossWeights) {
      check(Double.isFinite(weight), "nextLossWeights", weight, "must be finite");
    }
    toStep(
        StepMeasurement.of(
            iteration,
            epoch,
            batchSize,
            tasks,
            present,
            losses,
            lossesPerLabel,
            gradientNorms,
            lossWeights),
        quantities,
        values,
        nextLossWeights,
        skipCauses);
  }

  private static void check(boolean holds, String name, Object value, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s (%s) %s", name, value, rule));
    }
  }

  /**
   * What a file has of a step.
   *
   * @param step any
   * @return all of it
   */
  public static StepRecord of(BalancedStep step) {
    StepMeasurement measurement = step.measurement();
    List<Quantity> quantities = step.quantities();
    Map<String, List<SkipCause>> causes = new LinkedHashMap<>();
    step.skipCauses().forEach((task, why) -> causes.put(task, List.copyOf(why)));
    return new StepRecord(
        measurement.iteration(),
        measurement.epoch(),
        measurement.batchSize(),
        measurement.taskNames(),
        measurement.present(),
        measurement.losses(),
        measurement.lossesPerLabel(),
        measurement.gradientNorms(),
        measurement.lossWeights(),
        quantities.stream().map(QuantityRecord::of).toList(),
        quantities.stream().map(quantity -> values(step, quantity)).toArray(double[][]::new),
        step.nextLossWeights(),
        causes);
  }

  private static double[] values(BalancedStep step, Quantity quantity) {
    return quantity.isPerTask() ? step.values(quantity) : new double[] {step.value(quantity)};
  }

  /**
   * The step.
   *
   * @return equal to the one that was written
   */
  public BalancedStep toStep() {
    return toStep(
        StepMeasurement.of(
            iteration,
            epoch,
            batchSize,
            tasks,
            present,
            losses,
            lossesPerLabel,
            gradientNorms,
            lossWeights),
        quantities,
        values,
        nextLossWeights,
        skipCauses);
  }

  private static BalancedStep toStep(
      StepMeasurement measurement,
      List<QuantityRecord> quantities,
      double[][] values,
      double[] nextLossWeights,
      Map<String, List<SkipCause>> skipCauses) {
    Map<Quantity, double[]> byQuantity = new LinkedHashMap<>();
    for (int i = 0; i < values.length; i++) {
      Quantity quantity = quantities.get(i).toQuantity();
      check(byQuantity.put(quantity, values[i]) == null, "quantity", quantity, "is there twice");
    }
    Map<String, Set<SkipCause>> causes = new LinkedHashMap<>();
    skipCauses.forEach(
        (task, why) -> {
          check(!why.isEmpty(), "skipCauses", task, "must name a cause");
          causes.put(task, EnumSet.copyOf(why));
        });
    return BalancedStep.of(measurement, byQuantity, nextLossWeights, causes);
  }
}
