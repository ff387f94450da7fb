package org.gradnorm4j.persist;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import org.gradnorm4j.weighting.SkipCause;

/**
 * A {@link BalancedStep} in a file. Arrays are not to be modified.
 *
 * @param measurement of the step
 * @param quantities that the strategy reports
 * @param values by quantity: by task, or one number
 * @param nextLossWeights of the next step, by task
 * @param skipCauses by task; empty if the step was not skipped
 */
public record StepRecord(
    MeasurementRecord measurement,
    List<QuantityRecord> quantities,
    double[][] values,
    double[] nextLossWeights,
    Map<String, List<SkipCause>> skipCauses) {

  /**
   * Refuses what is no step.
   *
   * @param measurement see above
   * @param quantities see above
   * @param values see above
   * @param nextLossWeights see above
   * @param skipCauses see above
   * @throws IllegalArgumentException names what is wrong
   */
  public StepRecord {
    for (double weight : nextLossWeights) {
      Arguments.check(Double.isFinite(weight), "nextLossWeights", weight, "must be finite");
    }
    step(measurement, quantities, values, nextLossWeights, skipCauses);
  }

  /**
   * What a file has of a step.
   *
   * @param step any
   * @return all of it
   */
  public static StepRecord of(BalancedStep step) {
    List<Quantity> quantities = step.quantities();
    Map<String, List<SkipCause>> causes = new LinkedHashMap<>();
    step.skipCauses().forEach((task, why) -> causes.put(task, List.copyOf(why)));
    return new StepRecord(
        MeasurementRecord.of(step.measurement()),
        quantities.stream().map(QuantityRecord::of).toList(),
        quantities.stream()
            .map(
                quantity ->
                    quantity.isPerTask()
                        ? step.values(quantity)
                        : new double[] {step.value(quantity)})
            .toArray(double[][]::new),
        step.nextLossWeights(),
        causes);
  }

  /**
   * The step.
   *
   * @return equal to the one that was written
   */
  public BalancedStep toStep() {
    return step(measurement, quantities, values, nextLossWeights, skipCauses);
  }

  private static BalancedStep step(
      MeasurementRecord measurement,
      List<QuantityRecord> quantities,
      double[][] values,
      double[] nextLossWeights,
      Map<String, List<SkipCause>> skipCauses) {
    Arguments.check(measurement != null, "measurement", null, "must not be null");
    Arguments.check(
        values.length == quantities.size(), "values", values.length, "must be by quantity");
    Map<Quantity, double[]> byQuantity = new LinkedHashMap<>();
    for (int i = 0; i < values.length; i++) {
      Quantity quantity = quantities.get(i).toQuantity();
      Arguments.check(
          byQuantity.put(quantity, values[i]) == null, "quantity", quantity, "is there twice");
    }
    Map<String, Set<SkipCause>> causes = new LinkedHashMap<>();
    skipCauses.forEach(
        (task, why) -> {
          Arguments.check(!why.isEmpty(), "skipCauses", task, "must name a cause");
          causes.put(task, EnumSet.copyOf(why));
        });
    return BalancedStep.of(measurement.toMeasurement(), byQuantity, nextLossWeights, causes);
  }
}
