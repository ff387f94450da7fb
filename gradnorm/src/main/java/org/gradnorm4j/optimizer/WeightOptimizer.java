package org.gradnorm4j.optimizer;

import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * An optimiser of the loss weights, as a pure function with an explicit state. All arrays are
 * copied or left alone, none is modified.
 */
interface WeightOptimizer {

  /**
   * The optimiser that an ND4J updater describes: the usual ones on plain doubles, any other by
   * ND4J.
   *
   * @throws IllegalArgumentException if ND4J cannot run it
   */
  static WeightOptimizer of(IUpdater updater) {
    if (updater.getClass() == Adam.class) {
      return new AdamOptimizer((Adam) updater);
    }
    return updater.getClass() == Sgd.class
        ? new SgdOptimizer((Sgd) updater)
        : new UpdaterOptimizer(updater);
  }

  /** The state before the first step. */
  double[] init(int tasks);

  /**
   * The step for a gradient.
   *
   * @param state what {@link #init} or the last step returned
   * @param gradient ∂L_grad by weight
   * @param iteration number of steps taken before, for bias correction and schedules
   * @param epoch current epoch, for schedules
   */
  Step step(double[] state, double[] gradient, int iteration, int epoch);

  /**
   * An optimiser's answer.
   *
   * @param state to be passed to the next step
   * @param delta what to subtract from the parameters
   */
  record Step(double[] state, double[] delta) {}
}
