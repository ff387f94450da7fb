package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.Set;
import org.gradnorm4j.weighting.Need;

/**
 * Unconflicting projection (Quinton and Rey, <i>Jacobian Descent for Multi-Objective
 * Optimization</i>, 2024, arXiv 2406.16232, Proposition 1). Each gradient is projected onto the
 * directions along which no task ascends, and the projections are averaged.
 *
 * <pre>
 *   λ = Σ_i argmin { vᵀGv : v ≥ e_i/T }
 *
 *   e_i  1 for task i, 0 for others
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. Without conflict &lambda;
 * = 1/T, so that &Sigma; &lambda; = 1; with conflict it is more. A task's influence grows with the
 * length of its gradient, as in the mean.
 *
 * <p><b>Note:</b> solved exactly, by an active set, T of them a step. The authors' code adds 1e-4
 * to the diagonal of the normalised G, which moves the weights in the fourth digit.
 */
public final class UpGrad extends StepStrategy<StepStrategy.None> {
  static final String ID = "upgrad";

  UpGrad(StrategySettings.ScaleOnly settings) {
    super(ID, "UPGrad", Set.of(Need.GRAM), settings, new None());
  }

  /**
   * As published.
   *
   * @return the strategy
   */
  public static UpGrad create() {
    return new UpGrad(StrategySettings.ScaleOnly.DEFAULT);
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public UpGrad with(WeightScale scale) {
    return new UpGrad(new StrategySettings.ScaleOnly(scale));
  }

  @Override
  double[] weigh(None none, Deciding step) {
    LowerBoundQp projection = new LowerBoundQp(step.gram());
    double[] weights = new double[step.size()];
    for (int i = 0; i < weights.length; i++) {
      double[] bound = new double[weights.length];
      bound[i] = 1.0 / weights.length;
      double[] v = projection.solve(bound);
      Arrays.setAll(weights, j -> weights[j] + v[j]);
    }
    return weights;
  }
}
