package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.Set;
import org.gradnorm4j.weighting.Need;

/**
 * Conflict-free inverse gradients (Liu, Chu and Thuerey, <i>ConFIG: Towards Conflict-free Training
 * of Physics Informed Neural Networks</i>, ICLR 2025, arXiv 2408.11104, eq. 3 and 4). The step has
 * the same cosine with each task's gradient, and the length that the gradients' projections onto it
 * add up to.
 *
 * <pre>
 *   d = (Σ_i ⟨g_i, u⟩) u,  u ∝ (Û⁺)ᵀ1,  Û the rows g_i/n_i
 *   λ = q (1ᵀGq) / (qᵀGq),  q = (K⁺1)/n
 *
 *   K_ij  G_ij / (n_i n_j), the cosines
 *   K⁺    pseudo-inverse
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. &Sigma; &lambda; is about
 * T for similar gradients; single weights may be negative.
 *
 * <p><b>Note:</b> eigenvalues of K below T &middot; 2<sup>&minus;23</sup> of the largest count as
 * 0. If no direction has the same positive cosine with all gradients, as with opposite ones, the
 * weights stay as they are.
 */
public final class ConFig extends StepStrategy<StepStrategy.None> {
  static final String ID = "config";

  ConFig(StrategySettings.ScaleOnly settings) {
    super(ID, "ConFIG", Set.of(Need.GRAM), settings, new None());
  }

  /**
   * As published.
   *
   * @return the strategy
   */
  public static ConFig create() {
    return new ConFig(StrategySettings.ScaleOnly.DEFAULT);
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public ConFig with(WeightScale scale) {
    return new ConFig(new StrategySettings.ScaleOnly(scale));
  }

  @Override
  double[] weigh(None none, Deciding step) {
    Gram gram = step.gram();
    double[] q = gram.perNorm(equalCosines(gram));
    if (q.length == 0) {
      return NO_SOLUTION;
    }
    double[] product = gram.times(q); // Gq
    double length = Arrays.stream(product).sum() / Gram.dot(q, product);
    Arrays.setAll(q, i -> q[i] * length);
    return q;
  }

  /** y with Ky = 1, shortest if there are several; empty if there is none. */
  static double[] equalCosines(Gram gram) {
    double[] ones = new double[gram.size()];
    Arrays.fill(ones, 1.0);
    double[] y = new Spectrum(gram.cosines()).apply(value -> 1.0 / value, ones);
    double[] cosines = Gram.times(gram.cosines(), y);
    return Arrays.stream(cosines).allMatch(c -> Math.abs(c - 1.0) < 1e-3) ? y : NO_SOLUTION;
  }
}
