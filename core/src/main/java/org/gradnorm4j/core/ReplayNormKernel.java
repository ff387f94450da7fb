package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.AllocationPolicy;
import org.nd4j.linalg.api.memory.enums.LearningPolicy;
import org.nd4j.linalg.api.memory.enums.ResetPolicy;
import org.nd4j.linalg.api.memory.enums.SpillPolicy;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Norm kernel of any layer: runs the layer's own backward pass once per task and reads the norm off
 * its gradient views, which the step's real backward pass then overwrites. Costs T backward passes
 * of this one layer.
 *
 * <p>That is exact for a layer whose backward pass can be repeated and is linear in its epsilon.
 * DL4J does not promise either, so the first step proves both: the gradients of the tasks must add
 * up to the gradient of the sum, and the gradient of the sum must come out the same before and
 * after.
 */
final class ReplayNormKernel implements NormKernel {
  private static final WorkspaceConfiguration WORKSPACE =
      WorkspaceConfiguration.builder()
          .initialSize(0)
          .overallocationLimit(0.05)
          .policyAllocation(AllocationPolicy.OVERALLOCATE)
          .policyLearning(LearningPolicy.FIRST_LOOP)
          .policyReset(ResetPolicy.BLOCK_LEFT)
          .policySpill(SpillPolicy.REALLOCATE)
          .build();

  private final GraphVertex vertex;
  private final List<String> weightKeys;
  private final List<Layer> configurations;
  private final LayerWorkspaceMgr replayWorkspaces;
  private boolean proved;

  ReplayNormKernel(SharedLayer shared) {
    vertex = shared.vertex();
    weightKeys = TaskGraph.weightKeys(vertex);
    configurations = NormKernels.withWrapped(vertex.getLayer().conf().getLayer());
    replayWorkspaces =
        LayerWorkspaceMgr.builder()
            .defaultWorkspace("WS_GRADNORM4J_REPLAY", WORKSPACE)
            .with(ArrayType.ACTIVATION_GRAD, "WS_GRADNORM4J_REPLAY_GRAD", WORKSPACE)
            .with(ArrayType.RNN_FF_LOOP_WORKING_MEM, "WS_GRADNORM4J_REPLAY_LOOP", WORKSPACE)
            .with(ArrayType.RNN_BP_LOOP_WORKING_MEM, "WS_GRADNORM4J_REPLAY_LOOP", WORKSPACE)
            .build();
  }

  @Override
  public void norms(
      INDArray[] taskEpsilons, double[] norms, boolean tbptt, LayerWorkspaceMgr workspaces) {
    LayerWorkspaceMgr own = usesWorkspaces(workspaces) ? replayWorkspaces : workspaces;
    List<IDropout> dropouts = configurations.stream().map(Layer::getIDropout).toList();
    // The input has been through dropout already; its mask is for the real backward pass.
    configurations.forEach(layer -> layer.setIDropout(null));
    try {
      if (!proved) {
        prove(taskEpsilons, tbptt, own);
        proved = true;
      }
      for (int i = 0; i < norms.length; i++) {
        norms[i] = taskEpsilons[i] == null ? 0.0 : norm(taskEpsilons[i], tbptt, own);
      }
    } finally {
      for (int i = 0; i < configurations.size(); i++) {
        configurations.get(i).setIDropout(dropouts.get(i));
      }
    }
  }

  private static boolean usesWorkspaces(LayerWorkspaceMgr workspaces) {
    return workspaces.hasConfiguration(ArrayType.BP_WORKING_MEM);
  }

  private double norm(INDArray epsilon, boolean tbptt, LayerWorkspaceMgr workspaces) {
    double squared = 0.0;
    for (INDArray gradient : replay(epsilon, tbptt, workspaces)) {
      squared += DenseNormKernel.dot(gradient, gradient);
    }
    return Math.sqrt(squared);
  }

  /** Runs the layer's backward pass and returns the gradient views of its weights. */
  @SuppressWarnings("try") // a workspace is there to be open, not to be named
  private List<INDArray> replay(INDArray epsilon, boolean tbptt, LayerWorkspaceMgr workspaces) {
    try (MemoryWorkspace gradients = workspaces.notifyScopeEntered(ArrayType.ACTIVATION_GRAD);
        MemoryWorkspace working = workspaces.notifyScopeEntered(ArrayType.BP_WORKING_MEM)) {
      vertex.setEpsilon(epsilon.dup()); // a layer may write into its epsilon
      Gradient gradient = vertex.doBackward(tbptt, workspaces).getFirst();
      return weightKeys.stream().map(gradient::getGradientFor).filter(Objects::nonNull).toList();
    }
  }

  private void prove(INDArray[] taskEpsilons, boolean tbptt, LayerWorkspaceMgr workspaces) {
    INDArray[] present =
        Arrays.stream(taskEpsilons).filter(Objects::nonNull).toArray(INDArray[]::new);
    INDArray sum = present[0].dup();
    for (int i = 1; i < present.length; i++) {
      sum.addi(present[i]);
    }
    try {
      List<INDArray> first = detached(replay(sum, tbptt, workspaces));
      List<INDArray> added = new ArrayList<>();
      for (INDArray epsilon : present) {
        add(added, replay(epsilon, tbptt, workspaces));
      }
      List<INDArray> again = detached(replay(sum, tbptt, workspaces));
      if (!agree(first, again) || !agree(first, added)) {
        throw notRepeatable(null);
      }
    } catch (RuntimeException e) {
      throw e instanceof NotRepeatableException ? e : notRepeatable(e);
    }
  }

  private NotRepeatableException notRepeatable(RuntimeException cause) {
    return new NotRepeatableException(
        "layer '%s' (%s) does not give the same gradient twice: its backward pass uses up or changes its state, so tasks cannot be measured on it one by one. Choose another shared layer"
            .formatted(
                vertex.getVertexName(),
                vertex.getLayer().conf().getLayer().getClass().getSimpleName()),
        cause);
  }

  private static List<INDArray> detached(List<INDArray> arrays) {
    return arrays.stream().map(array -> array.dup().detach()).toList();
  }

  private static void add(List<INDArray> sums, List<INDArray> terms) {
    if (sums.isEmpty()) {
      sums.addAll(detached(terms));
    } else {
      for (int i = 0; i < terms.size(); i++) {
        sums.get(i).addi(terms.get(i));
      }
    }
  }

  /** Equal up to what summing in another order may change. */
  private static boolean agree(List<INDArray> expected, List<INDArray> actual) {
    for (int i = 0; i < expected.size(); i++) {
      double tolerance = expected.get(i).dataType() == DataType.DOUBLE ? 1e-9 : 1e-3;
      double scale = expected.get(i).amaxNumber().doubleValue();
      double difference = expected.get(i).sub(actual.get(i)).amaxNumber().doubleValue();
      if (!(difference <= tolerance * scale || difference < Float.MIN_NORMAL)) {
        return false;
      }
    }
    return true;
  }

  /** The layer failed the proof of the first step. */
  private static final class NotRepeatableException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    NotRepeatableException(String message, RuntimeException cause) {
      super(message, cause);
    }
  }
}
