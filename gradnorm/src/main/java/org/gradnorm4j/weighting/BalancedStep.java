package org.gradnorm4j.weighting;

import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;

/**
 * The full record of one step: what was measured, what the strategy reports of it, and the loss
 * weights that follow. Immutable; arrays are by task, in the order of {@code
 * measurement().taskNames()}, and are copied in and out.
 */
public final class BalancedStep {
  private final StepMeasurement measurement;
  private final Map<Quantity, double[]> quantities;
  private final double[] nextLossWeights;
  private final Map<String, Set<SkipCause>> skipCauses;

  private BalancedStep(
      StepMeasurement measurement,
      Map<Quantity, double[]> quantities,
      double[] nextLossWeights,
      Map<String, Set<SkipCause>> skipCauses) {
    this.measurement = measurement;
    this.quantities = quantities;
    this.nextLossWeights = nextLossWeights;
    this.skipCauses = skipCauses;
  }

  /**
   * A step that the strategy has decided on.
   *
   * @param measurement losses, norms and weights of the step
   * @param quantities what the strategy reports, in the order of reporting
   * @param decision with their values
   * @param nextLossWeights that follow from it: those decided on, or close to them; copied
   * @return the record
   */
  public static BalancedStep of(
      StepMeasurement measurement,
      List<Quantity> quantities,
      Decision<?> decision,
      double[] nextLossWeights) {
    Map<Quantity, double[]> values = new LinkedHashMap<>();
    for (Quantity quantity : quantities) {
      values.put(quantity, decision.value(quantity));
    }
    return new BalancedStep(measurement, values, nextLossWeights.clone(), Map.of());
  }

  /**
   * A step whose decision is installed as it is.
   *
   * @param measurement losses, norms and weights of the step
   * @param quantities what the strategy reports, in the order of reporting
   * @param decision with their values
   * @return the record
   */
  public static BalancedStep of(
      StepMeasurement measurement, List<Quantity> quantities, Decision<?> decision) {
    return of(measurement, quantities, decision, decision.lossWeights());
  }

  /**
   * The same record of a measurement that is complete only now.
   *
   * @param complete of the same tasks
   * @return the record
   */
  public BalancedStep withMeasurement(StepMeasurement complete) {
    return new BalancedStep(complete, quantities, nextLossWeights, skipCauses);
  }

  /**
   * A step with any values, as from a file.
   *
   * @param measurement losses, norms and weights of the step
   * @param values by quantity, in the order of reporting; copied
   * @param nextLossWeights by task; copied
   * @param skipCauses by task; empty if the step was not skipped; copied
   * @return the record
   * @throws IllegalArgumentException if an array has another length, or a cause another task
   */
  public static BalancedStep of(
      StepMeasurement measurement,
      Map<Quantity, double[]> values,
      double[] nextLossWeights,
      Map<String, Set<SkipCause>> skipCauses) {
    int tasks = measurement.taskNames().size();
    Map<Quantity, double[]> copies = new LinkedHashMap<>();
    values.forEach(
        (quantity, array) -> {
          check(array.length == (quantity.isPerTask() ? tasks : 1), quantity.id(), array.length);
          copies.put(quantity, array.clone());
        });
    check(nextLossWeights.length == tasks, "nextLossWeights", nextLossWeights.length);
    Map<String, Set<SkipCause>> causes = new LinkedHashMap<>();
    skipCauses.forEach(
        (task, why) -> {
          check(measurement.taskNames().contains(task) && !why.isEmpty(), "skipCauses", task);
          causes.put(task, Collections.unmodifiableSet(EnumSet.copyOf(why)));
        });
    return new BalancedStep(
        measurement, copies, nextLossWeights.clone(), Collections.unmodifiableMap(causes));
  }

