package org.gradnorm4j.gradnorm;

import java.util.List;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;

/**
 * The losses GradNorm compares, from those that were measured: in the scale that is set, shifted,
 * and not under their floor.
 *
 * @param shifts by task; 0 for none
 * @param floors by task; −∞ for none
 * @param uninformed by task, per label; NaN where not known
 */
record LossReading(LossScale scale, double[] shifts, double[] floors, double[] uninformed) {

  static LossReading of(LossScale scale, List<TaskSettings> tasks, double[] uninformed) {
    return new LossReading(
        scale,
        tasks.stream().mapToDouble(TaskSettings::shiftOrNone).toArray(),
        tasks.stream().mapToDouble(TaskSettings::floorOrNone).toArray(),
        uninformed);
  }

  /** L_i; NaN for an absent task in the scale of the labels. */
  double[] losses(StepMeasurement measurement) {
    double[] losses =
        scale == LossScale.LABELS ? measurement.lossesPerLabel() : measurement.losses();
    return adjusted(losses);
  }

  /** What L_i would have been, had the outputs given every class the same probability. */
  double[] uninformed(StepMeasurement measurement) {
    double[] losses = measurement.losses();
    double[] perLabel = measurement.lossesPerLabel();
    double[] values = uninformed.clone();
    for (int i = 0; i < values.length; i++) {
      if (scale == LossScale.EXAMPLES && losses[i] != 0.0) {
        values[i] *= losses[i] / perLabel[i]; // labels per example
      }
    }
    return adjusted(values);
  }

  private double[] adjusted(double[] losses) {
    return IntStream.range(0, losses.length)
        .mapToDouble(i -> Math.max(losses[i] + shifts[i], floors[i]))
        .toArray();
  }
}
