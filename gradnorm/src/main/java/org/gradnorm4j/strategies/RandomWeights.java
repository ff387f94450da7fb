package org.gradnorm4j.strategies;

import java.util.Map;
import java.util.Set;

/**
 * Random loss weighting (Lin et al., <i>Reasonable Effectiveness of Random Weighting</i>, TMLR
 * 2022, arXiv 2111.10603, section 3). New random weights in each step: the baseline that a strategy
 * has to beat before its rule means anything.
 *
 * <pre>
 *   λ = T · softmax(z),  z_i ~ N(0, 1), drawn anew in each step
 * </pre>
 *
 * <p>Needs no measurement. Acts in the same step, and on heads and shared layers alike: the weights
 * multiply the losses. &Sigma; &lambda; = T over the tasks that are present.
 *
 * <p><b>Note:</b> in the authors' code the weights sum to 1, which is a learning rate T times
 * smaller than that of equal weights. Draws follow from a seed and the number of steps, so that a
 * run can be repeated and resumed.
 */
public final class RandomWeights extends StepStrategy<SplitMix.State> {
  static final String ID = "rlw";

  RandomWeights(Settings settings) {
    super(ID, "Random weights", Set.of(), settings, new SplitMix.State(settings.seed));
  }

  /**
   * With seed 0.
   *
   * @return the strategy
   */
  public static RandomWeights create() {
    return new RandomWeights(new Settings(0L));
  }

  /**
   * With other numbers.
   *
   * @param seed any number
   * @return the strategy
   */
  public RandomWeights withSeed(long seed) {
    return new RandomWeights(new Settings(seed));
  }

  /** Settings, as in the factories. */
  record Settings(long seed) implements StrategySettings {
    @Override
    public Map<String, String> describe() {
      return Map.of("seed", Long.toString(seed));
    }
  }

  @Override
  public boolean headsWeighted() {
    return true;
  }

  @Override
  SplitMix.State after(SplitMix.State state) {
    return state.next();
  }

  @Override
  double[] weigh(SplitMix.State state, Deciding step) {
    SplitMix random = new SplitMix(state);
    double[] z = step.mean();
    for (int i = 0; i < z.length; i++) {
      z[i] = random.nextGaussian();
    }
    return Softmax.timesTasks(z);
  }
}
