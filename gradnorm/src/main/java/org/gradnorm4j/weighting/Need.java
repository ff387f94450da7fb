package org.gradnorm4j.weighting;

/**
 * What a {@link LossWeighting} decides by. Everything is measured and recorded in any case; a value
 * that is NaN or infinite keeps the weights from moving only where it is needed.
 */
public enum Need {
  /** The losses L<sub>i</sub>. */
  LOSSES,

  /** The gradient norms &#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214;. */
  GRADIENT_NORMS,

  /**
   * The Gram matrix &lang;&nabla;<sub>W</sub>L<sub>i</sub>, &nabla;<sub>W</sub>L<sub>j</sub>&rang;.
   * Measured only where it is needed.
   */
  GRAM
}
