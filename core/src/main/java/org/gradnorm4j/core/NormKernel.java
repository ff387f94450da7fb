package org.gradnorm4j.core;

import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Computes, for one kind of shared layer, the norm of every task's gradient with respect to the
 * layer's weights from what the task's heads send back to it.
 *
 * <p>There is one kernel per kind of layer; {@link NormKernels} chooses. An implementation is
 * correct if it agrees with training each task alone, which the oracle tests check.
 */
interface NormKernel {

  /**
   * Computes norms[i] = ‖∇_W S_i‖₂ with S_i the function whose gradient at the layer's output is
   * taskEpsilons[i]. Runs after the forward pass and before the layer's own backward pass, whose
   * result it must not influence.
   *
   * @param taskEpsilons ∂S_i/∂output per task, of the shape of the layer's output; null where a
   *     task sent nothing (its norm is 0). Not modified.
   * @param norms one per task. Modified.
   * @param tbptt whether DL4J trains by truncated backpropagation through time
   * @param workspaces those of the layer's backward pass, open
   */
  void norms(INDArray[] taskEpsilons, double[] norms, boolean tbptt, LayerWorkspaceMgr workspaces);
}
