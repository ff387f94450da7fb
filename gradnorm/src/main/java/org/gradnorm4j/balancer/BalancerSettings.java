package org.gradnorm4j.balancer;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.gradnorm4j.history.HistoryLimit;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Timing;

/**
 * What can be set for every strategy; see {@link LossBalancerBuilder} for what it means. Immutable.
 * For builders of strategies that have one of their own.
 *
 * @param sharedLayers names of layers; none for the default
 * @param measureEvery steps from one measured step to the next, &ge; 1
 * @param onNonFinite what to do about NaN and infinity
 * @param history how much of it is kept
 * @param timing which step the weights are for
 */
public record BalancerSettings(
    List<String> sharedLayers,
    int measureEvery,
    NonFinitePolicy onNonFinite,
    HistoryLimit history,
    Timing timing) {

  /** The default of every setting. */
  public static final BalancerSettings DEFAULT =
      new BalancerSettings(
          List.of(), 1, NonFinitePolicy.SKIP, HistoryLimit.byDefault(), Timing.NEXT_STEP);

  /**
   * Checks and copies.
   *
   * @param sharedLayers see above
   * @param measureEvery see above
   * @param onNonFinite see above
   * @param history see above
   * @param timing see above
   * @throws IllegalArgumentException if a value is null, blank or out of range
   */
  public BalancerSettings {
    String rule = "must name a layer. For the default leave sharedLayer(...) out";
    for (String name : Arguments.given(sharedLayers, "sharedLayer", rule)) {
      Arguments.name(name, "sharedLayer", rule);
    }
    sharedLayers = List.copyOf(sharedLayers);
    Arguments.check(measureEvery >= 1, "measureEvery", measureEvery, "must be >= 1");
    Arguments.given(
        onNonFinite, "onNonFinite", "must be one of " + Arrays.toString(NonFinitePolicy.values()));
    Arguments.given(history, "history", "must be a limit, such as History.all()");
    Arguments.given(timing, "timing", "must be one of " + Arrays.toString(Timing.values()));
  }

  /**
   * With other shared layers.
   *
   * @param names of layers; none for the default
   * @return settings
   * @throws IllegalArgumentException if a name is null or blank
   */
  public BalancerSettings withSharedLayers(String... names) {
    Arguments.given(
        names, "sharedLayer", "must name a layer. For the default leave sharedLayer(...) out");
    return new BalancerSettings(Arrays.asList(names), measureEvery, onNonFinite, history, timing);
  }

  /**
   * With another interval of measuring.
   *
   * @param steps &ge; 1
   * @return settings
   * @throws IllegalArgumentException if less than 1
   */
  public BalancerSettings withMeasureEvery(int steps) {
    return new BalancerSettings(sharedLayers, steps, onNonFinite, history, timing);
  }

  /**
   * With another policy.
   *
   * @param policy for NaN and infinity
   * @return settings
   * @throws IllegalArgumentException if null
   */
  public BalancerSettings withOnNonFinite(NonFinitePolicy policy) {
    return new BalancerSettings(sharedLayers, measureEvery, policy, history, timing);
  }

  /**
   * With another history.
   *
   * @param limit how much is kept
   * @return settings
   * @throws IllegalArgumentException if null
   */
  public BalancerSettings withHistory(HistoryLimit limit) {
    return new BalancerSettings(sharedLayers, measureEvery, onNonFinite, limit, timing);
  }

  /**
   * With another timing.
   *
   * @param step which step the weights are for
   * @return settings
   * @throws IllegalArgumentException if null
   */
  public BalancerSettings withTiming(Timing step) {
    return new BalancerSettings(sharedLayers, measureEvery, onNonFinite, history, step);
  }

  /** Name and value, to be read: what is not the default, and the main ones in any case. */
  Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("measured", measureEvery == 1 ? "every step" : "every " + measureEvery + " steps");
    if (timing == Timing.SAME_STEP) {
      all.put("weights act", "in the step that was measured");
    }
    if (onNonFinite != NonFinitePolicy.SKIP) {
      all.put("on non-finite values", onNonFinite.name().toLowerCase(Locale.ROOT));
    }
    if (!history.equals(HistoryLimit.byDefault())) {
      all.put("history", history.toString());
    }
    return all;
  }
}
