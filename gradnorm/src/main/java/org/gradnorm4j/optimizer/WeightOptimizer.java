package org.gradnorm4j.optimizer;

import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * An optimiser of the loss weights, or of other numbers per task, as a pure function with an
 * explicit state. Strategies take one in place of ND4J's updater, so that they need no type of
 * ND4J. All arrays are copied or left alone, none is modified. Two are equal if their updaters are.
 */
public interface WeightOptimizer {

  /**
   * The optimiser that an ND4J updater describes: the usual ones on plain doubles, any other by
   * ND4J.
   *
   * @param updater with its learning rate or schedule; copied
   * @return the optimiser
   * @throws IllegalArgumentException if ND4J cannot run it
   */
  static WeightOptimizer of(IUpdater updater) {
    if (updater.getClass() == Adam.class) {
      return new AdamOptimizer((Adam) updater.clone());
    }
    return updater.getClass() == Sgd.class
        ? new SgdOptimizer((Sgd) updater.clone())
        : new UpdaterOptimizer(updater);
  }

  /**
   * Adam with ND4J's default moments.
   *
   * @param learningRate &gt; 0
   * @return the optimiser
   */
  static WeightOptimizer adam(double learningRate) {
    return of(new Adam(learningRate));
  }

  /**
   * The updater that this is.
   *
   * @return a copy
   */
  IUpdater updater();

  /**
   * Whether a state of the other fits this one: the updaters differ in numbers only.
   *
   * @param other any
   * @return true if both have the same class
   */
  default boolean isOfKind(WeightOptimizer other) {
    return updater().getClass() == other.updater().getClass();
  }

  /**
   * The state before the first step.
   *
   * @param tasks how many numbers are optimised
   * @return such as the moments of Adam
   */
  double[] init(int tasks);

  /**
   * The step for a gradient.
   *
   * @param state what {@link #init} or the last step returned
   * @param gradient ∂L_grad by weight
   * @param iteration number of steps taken before, for bias correction and schedules
   * @param epoch current epoch, for schedules
   * @return the next state, and what to subtract
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
