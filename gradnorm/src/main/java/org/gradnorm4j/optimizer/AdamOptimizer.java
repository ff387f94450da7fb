package org.gradnorm4j.optimizer;

import org.apache.commons.math3.util.FastMath;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Adam (Kingma and Ba, ICLR 2015) on plain doubles, as ND4J computes it. For a handful of weights
 * calling ND4J takes many times as long as the arithmetic.
 *
 * <pre>
 *   m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
 *   Δ = η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε),  t counting from 1
 * </pre>
 *
 * The state is m, then v.
 */
record AdamOptimizer(Adam configuration) implements WeightOptimizer {
  @Override
  public IUpdater updater() {
    return configuration.clone();
  }

  @Override
  public double[] init(int tasks) {
    return new double[2 * tasks];
  }

  @Override
  public Step step(double[] state, double[] gradient, int iteration, int epoch) {
    double beta1 = configuration.getBeta1();
    double beta2 = configuration.getBeta2();
    int tasks = gradient.length;
    double rate =
        configuration.getLearningRate(iteration, epoch)
            * FastMath.sqrt(1.0 - FastMath.pow(beta2, iteration + 1))
            / (1.0 - FastMath.pow(beta1, iteration + 1));
    double[] next = new double[2 * tasks];
    double[] delta = new double[tasks];
    for (int i = 0; i < tasks; i++) {
      next[i] = beta1 * state[i] + (1.0 - beta1) * gradient[i];
      next[tasks + i] = beta2 * state[tasks + i] + (1.0 - beta2) * gradient[i] * gradient[i];
      delta[i] = rate * next[i] / (FastMath.sqrt(next[tasks + i]) + configuration.getEpsilon());
    }
    return new Step(next, delta);
  }

  /** The updater, to be read. */
  @Override
  public String toString() {
    return configuration.toString();
  }
}
