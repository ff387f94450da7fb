package org.gradnorm4j.balancer;

import org.gradnorm4j.history.HistoryLimit;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Timing;

/** Settings of a {@link LossBalancer} beside those of its strategy, each with its default. */
public final class LossBalancerBuilder {
  private final LossWeighting<?> weighting;
  private BalancerSettings settings;

  LossBalancerBuilder(LossWeighting<?> weighting) {
    this.weighting =
        Arguments.given(
            weighting, "weighting", "must be a strategy, such as EqualWeights.create()");
    settings = BalancerSettings.DEFAULT.withTiming(weighting.timing());
  }

  /**
   * The layer, or the layers taken together, whose weights are W. Default: the last trainable layer
   * that all tasks depend on, normalization and PReLU aside; for the terms of one output, the
   * output layer itself.
   *
   * @param names of layers in the network; none for the default
   * @return this
   * @throws IllegalArgumentException if a name is null or blank
   */
  public LossBalancerBuilder sharedLayer(String... names) {
    settings = settings.withSharedLayers(names);
    return this;
  }

  /**
   * Measures, and moves the weights, in the first of every so many training steps only. The steps
   * between cost nothing, keep the weights, and are not in the history. Default: 1, every step.
   *
   * @param steps from one measured step to the next, &ge; 1
   * @return this
   * @throws IllegalArgumentException if less than 1
   */
  public LossBalancerBuilder measureEvery(int steps) {
    settings = settings.withMeasureEvery(steps);
    return this;
  }

  /**
   * Which step the weights are for. Default: as the strategy was published, {@link
   * LossWeighting#timing()}. A strategy of the same step can be run with {@link Timing#NEXT_STEP}:
   * its weights then stand before the losses of the next step, heads included, as where the
   * gradients of a step cannot be combined: under a ParallelWrapper, with penalties as tasks, with
   * layers that go around the shared one.
   *
   * @param step the one that was measured, or the next
   * @return this
   * @throws IllegalArgumentException if null, or the strategy decides for the next step only
   */
  public LossBalancerBuilder timing(Timing step) {
    settings = settings.withTiming(step);
    Arguments.check(
        step == Timing.NEXT_STEP || weighting.timing() == Timing.SAME_STEP,
        "timing",
        step,
        "must be NEXT_STEP: " + weighting.name() + " decides for the next step");
    return this;
  }

  /**
   * What to do about NaN and infinity. Default: {@link NonFinitePolicy#SKIP}.
   *
   * @param policy leave the weights alone, or end the fit
   * @return this
   * @throws IllegalArgumentException if null
   */
  public LossBalancerBuilder onNonFinite(NonFinitePolicy policy) {
    settings = settings.withOnNonFinite(policy);
    return this;
  }

  /**
   * How much of the history is kept in memory. Default: {@link HistoryLimit#byDefault()}.
   *
   * @param limit {@code History.all()}, {@code History.lastSteps(n)} or {@code History.none()}
   * @return this
   * @throws IllegalArgumentException if null
   */
  public LossBalancerBuilder history(HistoryLimit limit) {
    settings = settings.withHistory(limit);
    return this;
  }

  /**
   * Builds.
   *
   * @return a balancer with these settings, attached to nothing
   */
  public LossBalancer build() {
    return new LossBalancer(weighting, settings);
  }
}
