package org.gradnorm4j.core;

import java.io.IOException;
import java.io.Serial;
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
 * Stands in front of the loss function of one output: within a training step of the attached graph
 * it multiplies the gradient by λ_i and notes the loss; scores are never scaled. Anywhere else it
 * is the wrapped loss. Saved as JSON or by Java serialization, it is the wrapped loss too, so that
 * a model saved during training opens without this library.
 */
@JsonSerialize(using = WeightedLoss.AsWrappedLoss.class)
final class WeightedLoss implements ILossFunction {
  @Serial private static final long serialVersionUID = 1L;

  private final ILossFunction wrapped;
  private final transient Layer installedIn;
  private final transient TrainingStep step;
  private final transient int task;

  WeightedLoss(OutputLoss output, TrainingStep step, int task) {
    this.wrapped = unwrap(output.get());
    this.installedIn = output.layer();
    this.step = step;
    this.task = task;
  }

  /** The loss the user configured: a copy of an attached graph still holds it wrapped. */
  private static ILossFunction unwrap(ILossFunction loss) {
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
    double score = wrapped.computeScore(labels, preOutput, activation, mask, average);
    record(score, labels, average);
    return score;
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    return wrapped.computeScoreArray(labels, preOutput, activation, mask);
  }

  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    return weigh(wrapped.computeGradient(labels, preOutput, activation, mask));
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    Pair<Double, INDArray> result =
        wrapped.computeGradientAndScore(labels, preOutput, activation, mask, average);
    record(result.getFirst(), labels, average);
    return Pair.of(result.getFirst(), weigh(result.getSecond()));
  }

  private void record(double score, INDArray labels, boolean average) {
    if (step.isOpen()) {
      step.recordLossSum(task, average ? score * labels.size(0) : score);
    }
  }

  private INDArray weigh(INDArray gradient) {
    if (!step.isOpen() || step.lossWeight(task) == 1.0) {
      return gradient;
    }
    return gradient.muli(step.lossWeight(task));
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
