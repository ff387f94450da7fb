package org.gradnorm4j.weighting;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a {@link LossWeighting} answers to a step: its next state, the loss weights of the next
 * step, and what it reports. Immutable; arrays are copied in and out.
 *
 * @param <S> the strategy's state
 */
public final class Decision<S> {
  private final S state;
  private final double[] lossWeights;
  private final Map<Quantity, double[]> quantities;
  private final Map<String, String> notices;
  private final Set<String> unusable;

  private Decision(
      S state,
      double[] lossWeights,
      Map<Quantity, double[]> quantities,
      Map<String, String> notices,
      Set<String> unusable) {
    this.state = state;
    this.lossWeights = lossWeights;
    this.quantities = quantities;
    this.notices = notices;
    this.unusable = unusable;
  }

  /**
   * A decision that reports nothing.
   *
   * @param <S> the strategy's state
   * @param state for the next step
   * @param lossWeights &lambda;<sub>i</sub> of the next step, by task; copied
   * @return a decision
   */
  public static <S> Decision<S> of(S state, double[] lossWeights) {
    return new Decision<>(
        Objects.requireNonNull(state, "state"), lossWeights.clone(), Map.of(), Map.of(), Set.of());
  }

  /**
   * No decision: what was measured is finite, but what the strategy makes of it is not. State and
   * weights stay as they were, and the step is counted as skipped, {@link SkipCause#WEIGHT_UPDATE}.
   *
   * @param <S> the strategy's state
   * @param state as before the step
   * @param lossWeights as before the step; copied
   * @param tasks the ones whose numbers are not finite
   * @return a decision
   */
  public static <S> Decision<S> skip(S state, double[] lossWeights, List<String> tasks) {
    if (tasks.isEmpty()) {
      throw new IllegalArgumentException("tasks ([]) must name those that cannot be decided on");
    }
    return new Decision<>(
        Objects.requireNonNull(state, "state"),
        lossWeights.clone(),
        Map.of(),
        Map.of(),
        Collections.unmodifiableSet(new TreeSet<>(tasks)));
  }

  /**
   * This decision, and a quantity to report with it.
   *
   * @param quantity one of {@link LossWeighting#quantities}
   * @param values by task, or one number; NaN where there is none; copied
   * @return a decision
   * @throws IllegalArgumentException if there is not one value per task, or one for the step
   */
  public Decision<S> with(Quantity quantity, double... values) {
    int expected = quantity.isPerTask() ? lossWeights.length : 1;
    if (values.length != expected) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "quantity '%s' (%d values) must have %d",
              quantity.id(),
              values.length,
              expected));
    }
    Map<Quantity, double[]> more = new LinkedHashMap<>(quantities);
    more.put(quantity, values.clone());
    return new Decision<>(state, lossWeights, more, notices, unusable);
  }

  /**
   * This decision, and something the user should know. Logged as a warning, the first time of its
   * kind in a run.
   *
   * @param kind tells notices apart
   * @param text what happened, and the remedy
   * @return a decision
   */
  public Decision<S> withNotice(String kind, String text) {
    Map<String, String> more = new LinkedHashMap<>(notices);
    more.put(kind, text);
    return new Decision<>(state, lossWeights, quantities, more, unusable);
  }

  /**
   * The strategy's state.
   *
   * @return for the next step
   */
  public S state() {
    return state;
  }

  /**
   * The loss weights of the next step.
   *
   * @return &lambda;<sub>i</sub> by task; a copy
   */
  public double[] lossWeights() {
    return lossWeights.clone();
  }

  /**
   * What is reported.
   *
   * @param quantity one that the strategy reports
   * @return by task, or one number; a copy; NaN if it was not reported
   */
  public double[] value(Quantity quantity) {
    double[] values = quantities.get(quantity);
    if (values != null) {
      return values.clone();
    }
    double[] unknown = new double[quantity.isPerTask() ? lossWeights.length : 1];
    Arrays.fill(unknown, Double.NaN);
    return unknown;
  }

  /**
   * What the user should know.
   *
   * @return text by kind; unmodifiable
   */
  public Map<String, String> notices() {
    return Collections.unmodifiableMap(notices);
  }

  /**
   * The tasks that kept this from being a decision.
   *
   * @return empty if it is one
   */
  public Set<String> unusable() {
    return unusable;
  }
}
