package org.gradnorm4j.core.analysis;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.EigenDecomposition;
import org.apache.commons.math3.util.FastMath;

/**
 * The inner products of the parts' unweighted gradients, K_ij = ⟨g_i, g_j⟩, and all that follows
 * from them. With G_i = λ_i g_i the weighted gradients, and G = Σ G_i the update's direction.
 */
final class GramMatrix {
  private final double[][] products;
  private final double[] weights;

  /** Both are kept, not copied. */
  GramMatrix(double[][] products, double[] weights) {
    this.products = products;
    this.weights = weights;
  }

  /** ‖g_i‖. */
  double norm(int i) {
    return Math.sqrt(products[i][i]);
  }

  /** ‖G_i‖ = λ_i ‖g_i‖. */
  double weightedNorm(int i) {
    return weights[i] * norm(i);
  }

  /** ‖G_i‖ / Σ ‖G_j‖; NaN if all are zero. */
  double share(int i) {
    return weightedNorm(i) / sumOfNorms();
  }

  /** ⟨g_i, g_j⟩ / (‖g_i‖ ‖g_j‖); NaN if one is zero. */
  double cosine(int i, int j) {
    return i == j && norm(i) > 0.0 ? 1.0 : clip(products[i][j] / (norm(i) * norm(j)));
  }

  /** ⟨g_i, G⟩ / (‖g_i‖ ‖G‖); NaN if one is zero. */
  double cosineWithTotal(int i) {
    double product = 0.0;
    for (int j = 0; j < weights.length; j++) {
      product += weights[j] * products[i][j];
    }
    return clip(product / (norm(i) * totalNorm()));
  }

  /** ‖G‖ / Σ ‖G_i‖: 1 if the parts pull the same way, 0 if they cancel; NaN if all are zero. */
  double agreement() {
    return Math.min(1.0, totalNorm() / sumOfNorms());
  }

  /** ‖G‖, from ‖G‖² = Σ_ij λ_i λ_j K_ij. */
  double totalNorm() {
    double squared = 0.0;
    for (int i = 0; i < weights.length; i++) {
      for (int j = 0; j < weights.length; j++) {
        squared += weights[i] * weights[j] * products[i][j];
      }
    }
    return Math.sqrt(Math.max(0.0, squared));
  }

  /**
   * exp(−Σ p_k ln p_k), with p_k the eigenvalues of the weighted Gram matrix over their sum: how
   * many directions the parts really pull in, from 1 to T (Roy and Vetterli, EUSIPCO 2007, on its
   * singular values). NaN if all gradients are zero or one is not finite.
   */
  double effectiveRank() {
    int parts = weights.length;
    double[][] weighted = new double[parts][parts];
    double trace = 0.0;
    for (int i = 0; i < parts; i++) {
      for (int j = 0; j < parts; j++) {
        weighted[i][j] = weights[i] * weights[j] * products[i][j];
      }
      trace += weighted[i][i];
    }
    if (!(trace > 0.0 && Double.isFinite(trace))) {
      return Double.NaN;
    }
    for (double[] row : weighted) {
      for (int j = 0; j < parts; j++) {
        row[j] /= trace;
      }
    }
    double entropy = 0.0;
    for (double p :
        new EigenDecomposition(new Array2DRowRealMatrix(weighted, false)).getRealEigenvalues()) {
      entropy -= p > 0.0 ? p * FastMath.log(p) : 0.0;
    }
    return FastMath.exp(entropy);
  }

  private double sumOfNorms() {
    double sum = 0.0;
    for (int i = 0; i < weights.length; i++) {
      sum += weightedNorm(i);
    }
    return sum;
  }

  /** Rounding may carry a cosine past 1; NaN stays NaN. */
  private static double clip(double cosine) {
    return Math.max(-1.0, Math.min(1.0, cosine));
  }
}
