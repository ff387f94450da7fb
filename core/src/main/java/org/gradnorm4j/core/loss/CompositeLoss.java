package org.gradnorm4j.core.loss;

import java.io.Serial;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.gradnorm4j.core.internal.loss.LossAccess;
import org.gradnorm4j.core.internal.loss.LossTerm;
import org.gradnorm4j.core.internal.loss.LossTerms;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The weighted sum of several named losses of one output:
 *
 * <pre>
 *   L = Σ_i λ_i L_i(labels, output)
 * </pre>
 *
 * <pre>{@code
 * new OutputLayer.Builder(
 *         CompositeLoss.builder()
 *             .term("cross-entropy", 1.0, new LossMCXENT())
 *             .term("confidence", 0.1, new LossMSE())
 *             .build())
 *     .nOut(10).activation(Activation.SOFTMAX).build()
 * }</pre>
 *
 * <p>It is a loss function like any other: for the output layers of a MultiLayerNetwork or a
 * ComputationGraph, saved and loaded with the model (which then needs this library). Labels, output
 * activation and mask are those of the layer, the same for every term: a loss that is not one of
 * Deeplearning4j's own gets copies, so that it may write into them. In a network with a
 * GradientNormProbe every term is a task of its own, and the weights are those of the probe; they
 * begin with the ones given here.
 *
 * <p>Penalties on the parameters are no function of the output: they are a {@link WeightPenalty} of
 * the layers they act on.
 *
 * <p>Immutable, but for {@link #termScores()}, which tells of the last step.
 */
public final class CompositeLoss implements ILossFunction {
  @Serial private static final long serialVersionUID = 1L;

  static {
    LossAccess.terms(loss -> ((CompositeLoss) loss).terms);
  }

  /** In the order in which they were added. */
  @JsonProperty("terms")
  private final LossTerms terms;

  @JsonCreator
  private CompositeLoss(@JsonProperty("terms") LossTerms terms) {
    this.terms = terms == null ? new LossTerms(null) : terms;
  }

  /**
   * Starts without terms.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The terms, in the order in which they were added.
   *
   * @return their names
   */
  public List<String> termNames() {
    return terms.names();
  }

  /**
   * The weights as configured.
   *
   * @return &lambda;<sub>i</sub> in the order of {@link #termNames()}; a copy
   */
  public double[] weights() {
    return terms.weights();
  }

  /**
   * The loss of a term.
   *
   * @param index in {@link #termNames()}
   * @return the loss function, as it was given
   */
  public ILossFunction loss(int index) {
    return terms.loss(index);
  }

  /**
   * What each term contributed to the last score that was computed with this object, in training or
   * not: L<sub>i</sub>, without &lambda;<sub>i</sub>, as a mean over the rows of the labels (the
   * examples; in series, the time steps of all examples).
   *
   * @return scores by term name, in the order of {@link #termNames()}; empty before the first
   */
  public Map<String, Double> termScores() {
    double[] scores = terms.lastScores();
    Map<String, Double> byName = new LinkedHashMap<>();
    for (int i = 0; scores != null && i < scores.length; i++) {
      byName.put(termNames().get(i), scores[i]);
    }
    return Collections.unmodifiableMap(byName);
  }

  @Override
  public double computeScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    return terms.total(terms.scores(labels, preOutput, activation, mask, average));
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    return terms.scoreArray(labels, preOutput, activation, mask);
  }

  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    return terms.gradient(terms.weights(), labels, preOutput, activation, mask);
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    double score = computeScore(labels, preOutput, activation, mask, average);
    return Pair.of(score, computeGradient(labels, preOutput, activation, mask));
  }

  @Override
  public String name() {
    return toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CompositeLoss that && terms.equals(that.terms);
  }

  @Override
  public int hashCode() {
    return terms.hashCode();
  }

  @Override
  public String toString() {
    return "Composite(" + terms + ")";
  }

  /** Collects the terms of a {@link CompositeLoss}. */
  public static final class Builder {
    private final List<LossTerm> terms = new ArrayList<>();

    private Builder() {}

    /**
     * Adds a term.
     *
     * @param name its name, in all that is shown of it; unique in this loss
     * @param weight &lambda;<sub>i</sub>, finite and &ge; 0
     * @param loss L<sub>i</sub>; any loss function that fits the layer's labels
     * @return this
     * @throws IllegalArgumentException if the weight is negative, infinite or NaN; names the term
     */
    public Builder term(String name, double weight, ILossFunction loss) {
      terms.add(new LossTerm(name, weight, loss));
      return this;
    }

    /**
     * Builds.
     *
     * @return the sum of the terms
     * @throws IllegalArgumentException if there are none, or two of one name; names it
     */
    public CompositeLoss build() {
      return new CompositeLoss(new LossTerms(terms));
    }
  }
}
