package org.gradnorm4j.strategies;

import java.util.Set;
import org.gradnorm4j.weighting.Need;

/** A strategy whose weights follow from the step that they are for, and from nothing else. */
abstract class StatelessStrategy extends StepStrategy<StatelessStrategy.None> {
  /** Nothing to remember. */
  record None() {}

  StatelessStrategy(String id, String name, Set<Need> needs, StrategySettings settings) {
    super(id, name, needs, settings);
  }

  /** As {@link StepStrategy#weigh}. */
  abstract double[] weigh(Deciding step);

  @Override
  final double[] weigh(None state, Deciding step) {
    return weigh(step);
  }

  @Override
  final None after(None state, Deciding step) {
    return state;
  }

  @Override
  final None first() {
    return new None();
  }

  @Override
  public final Class<None> stateType() {
    return None.class;
  }
}
