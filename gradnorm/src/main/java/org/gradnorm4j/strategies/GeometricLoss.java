package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.Set;
import org.apache.commons.math3.util.FastMath;
import org.gradnorm4j.weighting.Need;

/**
 * Geometric loss strategy (Chennupati et al., <i>MultiNet++: Multi-Stream Feature Aggregation and
 * Geometric Loss Strategy for Multi-Task Learning</i>, CVPR Workshops 2019, section 3.2). The
 * network trains on the geometric mean of the losses, which does not depend on their units.
 *
 * <pre>
 *   L = (Π L_i)^(1/T)
 *   λ_i = ∂L/∂L_i = (Π L_j)^(1/T) / (T L_i)
 * </pre>
 *
 * <p>Acts in the same step, and on heads and shared layers alike: it is one loss. All weighted
 * losses are equal, and the weights' scale is that of the losses' spread. A loss of 0 would make
 * the mean 0: such a task keeps its weight and does not count. A negative one is refused.
 *
 * <p><b>Note:</b> computed by the mean of the logarithms; the product of many losses under- or
 * overflows.
 */
public final class GeometricLoss extends StepStrategy<StepStrategy.None> {
  static final String ID = "gls";

  GeometricLoss(StrategySettings.ScaleOnly settings) {
    super(ID, "Geometric loss", Set.of(Need.LOSSES), settings, new None());
  }

  /**
   * As published.
   *
   * @return the strategy
   */
  public static GeometricLoss create() {
    return new GeometricLoss(StrategySettings.ScaleOnly.DEFAULT);
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public GeometricLoss with(WeightScale scale) {
    return new GeometricLoss(new StrategySettings.ScaleOnly(scale));
  }

  @Override
  public boolean headsWeighted() {
    return true;
  }

  @Override
  boolean dividesByLosses() {
    return true;
  }

  @Override
  double[] weigh(None none, Deciding step) {
    double[] logs = Arrays.stream(step.losses()).map(FastMath::log).toArray();
    double mean = Arrays.stream(logs).average().orElseThrow();
    return Arrays.stream(logs).map(log -> FastMath.exp(mean - log) / logs.length).toArray();
  }
}
