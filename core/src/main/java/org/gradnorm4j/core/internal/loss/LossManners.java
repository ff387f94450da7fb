package org.gradnorm4j.core.internal.loss;

import org.gradnorm4j.core.internal.kernel.Blas;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossWasserstein;

/**
 * What may be done with the arrays that go into a loss function and come out of it. The interface
 * promises nothing: a loss may write into its arguments, and return an array that is somebody
 * else's, such as the labels. The losses of Deeplearning4j itself are known: they write into
 * preOutput alone, and that only for the gradient, which they return in an array of their own. They
 * need no copies; any other loss gets and gives them.
 */
public final class LossManners {
  private static final String LOSSES = ILossFunction.class.getPackageName() + ".impl";
  private static final String ACTIVATIONS = IActivation.class.getPackageName() + ".impl";

  private LossManners() {}

  /** Whether it leaves labels and mask alone, and preOutput too where it computes scores. */
  static boolean isKnown(ILossFunction loss) {
    return loss.getClass().getPackageName().equals(LOSSES)
        && !(loss instanceof LossWasserstein); // masks the labels, in the user's array
  }

  /** Whether its gradient may be written into: the activation has the last word in making it. */
  static boolean ownsGradient(ILossFunction loss, IActivation activation) {
    return isKnown(loss) && activation.getClass().getPackageName().equals(ACTIVATIONS);
  }

  /**
   * factor · gradient.
   *
   * @param gradient what the loss returned; modified if it is the loss's own
   */
  public static INDArray scaled(
      INDArray gradient, double factor, ILossFunction loss, IActivation activation) {
    if (!ownsGradient(loss, activation)) {
      return gradient.mul(factor);
    }
    Blas.INSTANCE.scale(gradient, factor);
    return gradient;
  }

  /** A copy laid out like the array; null of null. */
  public static INDArray copy(INDArray array) {
    return array == null ? null : array.dup(array.ordering());
  }
}
