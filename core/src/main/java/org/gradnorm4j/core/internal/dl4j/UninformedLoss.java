package org.gradnorm4j.core.internal.dl4j;

import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/**
 * The loss, per label, of an output that knows nothing, which gives every class the same
 * probability: log C for the cross-entropy of C classes, C log 2 for that of C sigmoids.
 */
public final class UninformedLoss {
  private UninformedLoss() {}

  /** For an output's own loss or a term of it; NaN if it depends on the labels. */
  public static double of(Layer layer, ILossFunction loss) {
    if (!(layer instanceof FeedForwardLayer output) || output.getNOut() < 1) {
      return Double.NaN;
    }
    if (loss instanceof LossMCXENT crossEntropy
        && crossEntropy.getWeights() == null
        && output.getActivationFn() instanceof ActivationSoftmax) {
      return Math.log(output.getNOut());
    }
    if (loss instanceof LossBinaryXENT crossEntropy
        && crossEntropy.getWeights() == null
        && output.getActivationFn() instanceof ActivationSigmoid) {
      return output.getNOut() * Math.log(2.0);
    }
    return Double.NaN;
  }
}
