package org.gradnorm4j.core;

import java.io.Serial;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
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

  @JsonProperty("terms")
  private final List<LossTerm> terms;

  private transient volatile double[] lastScores;

  @JsonCreator
  private CompositeLoss(@JsonProperty("terms") List<LossTerm> terms) {
    if (terms == null || terms.isEmpty()) {
      throw new IllegalArgumentException("a composite loss needs terms. Add them with term(...)");
    }
    List<String> names = terms.stream().map(term -> term.name()).toList();
    for (String name : names) {
      if (Collections.frequency(names, name) > 1) {
        throw new IllegalArgumentException(
            "term '" + name + "' is there twice. Give each term a name of its own");
      }
    }
    this.terms = List.copyOf(terms);
  }

  static double checkedWeight(String kind, String name, double weight) {
    if (!(weight >= 0.0 && Double.isFinite(weight))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "%s '%s': weight (%s) must be >= 0 and finite", kind, name, weight));
    }
    return weight;
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
    return terms.stream().map(term -> term.name()).toList();
  }

  /**
   * The weights as configured.
   *
   * @return &lambda;<sub>i</sub> in the order of {@link #termNames()}; a copy
   */
  public double[] weights() {
    return terms.stream().mapToDouble(term -> term.weight()).toArray();
  }

  /**
   * The loss of a term.
   *
   * @param index in {@link #termNames()}
   * @return the loss function, as it was given
   */
  public ILossFunction loss(int index) {
    return terms.get(index).loss();
  }

  /**
   * What each term contributed to the last score that was computed with this object, in training or
   * not: L<sub>i</sub>, without &lambda;<sub>i</sub>, as a mean over the rows of the labels (the
   * examples; in series, the time steps of all examples).
   *
   * @return scores by term name, in the order of {@link #termNames()}; empty before the first
   */
  public Map<String, Double> termScores() {
    double[] scores = lastScores;
    Map<String, Double> byName = new LinkedHashMap<>();
    for (int i = 0; scores != null && i < scores.length; i++) {
      byName.put(terms.get(i).name(), scores[i]);
    }
    return Collections.unmodifiableMap(byName);
  }

  /** An equal loss that notes scores of its own. */
  CompositeLoss copy() {
    return new CompositeLoss(terms);
  }

  /** The score of every term, unweighted, summed or averaged as asked for. */
  double[] scores(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    double[] scores = new double[terms.size()];
    double[] means = new double[terms.size()];
    LossTerm.Arguments given = new LossTerm.Arguments(labels, preOutput, mask);
    for (int i = 0; i < scores.length; i++) {
      scores[i] = terms.get(i).score(given, activation, average);
      means[i] = average ? scores[i] : scores[i] / labels.size(0);
    }
    lastScores = means;
    return scores;
  }

  /** Σ λ_i s_i with the weights as configured; a term of weight 0 is left out, also if NaN. */
  double total(double[] scores) {
    double total = 0.0;
    for (int i = 0; i < scores.length; i++) {
      double weight = terms.get(i).weight();
      total += weight == 0.0 ? 0.0 : weight * scores[i];
    }
    return total;
  }

  /** Σ λ_i ∂L_i/∂z with the given weights; a term of weight 0 is not computed. */
  INDArray gradient(
      double[] weights,
      INDArray labels,
      INDArray preOutput,
      IActivation activation,
      INDArray mask) {
    INDArray sum = null;
    LossTerm.Arguments given = new LossTerm.Arguments(labels, preOutput, mask);
    for (int i = 0; i < weights.length; i++) {
      if (weights[i] != 0.0) {
        INDArray gradient = terms.get(i).gradient(weights[i], given, activation);
        sum = sum == null ? gradient : sum.addi(gradient);
      }
    }
    return sum == null ? preOutput.like() : sum;
  }

  @Override
  public double computeScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    return total(scores(labels, preOutput, activation, mask, average));
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    INDArray sum = null;
    LossTerm.Arguments given = new LossTerm.Arguments(labels, preOutput, mask);
    for (LossTerm term : terms) {
      INDArray weighted = term.weightedScores(given, activation);
      sum = sum == null ? weighted : sum.addi(weighted);
    }
    return sum;
  }

  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    return gradient(weights(), labels, preOutput, activation, mask);
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
    return terms.stream()
        .map(LossTerm::toString)
        .collect(Collectors.joining(" + ", "Composite(", ")"));
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
      return new CompositeLoss(terms);
    }
  }
}
