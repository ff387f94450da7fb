package org.gradnorm4j.core.internal.kernel;

import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Computes, for one kind of shared layer, the norm of every task's gradient with respect to the
 * layer's weights from what comes back to it from the tasks: a shortcut past {@code Replay}, which
 * does it for any layer.
 *
 * <p>An implementation is correct if it agrees with training each task alone, which the oracle
 * tests check.
 */
public interface NormKernel {

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

  /**
   * Adds ⟨∇_W S_i, ∇_W S_j⟩ to gram[i][j]; otherwise as {@link #addSquaredNorms}, whose place it
   * takes: the diagonal has the squared norms.
   *
   * @param gram one row and one column per task. Modified, and stays symmetric.
   */
  void addGram(INDArray[] taskEpsilons, double[][] gram, LayerWorkspaceMgr workspaces);

  /**
   * The layer's forward pass in training gave this.
   *
   * @param output of the layer; not modified
   */
  default void forward(INDArray output) {}

  /**
   * Does the layer's own backward pass with what the norms have computed already. The result is
   * that of the layer, bit for bit.
   *
   * @param epsilon ∂S/∂output; may be modified
   * @param workspaces those of the backward pass, open
   * @return gradient and epsilon of the input, or null if the layer has to do it itself
   */
  default Pair<Gradient, INDArray> backward(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    return null;
  }
}
