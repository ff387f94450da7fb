package org.gradnorm4j.strategies;

import java.util.Map;
import java.util.Set;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Need;

/**
 * Fair resource allocation (Ban and Ji, <i>Fair Resource Allocation in Multi-Task Learning</i>,
 * ICML 2024, eq. 5). The step that maximises the &alpha;-fair utility of what the tasks gain.
 *
 * <pre>
 *   Gλ = λ^(−1/α),  element by element, λ > 0
 *
 *   α  > 0; 1 is proportional fairness, as Nash-MTL; towards 0 the sum of the gains counts,
 *      towards infinity the least gain
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. The scale of the weights
 * is that of the equation, and depends on that of the gradients; {@link WeightScale#SUM_OF_TASKS}
 * leaves the length of the step to the gradients.
 *
 * <p><b>Note:</b> the authors choose &alpha; by data set; the default 2 is that of their scene
 * understanding. The equation is solved to rounding by Newton's method on a convex function, where
 * the authors' code stops a least-squares solver. Where a combination of the gradients with weights
 * &ge; 0 is 0 there is no solution, and the weights stay as they are.
 */
public final class FairGrad extends StepStrategy<StepStrategy.None> {
  static final String ID = "fairgrad";

  private final Settings settings;

  FairGrad(Settings settings) {
    super(ID, "FairGrad", Set.of(Need.GRAM), settings, new None());
    this.settings = settings;
  }

  /**
   * With &alpha; = 2.
   *
   * @return the strategy
   */
  public static FairGrad create() {
    return new FairGrad(new Settings(2.0, WeightScale.AS_PUBLISHED));
  }

  /**
   * With another fairness.
   *
   * @param alpha &alpha;, 0.1 to 100
   * @return the strategy
   * @throws IllegalArgumentException if it is outside
   */
  public FairGrad withAlpha(double alpha) {
    return new FairGrad(new Settings(alpha, settings.scale));
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public FairGrad with(WeightScale scale) {
    return new FairGrad(new Settings(settings.alpha, scale));
  }

  /** Settings, as in the factories. */
  record Settings(double alpha, WeightScale scale) implements StrategySettings {
    Settings {
      Arguments.check(alpha >= 0.1 && alpha <= 100.0, "alpha", alpha, "must be 0.1 to 100");
    }

    @Override
    public Map<String, String> describe() {
      return Map.of("alpha", Double.toString(alpha));
    }
  }

  @Override
  double[] weigh(None none, Deciding step) {
    return FairEquation.solve(step.gram(), settings.alpha);
  }
}
