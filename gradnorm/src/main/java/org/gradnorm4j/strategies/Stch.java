package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Need;

/**
 * Smooth Tchebycheff scalarization (Lin et al., <i>Smooth Tchebycheff Scalarization for
 * Multi-Objective Optimization</i>, ICML 2024). The network trains on a smooth maximum of the
 * losses' distances from an ideal.
 *
 * <pre>
 *   L = μ log Σ exp(w_i (L_i − z_i) / μ)
 *   λ_i = ∂L/∂L_i = w_i · softmax(w (L − z) / μ)_i
 *
 *   w_i  preference of task i, > 0, 1/T by default
 *   z_i  ideal loss of task i, 0 by default
 *   μ    smoothing, > 0, in units of w L: towards 0 only the worst task counts, towards infinity
 *        the weights are w/T
 * </pre>
 *
 * <p>Acts in the same step, and on heads and shared layers alike: it is one loss. &Sigma; &lambda;
 * is that of w, weighted: 1/T by default. It depends on the units of the losses; w is there to even
 * them out.
 *
 * <p><b>Note:</b> another library has a method of the same name on log(L/nadir), with a warm-up for
 * the nadir; this is the paper's.
 */
public final class Stch extends StepStrategy<StepStrategy.None> {
  static final String ID = "stch";

  private final Settings settings;

  Stch(Settings settings) {
    super(ID, "Smooth Tchebycheff", Set.of(Need.LOSSES), settings, new None());
    this.settings = settings;
  }

  /**
   * With equal preferences and ideals of 0.
   *
   * @param smoothing &mu;, &gt; 0 and finite; there is no default, it depends on the losses
   * @return the strategy
   * @throws IllegalArgumentException if it is not
   */
  public static Stch create(double smoothing) {
    return new Stch(new Settings(smoothing, Map.of(), Map.of(), WeightScale.AS_PUBLISHED));
  }

  /**
   * With preferences.
   *
   * @param preferences w by task, &gt; 0 and finite; none for 1/T each; copied
   * @return the strategy
   * @throws IllegalArgumentException if null, or one is outside
   */
  public Stch withPreferences(Map<String, Double> preferences) {
    return new Stch(new Settings(settings.smoothing, preferences, settings.ideals, settings.scale));
  }

  /**
   * With ideals.
   *
   * @param ideals z by task, finite, as the losses of networks for one task each; none for 0;
   *     copied
   * @return the strategy
   * @throws IllegalArgumentException if null, or one is not finite
   */
  public Stch withIdeals(Map<String, Double> ideals) {
    return new Stch(new Settings(settings.smoothing, settings.preferences, ideals, settings.scale));
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public Stch with(WeightScale scale) {
    return new Stch(new Settings(settings.smoothing, settings.preferences, settings.ideals, scale));
  }

  /** Settings, as in the factories. */
  record Settings(
      double smoothing,
      Map<String, Double> preferences,
      Map<String, Double> ideals,
      WeightScale scale)
      implements StrategySettings {
    Settings {
      Arguments.positive(smoothing, "smoothing");
      preferences =
          ByTask.checked(preferences, "preference", w -> w > 0.0, "must be > 0 and finite");
      ideals = ByTask.checked(ideals, "ideal", z -> true, "must be finite");
    }

    @Override
    public Map<String, String> describe() {
      Map<String, String> all = new LinkedHashMap<>();
      all.put("smoothing", Double.toString(smoothing));
      if (!preferences.isEmpty()) {
        all.put("preferences", preferences.toString());
      }
      if (!ideals.isEmpty()) {
        all.put("ideals", ideals.toString());
      }
      return all;
    }
  }

  @Override
  public boolean headsWeighted() {
    return true;
  }

  @Override
  void checkSettings(Tasks tasks) {
    ByTask.checkTasks(settings.preferences, "preferences", tasks);
    ByTask.checkTasks(settings.ideals, "ideals", tasks);
  }

  @Override
  double[] weigh(None none, Deciding step) {
    double[] w = ByTask.of(settings.preferences, step, 1.0 / step.size());
    double[] z = ByTask.of(settings.ideals, step, 0.0);
    double[] losses = step.losses();
    double[] exponents = w.clone();
    Arrays.setAll(exponents, i -> w[i] * (losses[i] - z[i]) / settings.smoothing);
    double[] weights = Softmax.of(exponents);
    Arrays.setAll(weights, i -> w[i] * weights[i]);
    return weights;
  }
}
