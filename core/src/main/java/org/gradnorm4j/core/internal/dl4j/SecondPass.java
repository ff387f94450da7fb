package org.gradnorm4j.core.internal.dl4j;

import java.util.List;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.gradnorm4j.core.internal.kernel.BackwardState;
import org.gradnorm4j.core.internal.kernel.KeptArray;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A vertex of the shared zone whose backward pass comes before the weights are known: it passes
 * back the plain sum, and later, with the weights, does so once more. The second pass overwrites
 * the gradients of its parameters; what it sends on nobody needs, as the vertices after it know the
 * tasks' parts by themselves.
 */
final class SecondPass {
  private final GraphVertex vertex;
  private final List<EpsilonTap.Edge> edges;
  private final KeptArray[] kept;
  private final INDArray[] copies;
  private BackwardState state;
  private boolean tbptt;

  SecondPass(GraphVertex vertex, List<EpsilonTap.Edge> edges) {
    this.vertex = vertex;
    this.edges = edges;
    kept = new KeptArray[edges.size()];
    copies = new INDArray[edges.size()];
  }

  /** Copies what the first pass uses up. */
  void keep(INDArray[] arrived, boolean truncated) {
    tbptt = truncated;
    for (int edge = 0; edge < arrived.length; edge++) {
      if (kept[edge] == null) {
        kept[edge] = new KeptArray('c');
      }
      copies[edge] =
          kept[edge].sized(arrived[edge].dataType(), arrived[edge].shape()).assign(arrived[edge]);
    }
    state = BackwardState.of(vertex);
    state.setUpCopy();
  }

  /** Passes back Σ c_i ε_i. */
  void run(TrainingStep step) {
    step.repeating(() -> backward(step));
    state = null;
  }

  @SuppressWarnings("try") // a workspace is there to be open, not to be named
  private void backward(TrainingStep step) {
    LayerWorkspaceMgr workspaces = ReplayWorkspaces.OF_VERTEX;
    try (MemoryWorkspace gradients = workspaces.notifyScopeEntered(ArrayType.ACTIVATION_GRAD);
        MemoryWorkspace working = workspaces.notifyScopeEntered(ArrayType.BP_WORKING_MEM)) {
      state.restore();
      vertex.setEpsilon(copies.length == 0 ? null : combined(edges, copies, step.combination()));
      vertex.doBackward(tbptt, workspaces);
    }
  }

  /**
   * Σ c_i ε_i over the edges.
   *
   * @param arrived over each edge; modified
   * @return null if there is no edge: an output, whose loss is asked for the weighted gradient
   */
  static INDArray combined(List<EpsilonTap.Edge> edges, INDArray[] arrived, double[] weights) {
    INDArray sum = null;
    for (int edge = 0; edge < arrived.length; edge++) {
      INDArray part = edges.get(edge).combined(arrived[edge], weights);
      sum = sum == null ? part : sum.addi(part);
    }
    return sum;
  }
}
