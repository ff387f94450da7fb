package org.gradnorm4j.core.internal.loss;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.Axpy;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * R(w) = ρ Σ |w| + (1 − ρ)/2 Σ w².
 *
 * @param l1Ratio ρ, from 0 to 1
 */
public record ElasticNet(double l1Ratio) {

  /** R of one parameter array. */
  public double value(INDArray parameter) {
    double value = 0.0;
    if (l1Ratio > 0.0) {
      value += l1Ratio * parameter.norm1Number().doubleValue();
    }
    if (l1Ratio < 1.0) {
      double norm = parameter.norm2Number().doubleValue();
      value += (1.0 - l1Ratio) * 0.5 * norm * norm;
    }
    return value;
  }

  /**
   * Adds scale · ∂R/∂w.
   *
   * @param gradient modified
   */
  public void addGradient(INDArray parameter, INDArray gradient, double scale) {
    if (l1Ratio > 0.0) {
      addScaled(scale * l1Ratio, Transforms.sign(parameter, true), gradient);
    }
    if (l1Ratio < 1.0) {
      addScaled(scale * (1.0 - l1Ratio), parameter, gradient);
    }
  }

  /** sum += factor · array, by the operation DL4J's own regularization uses. */
  private static void addScaled(double factor, INDArray array, INDArray sum) {
    Nd4j.exec(new Axpy(array, sum, sum, factor));
  }
}
