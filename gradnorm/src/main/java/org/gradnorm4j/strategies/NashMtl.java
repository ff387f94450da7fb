package org.gradnorm4j.strategies;

import java.util.Set;
import org.gradnorm4j.weighting.Need;

/**
 * Nash bargaining (Navon et al., <i>Multi-Task Learning as a Bargaining Game</i>, ICML 2022, Claim
 * 3.1). The step that maximises the product of what the tasks gain.
 *
 * <pre>
 *   Gλ = 1/λ,  element by element, λ > 0
 *   ⟹  λ_i ⟨g_i, d⟩ = 1 for all i,  ‖d‖ = √T,  d = Σ λ_i g_i
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. It does not depend on the
 * scales of the losses. <b>The published scale makes every step √T long</b>, however close the
 * optimum: weights are about 1/n<sub>i</sub>, the authors clip the step. {@link
 * WeightScale#SUM_OF_TASKS} leaves the length to the gradients.
 *
 * <p><b>Note:</b> the equation is solved to rounding, in every step, by Newton's method on a convex
 * function. The authors' code solves it every few steps, by a sequence of convex programs that is
 * stopped early. Where a combination of the gradients with weights &ge; 0 is 0 there is no
 * solution, and the weights stay as they are.
 */
public final class NashMtl extends StepStrategy<StepStrategy.None> {
  static final String ID = "nash-mtl";

  NashMtl(StrategySettings.ScaleOnly settings) {
    super(ID, "Nash-MTL", Set.of(Need.GRAM), settings, new None());
  }

  /**
   * As published.
   *
   * @return the strategy
   */
  public static NashMtl create() {
    return new NashMtl(StrategySettings.ScaleOnly.DEFAULT);
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public NashMtl with(WeightScale scale) {
    return new NashMtl(new StrategySettings.ScaleOnly(scale));
  }

  @Override
  double[] weigh(None none, Deciding step) {
    return FairEquation.solve(step.gram(), 1.0);
  }
}
