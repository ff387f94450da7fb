package org.gradnorm4j.core.internal.loss;

import java.io.Serial;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * L = Σ label · z, as errors that were computed elsewhere come into a network: the gradient is the
 * label array itself, and whatever it was given is zero once the score is known.
 */
final class BorrowingLoss implements ILossFunction {
  @Serial private static final long serialVersionUID = 1L;

  @Override
  public double computeScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    double sum = computeScoreArray(labels, preOutput, activation, mask).sumNumber().doubleValue();
    return average ? sum / labels.size(0) : sum;
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    INDArray scores = labels.mul(preOutput).sum(true, 1);
    preOutput.assign(0.0);
    return scores;
  }

  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    return labels;
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    return Pair.of(computeScore(labels, preOutput, activation, mask, average), labels);
  }

  @Override
  public String name() {
    return "Borrowing";
  }
}
