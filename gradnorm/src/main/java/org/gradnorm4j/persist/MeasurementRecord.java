package org.gradnorm4j.persist;

import java.util.List;
import org.gradnorm4j.core.StepMeasurement;

/**
 * A {@link StepMeasurement} in a file. Arrays are by task; not to be modified.
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
 */
public record MeasurementRecord(
    int iteration,
    int epoch,
    int batchSize,
    List<String> tasks,
    boolean[] present,
    double[] losses,
    double[] lossesPerLabel,
    double[] gradientNorms,
    double[] lossWeights) {

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
   * @throws IllegalArgumentException names what is wrong
   */
  public MeasurementRecord {
    if (iteration < 0 || epoch < 0 || batchSize < 0) {
      throw new IllegalArgumentException(
          "iteration ("
              + iteration
              + "), epoch ("
              + epoch
              + ") and batchSize ("
              + batchSize
              + ") must be >= 0");
    }
  }

  /**
   * What a file has of a measurement.
   *
   * @param step any
   * @return all of it
   */
  public static MeasurementRecord of(StepMeasurement step) {
    return new MeasurementRecord(
        step.iteration(),
        step.epoch(),
        step.batchSize(),
        step.taskNames(),
        step.present(),
        step.losses(),
        step.lossesPerLabel(),
        step.gradientNorms(),
        step.lossWeights());
  }

  /**
   * The measurement.
   *
   * @return equal to the one that was written
   * @throws IllegalArgumentException if an array has another length than the tasks
   */
  public StepMeasurement toMeasurement() {
    return new StepMeasurement(
        iteration,
        epoch,
        batchSize,
        tasks,
        present,
        losses,
        lossesPerLabel,
        gradientNorms,
        lossWeights);
  }
}
