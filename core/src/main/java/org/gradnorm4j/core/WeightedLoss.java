package org.gradnorm4j.core;

import java.io.IOException;
import java.io.Serial;
import java.util.BitSet;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.shade.jackson.core.JsonGenerator;
import org.nd4j.shade.jackson.databind.JsonSerializer;
import org.nd4j.shade.jackson.databind.SerializerProvider;
import org.nd4j.shade.jackson.databind.annotation.JsonSerialize;
import org.nd4j.shade.jackson.databind.jsontype.TypeSerializer;

/**
 * Stands in front of the loss function of one output: within a training step of the attached
 * network it multiplies the gradient by λ_i and notes the loss; scores are never scaled. Of a
 * {@link CompositeLoss} it does so term by term. Anywhere else it is the wrapped loss. Saved as
 * JSON or by Java serialization, it is the wrapped loss too, so that a model saved during training
 * opens as if it had never been attached.
 */
@JsonSerialize(using = WeightedLoss.AsWrappedLoss.class)
final class WeightedLoss implements ILossFunction {
  @Serial private static final long serialVersionUID = 1L;

  private final ILossFunction wrapped;
  private final transient Layer installedIn;
  private final transient TrainingStep step;
  private final transient BitSet tasks;
  private final transient Calls calls;

  /** Told when the network calls the loss in training. */
  interface Calls {
    /** Nobody wants to know. */
    Calls IGNORED = new Calls() {};

    /** The backward pass asks for the gradient. */
    default void beforeGradient(INDArray labels) {}

    /** The score is known. */
    default void afterScore(INDArray labels) {}
  }

  /** For one output and its tasks. */
  WeightedLoss(OutputLoss output, BitSet tasks, TrainingStep step, Calls calls) {
    this.wrapped = unwrap(output.get());
    this.installedIn = output.layer();
    this.step = step;
    this.tasks = tasks;
    this.calls = calls;
  }

  /** The loss the user configured: a copy of an attached graph still holds it wrapped. */
  static ILossFunction unwrap(ILossFunction loss) {
    return loss instanceof WeightedLoss copied ? copied.wrapped : loss;
  }

  /** True in the configuration it was made for, false in a copy of that. */
  boolean isInstalledIn(Layer configuration) {
    return installedIn == configuration;
  }

  ILossFunction wrapped() {
    return wrapped;
  }

  @Override
  public double computeScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    double total;
    if (wrapped instanceof CompositeLoss composite) {
      double[] scores = composite.scores(labels, preOutput, activation, mask, average);
      record(scores, labels, mask, average);
      total = composite.total(scores);
    } else {
      total = wrapped.computeScore(labels, preOutput, activation, mask, average);
      record(new double[] {total}, labels, mask, average);
    }
    calls.afterScore(labels);
    return total;
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    return wrapped.computeScoreArray(labels, preOutput, activation, mask);
  }

  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    calls.beforeGradient(labels);
    if (!step.isOpen()) {
      return wrapped.computeGradient(labels, preOutput, activation, mask);
    }
    double[] weights = tasks.stream().mapToDouble(step::gradientWeight).toArray();
    if (wrapped instanceof CompositeLoss composite) {
      return composite.gradient(weights, labels, preOutput, activation, mask);
    }
    if (weights[0] == 0.0) { // not 0 times what may be NaN
      return preOutput.like();
    }
    INDArray gradient = wrapped.computeGradient(labels, preOutput, activation, mask);
    return weights[0] == 1.0 ? gradient : gradient.muli(weights[0]);
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    INDArray z = preOutput.dup(); // computing the gradient may write into it
    INDArray gradient = computeGradient(labels, z, activation, mask);
    return Pair.of(computeScore(labels, preOutput, activation, mask, average), gradient);
  }

  private void record(double[] scores, INDArray labels, INDArray mask, boolean average) {
    if (step.isOpen()) {
      int first = tasks.nextSetBit(0);
      double present = presentLabels(labels, mask);
      for (int i = 0; i < scores.length; i++) {
        step.recordLossSum(first + i, average ? scores[i] * labels.size(0) : scores[i], present);
      }
    }
  }

  /** Rows of the labels that the mask lets through; of a mask by element, its share of them. */
  private static double presentLabels(INDArray labels, INDArray mask) {
    double rows = labels.size(0);
    return mask == null ? rows : rows * (mask.norm1Number().doubleValue() / mask.length());
  }

  @Override
  public String name() {
    return wrapped.name();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ILossFunction loss && wrapped.equals(unwrap(loss));
  }

  @Override
  public int hashCode() {
    return wrapped.hashCode();
  }

  @Override
  public String toString() {
    return wrapped.toString();
  }

  @Serial
  private Object writeReplace() {
    return wrapped;
  }

  /** Writes the wrapped loss, with its own type information, in place of the wrapper. */
  static final class AsWrappedLoss extends JsonSerializer<WeightedLoss> {
    @Override
    public void serialize(WeightedLoss loss, JsonGenerator json, SerializerProvider provider)
        throws IOException {
      provider.defaultSerializeValue(loss.wrapped, json);
    }

    @Override
    public void serializeWithType(
        WeightedLoss loss, JsonGenerator json, SerializerProvider provider, TypeSerializer type)
        throws IOException {
      provider
          .findValueSerializer(loss.wrapped.getClass())
          .serializeWithType(loss.wrapped, json, provider, type);
    }
  }
}
