package org.gradnorm4j.core.loss;

import java.io.Serial;
import java.util.Locale;
import java.util.Objects;
import java.util.function.DoubleSupplier;
import org.gradnorm4j.core.internal.loss.ElasticNet;
import org.gradnorm4j.core.internal.loss.LossAccess;
import org.gradnorm4j.core.internal.loss.LossTerm;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * A penalty on the weights of chosen layers as a named term of the loss:
 *
 * <pre>
 *   L = ... + λ_R R(θ),    R(θ) = Σ_w ρ |w| + (1 − ρ)/2 w²,    ∂R/∂w = ρ sign(w) + (1 − ρ) w
 * </pre>
 *
 * with &rho; = 1 for L1, 0 for L2, and between them for the elastic net (Zou and Hastie, 2005).
 * {@code L2} equals Deeplearning4j's {@code .l2(weight)}, also in its factor &frac12;, but has a
 * name and a weight that can be seen and moved.
 *
 * <pre>{@code
 * new DenseLayer.Builder()
 *     .regularization(List.of(WeightPenalty.l2("regularization", 1e-3)))
 * }</pre>
 *
 * <p>It acts where it is configured: on one layer, or on all of them if given to {@code
 * NeuralNetConfiguration.Builder}; {@code regularization} means the weights, {@code
 * regularizationBias} the biases. Penalties of the same name in several layers are one term and
 * must have the same weight. In a network with a GradientNormProbe the term is a task of its own,
 * and its weight is that of the probe, beginning with the one given here. A layer has either this
 * or Deeplearning4j's own {@code l1}, {@code l2} and {@code weightDecay}, which would penalise its
 * weights twice: both are refused.
 *
 * <p>Immutable. An attached network works with copies of its own.
 */
// Is an L2Regularization because DL4J's builder adds any other kind twice to every layer.
public final class WeightPenalty extends L2Regularization {
  @Serial private static final long serialVersionUID = 1L;

  static {
    LossAccess.driven((penalty, lossWeight) -> ((WeightPenalty) penalty).driven(lossWeight));
  }

  /** Of the term. */
  @JsonProperty("name")
  private final String name;

  /** &lambda;<sub>R</sub> as configured. */
  @JsonProperty("weight")
  private final double weight;

  /** &rho;. */
  @JsonProperty("l1Ratio")
  private final double l1Ratio;

  private final transient DoubleSupplier driver;

  @JsonCreator
  private WeightPenalty(
      @JsonProperty("name") String name,
      @JsonProperty("weight") double weight,
      @JsonProperty("l1Ratio") double l1Ratio) {
    this(name, weight, l1Ratio, null);
  }

  private WeightPenalty(String name, double weight, double l1Ratio, DoubleSupplier driver) {
    super(weight);
    this.name = Objects.requireNonNull(name, "name");
    this.weight = LossTerm.checkedWeight("penalty", name, weight);
    this.l1Ratio = l1Ratio;
    this.driver = driver;
    if (!(l1Ratio >= 0.0 && l1Ratio <= 1.0)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "penalty '%s': l1Ratio (%s) must be from 0 to 1", name, l1Ratio));
    }
  }

  /**
   * R = &Sigma; |w|.
   *
   * @param name of the term
   * @param weight &lambda;<sub>R</sub>, finite and &ge; 0
   * @return the penalty
   * @throws IllegalArgumentException if the weight is negative, infinite or NaN; names the penalty
   */
  public static WeightPenalty l1(String name, double weight) {
    return new WeightPenalty(name, weight, 1.0);
  }

  /**
   * R = &frac12; &Sigma; w&sup2;.
   *
   * @param name of the term
   * @param weight &lambda;<sub>R</sub>, finite and &ge; 0
   * @return the penalty
   * @throws IllegalArgumentException as for {@link #l1}
   */
  public static WeightPenalty l2(String name, double weight) {
    return new WeightPenalty(name, weight, 0.0);
  }

  /**
   * R = &rho; &Sigma; |w| + (1 &minus; &rho;)/2 &Sigma; w&sup2;.
   *
   * @param name of the term
   * @param weight &lambda;<sub>R</sub>, finite and &ge; 0
   * @param l1Ratio &rho;, from 0 to 1
   * @return the penalty
   * @throws IllegalArgumentException as for {@link #l1}, or if the ratio is out of range
   */
  public static WeightPenalty elasticNet(String name, double weight, double l1Ratio) {
    return new WeightPenalty(name, weight, l1Ratio);
  }

  /**
   * The name of the term.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  /**
   * The weight as configured.
   *
   * @return &lambda;<sub>R</sub>
   */
  public double weight() {
    return weight;
  }

  /**
   * The share of L1.
   *
   * @return &rho;, from 0 to 1
   */
  public double l1Ratio() {
    return l1Ratio;
  }

  private WeightPenalty driven(DoubleSupplier lossWeight) {
    return new WeightPenalty(name, weight, l1Ratio, lossWeight);
  }

  private ElasticNet unweighted() {
    return new ElasticNet(l1Ratio);
  }

  /**
   * Adds &lambda;<sub>R</sub> &part;R/&part;w.
   *
   * @param parameter w; not modified
   * @param gradient of the same shape; modified
   * @param learningRate not used
   * @param iteration not used
   * @param epoch not used
   */
  @Override
  public void apply(
      INDArray parameter, INDArray gradient, double learningRate, int iteration, int epoch) {
    unweighted().addGradient(parameter, gradient, driver == null ? weight : driver.getAsDouble());
  }

  /**
   * &lambda;<sub>R</sub> R with the weight as configured, as part of the network's score.
   *
   * @param parameter w; not modified
   * @param iteration not used
   * @param epoch not used
   */
  @Override
  public double score(INDArray parameter, int iteration, int epoch) {
    return weight * unweighted().value(parameter);
  }

  /** A copy with the weight as configured. */
  @Override
  public WeightPenalty clone() {
    return driven(null);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof WeightPenalty that
        && name.equals(that.name)
        && weight == that.weight
        && l1Ratio == that.l1Ratio;
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, weight, l1Ratio);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s %s (L1 ratio %s)", weight, name, l1Ratio);
  }
}
