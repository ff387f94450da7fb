package org.gradnorm4j.core.internal.kernel;

import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The δ_i = ε_i ⊙ f'(z) of a step at a dense layer, [N, out]. */
final class DenseDeltas {
  private final DenseLayer layer;
  private final ActivationDerivative activation;
  private final KeptArray one;
  private final INDArray[] epsilons;
  private final DataType type;

  /**
   * Of a step.
   *
   * @param activation at the z of the step
   * @param one takes one δ_i at a time
   * @param epsilons null where a task sends nothing; not modified
   */
  DenseDeltas(
      DenseLayer layer, ActivationDerivative activation, KeptArray one, INDArray[] epsilons) {
    this.layer = layer;
    this.activation = activation;
    this.one = one;
    this.epsilons = epsilons;
    this.type = layer.params().dataType();
  }

  /** Some of the output's units. */
  record Units(long from, long count, long all) {
    private boolean areAll() {
      return count == all;
    }

    private INDArray of(INDArray array) {
      return areAll()
          ? array
          : array.get(NDArrayIndex.all(), NDArrayIndex.interval(from, from + count));
    }
  }

  boolean isThere(int task) {
    return epsilons[task] != null;
  }

  /** The tasks that send something. */
  int[] present() {
    return TaskRows.present(epsilons);
  }

  /** δ_i; not to be modified. */
  INDArray of(int task) {
    INDArray epsilon = epsilons[task].castTo(type);
    if (activation.isIdentity() && layer.getMaskArray() == null) {
      return epsilon;
    }
    INDArray result = one.sized(type, epsilon.shape());
    into(result, task);
    return result;
  }

  /** The part of δ_i that belongs to some units; not to be modified. */
  INDArray of(int task, Units units) {
    return units.of(of(task));
  }

  /** δ_i, with the rows that the layer's mask leaves out set to zero; or zeros. */
  void into(INDArray result, int task) {
    if (!isThere(task)) {
      result.assign(0.0);
      return;
    }
    activation.multiply(epsilons[task].castTo(type), result);
    if (layer.getMaskArray() != null) {
      result.muliColumnVector(layer.getMaskArray().castTo(type));
    }
  }

  /** The part that belongs to some units. */
  void into(INDArray result, int task, Units units) {
    if (units.areAll()) {
      into(result, task);
    } else {
      result.assign(of(task, units));
    }
  }
}
