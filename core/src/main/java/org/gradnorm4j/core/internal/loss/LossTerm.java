package org.gradnorm4j.core.internal.loss;

import java.io.Serial;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Supplier;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** One L_i of a {@code CompositeLoss} and its λ_i. */
public final class LossTerm implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  @JsonProperty("name")
  private final String name;

  @JsonProperty("weight")
  private final double weight;

  @JsonProperty("loss")
  private final ILossFunction loss;

  /** The arrays that all terms get. */
  public record Arguments(INDArray labels, INDArray preOutput, INDArray mask) {
    Arguments copy() {
      return new Arguments(
          LossManners.copy(labels), LossManners.copy(preOutput), LossManners.copy(mask));
    }

    Arguments copyOfOutput() {
      return new Arguments(labels, preOutput.dup(), mask);
    }
  }

  @JsonCreator
  public LossTerm(
      @JsonProperty("name") String name,
      @JsonProperty("weight") double weight,
      @JsonProperty("loss") ILossFunction loss) {
    this.name = Objects.requireNonNull(name, "name");
    this.weight = checkedWeight("term", name, weight);
    this.loss = Objects.requireNonNull(loss, () -> "term '" + name + "': loss");
  }

  /**
   * The weight.
   *
   * @param kind of what has it, for the message
   * @throws IllegalArgumentException if it is negative, infinite or NaN
   */
  public static double checkedWeight(String kind, String name, double weight) {
    if (!(weight >= 0.0 && Double.isFinite(weight))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "%s '%s': weight (%s) must be >= 0 and finite", kind, name, weight));
    }
    return weight;
  }

  public String name() {
    return name;
  }

  public double weight() {
    return weight;
  }

  public ILossFunction loss() {
    return loss;
  }

  public double score(Arguments given, IActivation activation, boolean average) {
    Arguments own = LossManners.isKnown(loss) ? given : given.copy();
    return evaluate(
        given, () -> loss.computeScore(own.labels, own.preOutput, activation, own.mask, average));
  }

  /** In an array of its own. */
  public INDArray weightedScores(Arguments given, IActivation activation) {
    Arguments own = LossManners.isKnown(loss) ? given : given.copy();
    INDArray scores =
        evaluate(
            given, () -> loss.computeScoreArray(own.labels, own.preOutput, activation, own.mask));
    return weight == 0.0 ? scores.like() : scores.mul(weight);
  }

  /** lossWeight · ∂L_i/∂z, in an array that may be written into. */
  public INDArray gradient(double lossWeight, Arguments given, IActivation activation) {
    Arguments own = LossManners.isKnown(loss) ? given.copyOfOutput() : given.copy();
    INDArray gradient =
        evaluate(
            given, () -> loss.computeGradient(own.labels, own.preOutput, activation, own.mask));
    if (lossWeight != 1.0) {
      return LossManners.scaled(gradient, lossWeight, loss, activation);
    }
    return LossManners.ownsGradient(loss, activation) ? gradient : LossManners.copy(gradient);
  }

  /** A misfit between a loss and the labels shows only when they meet: say whose it is. */
  private <V> V evaluate(Arguments given, Supplier<V> value) {
    try {
      return value.get();
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "term '%s' (%s) cannot be computed from labels of shape %s and an output of shape %s: %s",
              name,
              loss.name(),
              Arrays.toString(given.labels.shape()),
              Arrays.toString(given.preOutput.shape()),
              e.getMessage()),
          e);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LossTerm that
        && name.equals(that.name)
        && weight == that.weight
        && loss.equals(that.loss);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, weight, loss);
  }

  @Override
  public String toString() {
    return weight + " " + name + " (" + loss.name() + ")";
  }
}
