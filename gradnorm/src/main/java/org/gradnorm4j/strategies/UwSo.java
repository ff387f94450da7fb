package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Need;

/**
 * Soft optimal uncertainty weighting (Kirchdorfer et al., <i>Analytical Uncertainty-Based Loss
 * Weighting in Multi-Task Learning</i>, 2024, arXiv 2408.07985). The optimum of uncertainty
 * weighting in closed form, 1/L<sub>i</sub>, softened by a temperature.
 *
 * <pre>
 *   λ = T · softmax(1 / (τ L_i)),  held constant
 *
 *   L_i  loss of task i, > 0
 *   τ    temperature, > 0, in units of 1/L
 * </pre>
 *
 * <p>Acts in the same step, and on heads and shared layers alike. &Sigma; &lambda; = T over the
 * tasks that are present. A loss much smaller than 1/&tau; takes all of the weight; one of 0 keeps
 * its weight and does not count, a negative one is refused.
 *
 * <p><b>Note:</b> &tau; is to be tuned, and depends on the units of the losses; 1 is no more than a
 * beginning. Weights sum to 1 in the paper, which is a learning rate T times smaller. Computed
 * without the overflow of exp(1/L) as L falls.
 */
public final class UwSo extends StepStrategy<StepStrategy.None> {
  static final String ID = "uw-so";

  private final Settings settings;

  UwSo(Settings settings) {
    super(ID, "UW-SO", Set.of(Need.LOSSES), settings, new None());
    this.settings = settings;
  }

  /**
   * With &tau; = 1.
   *
   * @return the strategy
   */
  public static UwSo create() {
    return new UwSo(new Settings(1.0));
  }

  /**
   * With another temperature.
   *
   * @param temperature &tau;, &gt; 0 and finite; the larger, the closer to equal weights
   * @return the strategy
   * @throws IllegalArgumentException if it is not
   */
  public UwSo withTemperature(double temperature) {
    return new UwSo(new Settings(temperature));
  }

  /** Settings, as in the factories. */
  record Settings(double temperature) implements StrategySettings {
    Settings {
      Arguments.positive(temperature, "temperature");
    }

    @Override
    public Map<String, String> describe() {
      return Map.of("temperature", Double.toString(temperature));
    }
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
    return Softmax.timesTasks(
        Arrays.stream(step.losses()).map(loss -> 1.0 / settings.temperature / loss).toArray());
  }
}
