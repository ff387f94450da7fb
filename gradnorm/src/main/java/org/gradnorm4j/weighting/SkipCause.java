package org.gradnorm4j.weighting;

/** Why a task kept the loss weights from being updated in a step. */
public enum SkipCause {
  /** Its loss is NaN or infinite. */
  LOSS,

  /**
   * The norm of its gradient is NaN or infinite: so is the gradient that its head sends back, or it
   * is too large for the network's number type to be squared.
   */
  GRADIENT_NORM,

  /** Loss and norm are finite, but what the update makes of them is not. */
  WEIGHT_UPDATE
}
