package org.gradnorm4j.core.internal.dl4j;

import java.io.IOException;
import java.io.Serial;
import java.util.BitSet;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.gradnorm4j.core.internal.loss.LossAccess;
import org.gradnorm4j.core.internal.loss.LossManners;
import org.gradnorm4j.core.internal.loss.LossTerms;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
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
public final class WeightedLoss implements ILossFunction {
  @Serial private static final long serialVersionUID = 1L;

  private final ILossFunction wrapped;
  private final transient LossTerms terms;
  private final transient Layer installedIn;
  private final transient TrainingStep step;
  private final transient BitSet tasks;
  private transient volatile Calls calls;
  private transient double[] noted;
  private transient long notedIn;

  /**
   * Knows whose call it is: a network's loss functions belong to its configuration, and so to its
   * copies as well.
   */
  public interface Calls {
    /** A backward pass asks for the gradient: whether it is the attached network's. */
    boolean isOwnGradient(INDArray labels);

    /** The score is asked for: whether it ends a training step of the attached network. */
    boolean isOwnScore(INDArray labels);

    /** In a step that combines gradients, the loss is noted ahead of them. */
    default void lossNoted() {}

    /** The score of a training step is noted. */
    default void scored() {}

    /** What was begun ends in an exception. */
    default void failed() {}
  }

  /** After detaching: copies of the network may still have this loss, and train on the wrapped. */
  private static final Calls OF_NOBODY =
      new Calls() {
        @Override
        public boolean isOwnGradient(INDArray labels) {
          return false;
        }

        @Override
        public boolean isOwnScore(INDArray labels) {
          return false;
        }
      };

  /** For one output and its tasks. */
  public WeightedLoss(OutputLoss output, BitSet tasks, TrainingStep step, Calls calls) {
    this.wrapped = unwrap(output.get());
    this.terms = wrapped instanceof CompositeLoss ? LossAccess.terms(wrapped) : null;
    this.installedIn = output.layer();
    this.step = step;
    this.tasks = tasks;
    this.calls = calls;
  }

  /** The loss the user configured: a copy of an attached graph still holds it wrapped. */
  public static ILossFunction unwrap(ILossFunction loss) {
    return loss instanceof WeightedLoss copied ? copied.wrapped : loss;
  }

  /** True in the configuration it was made for, false in a copy of that. */
  boolean isInstalledIn(Layer configuration) {
    return installedIn == configuration;
  }

  public ILossFunction wrapped() {
    return wrapped;
  }

  Calls calls() {
    return calls;
  }

  /** From here on it is the wrapped loss everywhere, and holds on to nothing else. */
  void retire() {
    calls = OF_NOBODY;
  }

  @Override
  public double computeScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    Calls caller = calls;
    boolean own = caller.isOwnScore(labels);
    double[] scores =
        own && isNoted(average) ? noted : scores(labels, preOutput, activation, mask, average);
    double total = terms != null ? terms.total(scores) : scores[0];
    if (own) {
      record(scores, labels, mask, average);
    }
    if (own) {
      caller.scored();
    }
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
    Calls caller = calls;
    if (!caller.isOwnGradient(labels)) {
      return wrapped.computeGradient(labels, preOutput, activation, mask);
    }
    try {
      return weightedGradient(labels, preOutput, activation, mask);
    } catch (RuntimeException e) {
      caller.failed();
      throw e;
    }
  }

  private INDArray weightedGradient(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    if (step.isCombining()) {
      note(labels, preOutput, activation, mask);
    }
    double[] weights = tasks.stream().mapToDouble(step::gradientWeight).toArray();
    if (terms != null) {
      return terms.gradient(weights, labels, preOutput, activation, mask);
    }
    if (weights[0] == 0.0) { // not 0 times what may be NaN
      return preOutput.like();
    }
    INDArray gradient = wrapped.computeGradient(labels, preOutput, activation, mask);
    return weights[0] == 1.0
        ? gradient
        : LossManners.scaled(gradient, weights[0], wrapped, activation);
  }

  /** Before the gradient, which may write into z, and before what is sent back gets its weight. */
  private void note(INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    if (notedIn != step.number()) {
      noted = scores(labels, preOutput, activation, mask, false);
      notedIn = step.number();
      double present = presentLabels(labels, mask);
      int first = tasks.nextSetBit(0);
      for (int i = 0; i < noted.length; i++) {
        step.noteLossSum(first + i, noted[i], present);
      }
    }
    if (!step.isReplaying()) {
      calls.lossNoted();
    }
  }

  private double[] scores(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    return terms != null
        ? terms.scores(labels, preOutput, activation, mask, average)
        : new double[] {wrapped.computeScore(labels, preOutput, activation, mask, average)};
  }

  /** Whether the score has been computed already: not if z is another each time it is asked for. */
  private boolean isNoted(boolean average) {
    return step.isCombining()
        && notedIn == step.number()
        && !average
        && installedIn.getIDropout() == null
        && !(installedIn instanceof BaseLayer layer && layer.getWeightNoise() != null);
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    INDArray z = preOutput.dup(); // computing the gradient may write into it
    INDArray gradient = computeGradient(labels, z, activation, mask);
    return Pair.of(computeScore(labels, preOutput, activation, mask, average), gradient);
  }

  private void record(double[] scores, INDArray labels, INDArray mask, boolean average) {
    int first = tasks.nextSetBit(0);
    double present = presentLabels(labels, mask);
    for (int i = 0; i < scores.length; i++) {
      step.recordLossSum(first + i, average ? scores[i] * labels.size(0) : scores[i], present);
    }
  }

  /** Rows of the labels that the mask lets through; of a mask by element, its share of them. */
  private static double presentLabels(INDArray labels, INDArray mask) {
    double rows = labels.size(0);
    return mask == null ? rows : rows * (sumOf(mask) / mask.length());
  }

  /** Of a mask of any type: there is no sum of truth values, and in halves none of many ones. */
  private static double sumOf(INDArray mask) {
    boolean summable = mask.dataType() == DataType.FLOAT || mask.dataType() == DataType.DOUBLE;
    return (summable ? mask : mask.castTo(DataType.DOUBLE)).norm1Number().doubleValue();
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
