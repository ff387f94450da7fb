package org.gradnorm4j.optimizer;

import java.util.Arrays;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** Gradient descent on plain doubles, Δ = η g; see {@link AdamOptimizer}. There is no state. */
record SgdOptimizer(Sgd configuration) implements WeightOptimizer {
  @Override
  public IUpdater updater() {
    return configuration.clone();
  }

  @Override
  public double[] init(int tasks) {
    return new double[0];
  }

  @Override
  public Step step(double[] state, double[] gradient, int iteration, int epoch) {
    double rate = configuration.getLearningRate(iteration, epoch);
    return new Step(state, Arrays.stream(gradient).map(g -> rate * g).toArray());
  }

  /** The updater, to be read. */
  @Override
  public String toString() {
    return configuration.toString();
  }
}
