package org.gradnorm4j.gradnorm;

import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.gradnorm4j.weighting.Decision;

/** Other settings for a run that has begun, and what they make of its state. */
record SettingsChange(GradNormSettings before, GradNormSettings after, List<String> taskNames) {

  /**
   * Refuses to change what the state was measured with.
   *
   * @throws IllegalArgumentException names the setting and the remedy
   */
  void check() {
    checkSame("lossScale", before.lossScale(), after.lossScale());
    checkSame("initialLoss", each(TaskSettings::initialLossOrFirst));
    checkSame("lossShift", each(TaskSettings::shiftOrNone));
    checkSame("lossFloor", each(TaskSettings::floorOrNone));
    checkSame("initialLossWeights", each(TaskSettings::initialLossWeight));
  }

  /** By task, before and after. */
  private Object[] each(Function<TaskSettings, Object> setting) {
    return new Object[] {
      before.of(taskNames).stream().map(setting).toList(),
      after.of(taskNames).stream().map(setting).toList()
    };
  }

  private static void checkSame(String name, Object... values) {
    if (!values[0].equals(values[1])) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s (%s) cannot change to %s in a run that has begun: what it remembers was measured, or begun, with it. Detach and call reset() first, or build another GradNorm with initialLossWeights(...)",
              name,
              values[0],
              values[1]));
    }
  }

  /**
   * The state to go on with: weights within the limits, and anew what does not fit another updater
   * or another smoothing.
   *
   * @throws IllegalArgumentException if no weights are within the limits, or a weight cannot move
   *     by the rule that is set; names it and the remedy
   */
  Decision<GradNormState> apply(GradNormState state, double[] lossWeights) {
    List<TaskSettings> tasks = after.of(taskNames);
    double total = WeightLimits.total(tasks, state.totalWeight());
    WeightLimits limits = WeightLimits.of(tasks, after.weightUpdate(), total);
    checkSigns(lossWeights, limits);
    GradNormState next = state.withTotal(total);
    if (!before.lossWeightUpdater().isOfKind(after.lossWeightUpdater())) {
      int count = taskNames.size();
      next = next.withOptimizer(new int[count], after.lossWeightUpdater().init(count));
    }
    if (before.smoothing() != after.smoothing()) {
      next = next.withoutAverages();
    }
    return Decision.of(next, limits.nearest(lossWeights));
  }

  private void checkSigns(double[] weights, WeightLimits limits) {
    for (int i = 0; i < weights.length; i++) {
      boolean stays = after.weightUpdate() == WeightUpdate.ADDITIVE || limits.isPinned(i);
      if (weights[i] < 0.0 && !stays) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "task '%s': loss weight (%s) must be > 0 to be updated multiplicatively. Wait until it is, or pin it",
                taskNames.get(i),
                weights[i]));
      }
    }
  }
}
