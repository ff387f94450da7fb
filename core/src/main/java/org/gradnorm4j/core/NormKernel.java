package org.gradnorm4j.core;

import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Computes, for one kind of shared layer, the norm of every task's gradient with respect to the
 * layer's weights from what comes back to it from the tasks: a shortcut past {@link Replay}, which
 * does it for any layer.
 *
 * <p>An implementation is correct if it agrees with training each task alone, which the oracle
 * tests check.
 */
interface NormKernel {

  /**
   * Adds ‖∇_W S_i‖₂² to squaredNorms[i], with S_i the function whose gradient at the layer's output
   * is taskEpsilons[i]. Runs after the forward pass and before the layer's own backward pass, whose
   * result it must not influence.
   *
   * @param taskEpsilons ∂S_i/∂output per task, of the shape of the layer's output; null where a
   *     task sends nothing (it adds nothing). Not modified.
   * @param squaredNorms one per task. Modified.
   * @param workspaces those of the layer's backward pass, open
   */
  void addSquaredNorms(
      INDArray[] taskEpsilons, double[] squaredNorms, LayerWorkspaceMgr workspaces);
}
