package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.weighting.Need;

/**
 * Projecting conflicting gradients (Yu et al., <i>Gradient Surgery for Multi-Task Learning</i>,
 * NeurIPS 2020, Algorithm 1). From each gradient what conflicts with another is taken away, one
 * after the other in random order.
 *
 * <pre>
 *   for each i:  c = e_i;  for all j ≠ i, in an order drawn for i:
 *                if (Gc)_j &lt; 0:  c_j ← c_j − (Gc)_j / G_jj
 *   λ = Σ_i c
 *
 *   (Gc)_j  the product of g_j and what is left of g_i
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. &Sigma; &lambda; is T
 * without conflict, and more with it: the paper sums the projected gradients.
 *
 * <p><b>Note:</b> one order for each i, as in the paper; code that shuffles once, or goes through j
 * = i, gives another sum for three tasks or more. The orders follow from a seed and the number of
 * steps, so that a run can be repeated and resumed.
 */
public final class PcGrad extends StepStrategy<SplitMix.State> {
  static final String ID = "pcgrad";

  private final Settings settings;

  PcGrad(Settings settings) {
    super(ID, "PCGrad", Set.of(Need.GRAM), settings, new SplitMix.State(settings.seed));
    this.settings = settings;
  }

  /**
   * With seed 0.
   *
   * @return the strategy
   */
  public static PcGrad create() {
    return new PcGrad(new Settings(0L, WeightScale.AS_PUBLISHED));
  }

  /**
   * With other orders.
   *
   * @param seed any number
   * @return the strategy
   */
  public PcGrad withSeed(long seed) {
    return new PcGrad(new Settings(seed, settings.scale));
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public PcGrad with(WeightScale scale) {
    return new PcGrad(new Settings(settings.seed, scale));
  }

  /** Settings, as in the factories. */
  record Settings(long seed, WeightScale scale) implements StrategySettings {
    @Override
    public Map<String, String> describe() {
      return seed == 0L ? Map.of() : Map.of("seed", Long.toString(seed));
    }
  }

  @Override
  SplitMix.State after(SplitMix.State state) {
    return state.next();
  }

  @Override
  double[] weigh(SplitMix.State state, Deciding step) {
    Gram gram = step.gram();
    SplitMix random = new SplitMix(state);
    double[] sum = new double[gram.size()];
    for (int i = 0; i < sum.length; i++) {
      double[] c = new double[sum.length]; // in units of 1/n: products are cosines
      c[i] = gram.norms()[i];
      for (int j : random.permutation(sum.length)) {
        double product = Gram.dot(gram.cosines()[j], c);
        if (j != i && product < 0.0) {
          c[j] -= product;
        }
      }
      Arrays.setAll(sum, j -> sum[j] + c[j]);
    }
    return gram.perNorm(sum);
  }
}
