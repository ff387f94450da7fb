package org.gradnorm4j.strategies;

import java.util.Set;
import org.gradnorm4j.weighting.Need;

/**
 * Multiple gradient descent (D&eacute;sid&eacute;ri 2012; Sener and Koltun, <i>Multi-Task Learning
 * as Multi-Objective Optimization</i>, NeurIPS 2018, eq. 3). The shortest convex combination of the
 * gradients: no task ascends along it, and where it is 0 no step helps all of them.
 *
 * <pre>
 *   λ = argmin { λᵀGλ : λ ≥ 0, Σλ = 1 }
 *   T = 2:  λ_1 = (G_22 − G_12) / (G_11 + G_22 − 2 G_12), within 0 and 1
 *
 *   G_ij  ⟨g_i, g_j⟩, g_i the gradient of loss i on the shared layer
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. &Sigma; &lambda; = 1.
 * Weights of 0 are common: the step follows the shortest gradients, and a task whose gradient is
 * hundreds of times longer hardly counts.
 *
 * <p><b>Note:</b> solved exactly, by an active set. The authors' code stops Frank and Wolfe's
 * iterations early, and normalises the gradients by default in some experiments.
 */
public final class Mgda extends StepStrategy<StepStrategy.None> {
  static final String ID = "mgda";

  Mgda(StrategySettings.ScaleOnly settings) {
    super(ID, "MGDA", Set.of(Need.GRAM), settings, new None());
  }

  /**
   * As published.
   *
   * @return the strategy
   */
  public static Mgda create() {
    return new Mgda(StrategySettings.ScaleOnly.DEFAULT);
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public Mgda with(WeightScale scale) {
    return new Mgda(new StrategySettings.ScaleOnly(scale));
  }

  @Override
  double[] weigh(None none, Deciding step) {
    return SimplexQp.solve(step.gram());
  }
}
