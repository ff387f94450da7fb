package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.Set;
import org.gradnorm4j.weighting.Need;

/**
 * Impartial multi-task learning of the shared layers (Liu et al., <i>Towards Impartial Multi-task
 * Learning</i>, ICLR 2021, section 3.1). The step has the same projection onto each task's
 * gradient, however long that is.
 *
 * <pre>
 *   λ = v / Σv,  v = G⁺n
 *   ⟺  (Gλ)_i / n_i is the same for all i,  Σλ = 1
 *
 *   n_i  ‖g_i‖
 *   G⁺   pseudo-inverse
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss, unless IMTL-L weights
 * them. &Sigma; &lambda; = 1, but single weights may be negative.
 *
 * <p><b>Note:</b> computed as v = (K⁺1)/n with the cosines K, which is the same if the gradients
 * are independent, and does not depend on their scales if they are not. Eigenvalues of K below T
 * &middot; 2<sup>&minus;23</sup> of the largest count as 0. If no direction has the same positive
 * projection, as with opposite gradients, the weights stay as they are; and so if &Sigma;v &le; 0,
 * where the equation would turn the step around.
 */
public final class ImtlG extends StepStrategy<StepStrategy.None> {
  static final String ID = "imtl-g";

  ImtlG(StrategySettings.ScaleOnly settings) {
    super(ID, "IMTL-G", Set.of(Need.GRAM), settings, new None());
  }

  /**
   * As published.
   *
   * @return the strategy
   */
  public static ImtlG create() {
    return new ImtlG(StrategySettings.ScaleOnly.DEFAULT);
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public ImtlG with(WeightScale scale) {
    return new ImtlG(new StrategySettings.ScaleOnly(scale));
  }

  @Override
  double[] weigh(None none, Deciding step) {
    Gram gram = step.gram();
    double[] v = gram.perNorm(ConFig.equalCosines(gram));
    double sum = Arrays.stream(v).sum();
    if (sum <= 0.0) {
      return NO_SOLUTION;
    }
    Arrays.setAll(v, i -> v[i] / sum);
    return v;
  }
}
