package org.gradnorm4j.core;

/**
 * Chooses the weights of the very step that is measured: the tasks' gradients meet at the shared
 * layers, where
 *
 * <pre>
 *   Σ_i c_i ∇L_i
 * </pre>
 *
 * goes on through them, in place of the plain sum. Called on the training thread, in the middle of
 * the backward pass. What it throws ends the fit before the parameters have changed.
 */
public interface Combiner {

  /**
   * The weights of a step that is measured.
   *
   * @param step losses, norms and, if asked for, the Gram matrix of this step; its loss weights are
   *     1
   * @return c<sub>i</sub>, one per task, finite; 0 leaves a task's gradient out of the shared
   *     layers
   */
  double[] combine(StepMeasurement step);

  /**
   * The weights of a step that is not measured.
   *
   * @return c<sub>i</sub>, one per task, finite
   */
  double[] held();

  /**
   * Whether the layers that serve one task only get its weight too. If not, each trains on its own
   * loss as it is.
   *
   * @return the same for all steps
   */
  boolean weightsHeads();
}
