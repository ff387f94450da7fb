package org.gradnorm4j.strategies;

import java.util.Set;
import org.gradnorm4j.weighting.Need;

/**
 * A strategy that draws something in each step. Two runs with the same seed draw the same, and so
 * does one that was saved and resumed.
 */
abstract class RandomStrategy extends StepStrategy<RandomStrategy.State> {
  private final long seed;

  /**
   * What is next to be drawn.
   *
   * @param generator state of {@link SplitMix}
   */
  record State(long generator) {}

  RandomStrategy(
      String id, String name, Set<Need> needs, StrategySettings settings, long seed) {
    super(id, name, needs, settings);
    this.seed = seed;
  }

  @Override
  final State first() {
    return new State(seed);
  }

  /** Each step has numbers of its own, however many of them it draws. */
  @Override
  final State after(State state, Deciding step) {
    return new State(new SplitMix(state.generator()).nextLong());
  }

  @Override
  public final Class<State> stateType() {
    return State.class;
  }
}
