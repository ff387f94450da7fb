package org.gradnorm4j.core.internal.loss;

import java.util.function.BiFunction;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * What core does with the losses of {@code core.loss} and their users do not. Those classes hand it
 * over here when they are loaded, as it would have to be public there otherwise.
 */
public final class LossAccess {
  private static volatile Function<ILossFunction, LossTerms> terms;
  private static volatile BiFunction<L2Regularization, DoubleSupplier, L2Regularization> driven;

  private LossAccess() {}

  /** By {@code CompositeLoss}. */
  public static void terms(Function<ILossFunction, LossTerms> ofComposite) {
    terms = ofComposite;
  }

  /** By {@code WeightPenalty}. */
  public static void driven(
      BiFunction<L2Regularization, DoubleSupplier, L2Regularization> ofPenalty) {
    driven = ofPenalty;
  }

  /** The terms themselves, not a copy. */
  public static LossTerms terms(ILossFunction composite) {
    return terms.apply(composite);
  }

  /**
   * A copy of a {@code WeightPenalty} that takes the weight of every update from the supplier; from
   * its configuration if that is null.
   */
  public static L2Regularization driven(L2Regularization penalty, DoubleSupplier lossWeight) {
    return driven.apply(penalty, lossWeight);
  }
}
