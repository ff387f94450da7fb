package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;

/**
 * The full record of one GradNorm step: what was measured, the quantities of the paper, and the
 * weights that follow. Immutable; arrays have one value per task, in the order of {@code
 * measurement.taskNames()}, and are copied in and out.
 *
 * <p>If a loss or norm was not finite, the weights were left alone ({@link #skipped()}) and the
 * derived quantities are NaN. So they are of a task that was absent ({@link
 * StepMeasurement#present()}); a task with a gradient of exactly zero has them, but does not count
 * in the means. Losses and norms are here as they were measured, and smoothed, shifted and so on,
 * where that is set, in the derived quantities.
 *
 * @param measurement losses L<sub>i</sub>, norms &#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214; and
 *     the &lambda;<sub>i</sub> the step was trained with
 * @param initialLosses L<sub>i</sub>(0)
 * @param lossRatios inverse training rates L&#771;<sub>i</sub> = L<sub>i</sub> / L<sub>i</sub>(0)
 * @param relativeInverseTrainingRates r<sub>i</sub>, the loss ratio over its mean; above 1 a task
 *     trains more slowly than the others
 * @param weightedGradientNorms G<sub>i</sub> =
 *     &#8214;&nabla;<sub>W</sub>&lambda;<sub>i</sub>L<sub>i</sub>&#8214;
 * @param meanGradientNorm mean of G<sub>i</sub>
 * @param targetGradientNorms mean gradient norm &middot; r<sub>i</sub><sup>&alpha;</sup>
 * @param gradientLoss L<sub>grad</sub> = &Sigma; |G<sub>i</sub> &minus; target<sub>i</sub>|
 * @param nextLossWeights &lambda;<sub>i</sub> of the next step
 * @param skipCauses by task, why the weights were left alone; empty if they were not
 */
public record GradNormStep(
    StepMeasurement measurement,
    double[] initialLosses,
    double[] lossRatios,
    double[] relativeInverseTrainingRates,
    double[] weightedGradientNorms,
    double meanGradientNorm,
    double[] targetGradientNorms,
    double gradientLoss,
    double[] nextLossWeights,
    Map<String, Set<SkipCause>> skipCauses) {

  /**
   * Copies the arrays.
   *
   * @param measurement see above
   * @param initialLosses copied
   * @param lossRatios copied
   * @param relativeInverseTrainingRates copied
   * @param weightedGradientNorms copied
   * @param meanGradientNorm see above
   * @param targetGradientNorms copied
   * @param gradientLoss see above
   * @param nextLossWeights copied
   * @param skipCauses copied
   */
  public GradNormStep {
    initialLosses = initialLosses.clone();
    lossRatios = lossRatios.clone();
    relativeInverseTrainingRates = relativeInverseTrainingRates.clone();
    weightedGradientNorms = weightedGradientNorms.clone();
    targetGradientNorms = targetGradientNorms.clone();
    nextLossWeights = nextLossWeights.clone();
    Map<String, Set<SkipCause>> copy = new LinkedHashMap<>();
    skipCauses.forEach(
        (task, causes) -> copy.put(task, Collections.unmodifiableSet(EnumSet.copyOf(causes))));
    skipCauses = Collections.unmodifiableMap(copy);
  }

  GradNormStep withNextLossWeights(double[] weights) {
    return new GradNormStep(
        measurement,
        initialLosses,
        lossRatios,
        relativeInverseTrainingRates,
        weightedGradientNorms,
        meanGradientNorm,
        targetGradientNorms,
        gradientLoss,
        weights,
        skipCauses);
  }

  /**
   * Whether a value was not finite, so that the weights were left alone.
   *
   * @return true if skipped
   */
  public boolean skipped() {
    return !skipCauses.isEmpty();
  }

  /**
   * Initial losses.
   *
   * @return L<sub>i</sub>(0); a copy
   */
  @Override
  public double[] initialLosses() {
    return initialLosses.clone();
  }

  /**
   * Inverse training rates.
   *
   * @return L<sub>i</sub>/L<sub>i</sub>(0); a copy
   */
  @Override
  public double[] lossRatios() {
    return lossRatios.clone();
  }

  /**
   * Relative inverse training rates.
   *
   * @return r<sub>i</sub>; a copy
   */
  @Override
  public double[] relativeInverseTrainingRates() {
    return relativeInverseTrainingRates.clone();
  }

  /**
   * Weighted gradient norms.
   *
   * @return G<sub>i</sub>; a copy
   */
  @Override
  public double[] weightedGradientNorms() {
    return weightedGradientNorms.clone();
  }

  /**
   * Target gradient norms.
   *
   * @return mean norm &middot; r<sub>i</sub><sup>&alpha;</sup>; a copy
   */
  @Override
  public double[] targetGradientNorms() {
    return targetGradientNorms.clone();
  }

  /**
   * Loss weights of the next step.
   *
   * @return &lambda;<sub>i</sub>; a copy
   */
  @Override
  public double[] nextLossWeights() {
    return nextLossWeights.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GradNormStep that
        && measurement.equals(that.measurement)
        && Arrays.equals(initialLosses, that.initialLosses)
        && Arrays.equals(lossRatios, that.lossRatios)
        && Arrays.equals(relativeInverseTrainingRates, that.relativeInverseTrainingRates)
        && Arrays.equals(weightedGradientNorms, that.weightedGradientNorms)
        && Double.compare(meanGradientNorm, that.meanGradientNorm) == 0
        && Arrays.equals(targetGradientNorms, that.targetGradientNorms)
        && Double.compare(gradientLoss, that.gradientLoss) == 0
        && Arrays.equals(nextLossWeights, that.nextLossWeights)
        && skipCauses.equals(that.skipCauses);
  }

  @Override
  public int hashCode() {
    return 31 * measurement.hashCode() + Arrays.hashCode(nextLossWeights);
  }

  /** One line per task: loss, weight, weighted norm and its target, relative training rate. */
  @Override
  public String toString() {
    return IntStream.range(0, initialLosses.length)
        .mapToObj(
            i ->
                String.format(
                    Locale.ROOT,
                    "%s: loss %.6g, weight %.6g, gradient norm %.6g (target %.6g), rate %.6g",
                    measurement.taskNames().get(i),
                    measurement.losses()[i],
                    measurement.lossWeights()[i],
                    weightedGradientNorms[i],
                    targetGradientNorms[i],
                    relativeInverseTrainingRates[i]))
        .collect(Collectors.joining("\n", "iteration " + measurement.iteration() + "\n", ""));
  }
}