  private static void check(boolean holds, String subject, Object value) {
    if (!holds) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "%s (%s) must fit the tasks of the measurement", subject, value));
    }
  }

  /**
   * A step that left the weights alone, as a value was not finite. All quantities are NaN.
   *
   * @param measurement losses, norms and weights of the step
   * @param quantities what the strategy reports
   * @param lossWeights which stay; copied
   * @param causes by task, why
   * @return the record
   * @throws IllegalArgumentException as for {@link #of(StepMeasurement, Map, double[], Map)}
   */
  public static BalancedStep skipped(
      StepMeasurement measurement,
      List<Quantity> quantities,
      double[] lossWeights,
      Map<String, Set<SkipCause>> causes) {
    Map<Quantity, double[]> unknown = new LinkedHashMap<>();
    for (Quantity quantity : quantities) {
      double[] nan = new double[quantity.isPerTask() ? lossWeights.length : 1];
      Arrays.fill(nan, Double.NaN);
      unknown.put(quantity, nan);
    }
    return of(measurement, unknown, lossWeights, causes);
  }

  /**
   * What was measured.
   *
   * @return losses L<sub>i</sub>, norms &#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214;, and the
   *     &lambda;<sub>i</sub> that the step was trained with
   */
  public StepMeasurement measurement() {
    return measurement;
  }

  /**
   * What the strategy reports.
   *
   * @return in the order of reporting; unmodifiable
   */
  public List<Quantity> quantities() {
    return List.copyOf(quantities.keySet());
  }

  /**
   * The value of a quantity per task: one that the strategy reports, or one of those that are
   * recorded for every strategy, such as {@link Quantity#WEIGHTED_GRADIENT_NORM}.
   *
   * @param quantity per task
   * @return by task, a copy; NaN of an absent task, and of a strategy's quantity in a skipped step
   * @throws IllegalArgumentException if the strategy does not report it, or it is not per task
   */
  public double[] values(Quantity quantity) {
    if (!quantity.isPerTask()) {
      throw new IllegalArgumentException(
          "quantity '" + quantity.id() + "' is one number for the step. Use value(...)");
    }
    if (quantity.equals(Quantity.LOSS)) {
      return ofPresent(measurement.losses());
    }
    if (quantity.equals(Quantity.LOSS_WEIGHT)) {
      return measurement.lossWeights();
    }
    if (quantity.equals(Quantity.GRADIENT_NORM)) {
      return ofPresent(measurement.gradientNorms());
    }
    return quantity.equals(Quantity.WEIGHTED_GRADIENT_NORM)
        ? weightedGradientNorms()
        : reported(quantity).clone();
  }

  /**
   * The value of a quantity of the whole step.
   *
   * @param quantity not per task
   * @return one number; NaN in a skipped step
   * @throws IllegalArgumentException if the strategy does not report it, or it is per task
   */
  public double value(Quantity quantity) {
    if (quantity.isPerTask()) {
      throw new IllegalArgumentException(
          "quantity '" + quantity.id() + "' has a value per task. Use values(...)");
    }
    return reported(quantity)[0];
  }

  private double[] reported(Quantity quantity) {
    double[] values = quantities.get(quantity);
    if (values == null) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "quantity '%s' is not reported by this strategy. It reports %s",
              quantity.id(),
              quantities.keySet()));
    }
    return values;
  }

  private double[] ofPresent(double[] values) {
    boolean[] present = measurement.present();
    for (int i = 0; i < values.length; i++) {
      values[i] = present[i] ? values[i] : Double.NaN;
    }
    return values;
  }

  private double[] weightedGradientNorms() {
    double[] norms = ofPresent(measurement.gradientNorms());
    double[] weights = measurement.lossWeights();
    for (int i = 0; i < norms.length; i++) {
      norms[i] = skipped() ? Double.NaN : Math.abs(weights[i]) * norms[i];
    }
    return norms;
  }

  /**
   * Loss weights of the next step.
   *
   * @return &lambda;<sub>i</sub>; a copy
   */
  public double[] nextLossWeights() {
    return nextLossWeights.clone();
  }

  /**
   * Why the weights were left alone.
   *
   * @return by task; empty if they were not; unmodifiable
   */
  public Map<String, Set<SkipCause>> skipCauses() {
    return skipCauses;
  }

  /**
   * Whether a value was not finite, so that the weights were left alone.
   *
   * @return true if skipped
   */
  public boolean skipped() {
    return !skipCauses.isEmpty();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BalancedStep that
        && measurement.equals(that.measurement)
        && quantities.keySet().equals(that.quantities.keySet())
        && quantities.keySet().stream()
            .allMatch(key -> Arrays.equals(quantities.get(key), that.quantities.get(key)))
        && Arrays.equals(nextLossWeights, that.nextLossWeights)
        && skipCauses.equals(that.skipCauses);
  }

  @Override
  public int hashCode() {
    return Objects.hash(measurement, Arrays.hashCode(nextLossWeights));
  }

  /** One line per task: loss, weight, norm, and what the strategy reports. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("iteration " + measurement.iteration());
    double[] losses = measurement.losses();
    double[] weights = measurement.lossWeights();
    double[] norms = measurement.gradientNorms();
    for (int i = 0; i < losses.length; i++) {
      text.append(
          String.format(
              Locale.ROOT,
              "%n%s: loss %.6g, loss weight %.6g, gradient norm %.6g",
              measurement.taskNames().get(i),
              losses[i],
              weights[i],
              norms[i]));
      for (Map.Entry<Quantity, double[]> entry : quantities.entrySet()) {
        if (entry.getKey().isPerTask()) {
          text.append(
              String.format(
                  Locale.ROOT, ", %s %.6g", entry.getKey().symbol(), entry.getValue()[i]));
        }
      }
    }
    return text.toString();
  }
}
