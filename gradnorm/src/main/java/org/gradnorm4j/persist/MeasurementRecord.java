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
   * @throws IllegalArgumentException if an array has another length than the tasks, or a count is
   *     negative
   */
  public StepMeasurement toMeasurement() {
    return StepMeasurement.of(tasks)
        .at(iteration, epoch)
        .batchSize(batchSize)
        .present(present)
        .losses(losses)
        .lossesPerLabel(lossesPerLabel)
        .gradientNorms(gradientNorms)
        .lossWeights(lossWeights)
        .build();
  }
}
