package org.gradnorm4j.strategies;

import java.util.Set;
import org.gradnorm4j.weighting.Need;

/**
 * The mean gradient, projected onto the directions along which no task ascends (Lopez-Paz and
 * Ranzato, <i>Gradient Episodic Memory for Continual Learning</i>, NeurIPS 2017, eq. 11). The step
 * closest to that of the mean loss that harms nobody.
 *
 * <pre>
 *   λ = argmin { λᵀGλ : λ_i ≥ 1/T }
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. Without conflict &lambda;
 * = 1/T, so that &Sigma; &lambda; = 1; with conflict it is more.
 *
 * <p><b>Note:</b> the paper projects the gradient of one task against those of earlier ones; that
 * of the mean is projected here, as in TorchJD. Solved exactly, by an active set.
 */
public final class DualProj extends StepStrategy<StepStrategy.None> {
  static final String ID = "dualproj";

  DualProj(StrategySettings.ScaleOnly settings) {
    super(ID, "DualProj", Set.of(Need.GRAM), settings, new None());
  }

  /**
   * As published.
   *
   * @return the strategy
   */
  public static DualProj create() {
    return new DualProj(StrategySettings.ScaleOnly.DEFAULT);
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public DualProj with(WeightScale scale) {
    return new DualProj(new StrategySettings.ScaleOnly(scale));
  }

  @Override
  double[] weigh(None none, Deciding step) {
    return new LowerBoundQp(step.gram()).solve(step.mean());
  }
}
