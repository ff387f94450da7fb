package org.gradnorm4j.core.internal.loss;

import java.io.Serial;
import java.io.Serializable;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonValue;

/**
 * The terms of a {@code CompositeLoss}, computed together and with weights other than those it is
 * configured with. In JSON, the array of the terms.
 */
public final class LossTerms implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  @JsonValue private final List<LossTerm> terms;
  private transient volatile double[] lastScores;

  /**
   * In this order.
   *
   * @throws IllegalArgumentException if there are none, or two of one name; names it
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public LossTerms(List<LossTerm> terms) {
    if (terms == null || terms.isEmpty()) {
      throw new IllegalArgumentException("a composite loss needs terms. Add them with term(...)");
    }
    List<String> names = terms.stream().map(LossTerm::name).toList();
    for (String name : names) {
      if (Collections.frequency(names, name) > 1) {
        throw new IllegalArgumentException(
            "term '" + name + "' is there twice. Give each term a name of its own");
      }
    }
    this.terms = List.copyOf(terms);
  }

  public List<String> names() {
    return terms.stream().map(LossTerm::name).toList();
  }

  /** λ_i as configured. */
  public double[] weights() {
    return terms.stream().mapToDouble(LossTerm::weight).toArray();
  }

  public ILossFunction loss(int index) {
    return terms.get(index).loss();
  }

  /** Of the last {@link #scores}, as means over the rows of the labels; null before the first. */
  public double[] lastScores() {
    return lastScores;
  }

  /** The score of every term, unweighted, summed or averaged as asked for. */
  public double[] scores(
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
  public double total(double[] scores) {
    double total = 0.0;
    for (int i = 0; i < scores.length; i++) {
      double weight = terms.get(i).weight();
      total += weight == 0.0 ? 0.0 : weight * scores[i];
    }
    return total;
  }

  /** Σ λ_i s_i of every row, in an array of its own. */
  public INDArray scoreArray(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    INDArray sum = null;
    LossTerm.Arguments given = new LossTerm.Arguments(labels, preOutput, mask);
    for (LossTerm term : terms) {
      INDArray weighted = term.weightedScores(given, activation);
      sum = sum == null ? weighted : sum.addi(weighted);
    }
    return sum;
  }

  /** Σ λ_i ∂L_i/∂z with the given weights; a term of weight 0 is not computed. */
  public INDArray gradient(
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
  public boolean equals(Object other) {
    return other instanceof LossTerms that && terms.equals(that.terms);
  }

  @Override
  public int hashCode() {
    return terms.hashCode();
  }

  @Override
  public String toString() {
    return terms.stream().map(LossTerm::toString).collect(Collectors.joining(" + "));
  }
}
