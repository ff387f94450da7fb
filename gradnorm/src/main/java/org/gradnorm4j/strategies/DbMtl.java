package org.gradnorm4j.strategies;

import java.util.Set;
import org.gradnorm4j.weighting.Need;

/**
 * Dual-balancing (Lin et al., <i>Dual-Balancing for Multi-Task Learning</i>, 2023, arXiv
 * 2308.12029, section 3), without averages over steps (&beta; = 0). The gradients of log
 * L<sub>i</sub> are stretched to the length of the longest of them.
 *
 * <pre>
 *   λ_i = max_j m_j / (m_i L_i),  m_i = n_i / L_i = ‖∇ log L_i‖
 *       = max_j m_j / n_i
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. The common length is that
 * of the longest gradient of log L, which is no other learning rate than that of the logarithms:
 * where L is small the step is long. A loss of 0 has no logarithm: such a task keeps its weight,
 * and a negative one is refused.
 *
 * <p><b>Note:</b> in the paper the heads learn from log L<sub>i</sub>. The authors' code averages
 * the gradients with a &beta; that falls with time; that would need the gradients themselves to be
 * kept.
 */
public final class DbMtl extends StepStrategy<StepStrategy.None> {
  static final String ID = "db-mtl";

  DbMtl(StrategySettings.ScaleOnly settings) {
    super(ID, "DB-MTL", Set.of(Need.LOSSES, Need.GRADIENT_NORMS), settings, new None());
  }

  /**
   * As published.
   *
   * @return the strategy
   */
  public static DbMtl create() {
    return new DbMtl(StrategySettings.ScaleOnly.DEFAULT);
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public DbMtl with(WeightScale scale) {
    return new DbMtl(new StrategySettings.ScaleOnly(scale));
  }

  @Override
  boolean dividesByLosses() {
    return true;
  }

  @Override
  double[] weigh(None none, Deciding step) {
    double[] norms = step.norms();
    double longest = 0.0;
    for (int i = 0; i < norms.length; i++) {
      longest = Math.max(longest, norms[i] / step.losses()[i]);
    }
    double[] weights = norms.clone();
    for (int i = 0; i < norms.length; i++) {
      weights[i] = longest / norms[i];
    }
    return weights;
  }
}
