package org.gradnorm4j.balancer;

import java.util.Map;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;

/**
 * A strategy without a network, guarded as in training. Immutable: each step gives another.
 *
 * @param weighting the strategy
 * @param state its state
 * @param lossWeights of the next step
 * @param step that led here; null at the start
 * @param notices what the user was told in it, by kind
 */
public record DryRun<S extends Record>(
    LossWeighting<S> weighting,
    S state,
    double[] lossWeights,
    BalancedStep step,
    Map<String, String> notices) {

  /** Before the first step. */
  public static <S extends Record> DryRun<S> begin(LossWeighting<S> weighting, Tasks tasks) {
    Decision<S> first = weighting.init(tasks);
    return new DryRun<>(weighting, first.state(), first.lossWeights(), null, Map.of());
  }

  /** Where a run may be. */
  public static <S extends Record> DryRun<S> at(
      LossWeighting<S> weighting, S state, double[] lossWeights) {
    return new DryRun<>(weighting, state, lossWeights, null, Map.of());
  }

  /** After a step. */
  public DryRun<S> take(StepMeasurement measurement) {
    StepGuard.Taken<S> taken =
        StepGuard.take(weighting, weighting.timing(), state, lossWeights, measurement);
    return new DryRun<>(
        weighting, taken.state(), taken.lossWeights(), taken.record(), taken.notices());
  }
}
