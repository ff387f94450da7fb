package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.Quantity;
import org.gradnorm4j.weighting.Timing;

/**
 * The strategies of this package whose weights follow from the step that they are for, and from
 * nothing before it but a state of random numbers. Not for others to extend.
 *
 * <p>Tasks that are absent, or have no gradient or loss to go by, neither count nor change. With
 * fewer than two others nothing changes, and neither where no weights solve the equation, which is
 * told once. Settings may change in a run that has begun.
 *
 * @param <S> the state
 */
public abstract class StepStrategy<S extends Record> implements LossWeighting<S> {
  /** What {@link #weigh} returns if no weights solve the equation. */
  static final double[] NO_SOLUTION = {};

  /** The state of a strategy that remembers nothing. */
  public record None() {}

  private final String id;
  private final String name;
  private final Set<Need> needs;
  private final StrategySettings settings;
  private final S first;

  StepStrategy(String id, String name, Set<Need> needs, StrategySettings settings, S first) {
    this.id = id;
    this.name = name;
    this.needs = needs;
    this.settings = settings;
    this.first = first;
    Arguments.given(settings.scale(), "scale", "must be one of WeightScale");
  }

  /**
   * The equation.
   *
   * @param state what is drawn in this step follows from it
   * @param step two tasks or more
   * @return &lambda; of the tasks decided on, on the published scale, or {@link #NO_SOLUTION}
   */
  abstract double[] weigh(S state, Deciding step);

  /** The state after a step that was decided on. */
  S after(S state) {
    return state;
  }

  /** Whether it divides by losses, so that they must be &gt; 0. */
  boolean dividesByLosses() {
    return false;
  }

  /** Refuses settings that do not fit the tasks. */
  void checkSettings(Tasks tasks) {}

  @Override
  public final Decision<S> decide(S state, double[] lossWeights, StepMeasurement step) {
    Deciding deciding = Deciding.of(step, needs, dividesByLosses());
    if (deciding.size() < 2) {
      return Decision.of(state, lossWeights);
    }
    double[] weights = weigh(state, deciding);
    if (weights.length == 0) {
      return Decision.of(state, lossWeights)
          .withNotice(
              "no solution",
              String.format(
                  Locale.ROOT,
                  "%s: no weights solve its equation for the gradients in iteration %d. The weights stay as they are in such steps",
                  name,
                  step.iteration()));
    }
    double[] scaled = settings.scale().of(weights);
    if (!Arrays.stream(scaled).allMatch(Double::isFinite)) {
      return Decision.skip(state, lossWeights, deciding.names());
    }
    return Decision.of(after(state), deciding.among(lossWeights, scaled));
  }

  @Override
  public final String id() {
    return id;
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Record settings() {
    return (Record) settings;
  }

  @Override
  public final Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>(settings.describe());
    if (settings.scale() == WeightScale.SUM_OF_TASKS) {
      all.put("scale", "sum of weights = number of tasks");
    }
    return all;
  }

  @Override
  public final Set<Need> needs() {
    return needs;
  }

  @Override
  public final Timing timing() {
    return Timing.SAME_STEP;
  }

  @Override
  public final List<Quantity> quantities() {
    return List.of();
  }

  @Override
  @SuppressWarnings("unchecked") // a record's class is its own
  public final Class<S> stateType() {
    return (Class<S>) first.getClass();
  }

  @Override
  public final Decision<S> init(Tasks tasks) {
    checkSettings(tasks);
    return Decision.of(first, tasks.configuredLossWeights());
  }

  @Override
  public final void check(S state, double[] lossWeights, Tasks tasks) {
    checkSettings(tasks); // any weights may have been reached
  }

  /** Settings may change at any time: nothing was begun with them. */
  @Override
  public final Decision<S> adopt(
      LossWeighting<S> before, S state, double[] lossWeights, Tasks tasks) {
    checkSettings(tasks);
    return Decision.of(state, lossWeights);
  }
}
