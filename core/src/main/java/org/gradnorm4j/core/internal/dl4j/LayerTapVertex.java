package org.gradnorm4j.core.internal.dl4j;

import java.io.Serial;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stands in the place of a layer's vertex in the shared zone; see {@link EpsilonTap}.
 *
 * <p>The one in the place of the first shared layer also sees where a step begins and where its
 * backward pass has been: forward passes enter the shared zone by it, backward passes leave by it.
 */
@SuppressWarnings("overrides") // DL4J declares setInputs with and without varargs
public final class LayerTapVertex extends LayerStandIn {
  @Serial private static final long serialVersionUID = 1L;

  private final transient EpsilonTap tap;
  private final transient Attachment.StepEvents events;

  /** With the events of the step, or null if this is not the first shared layer. */
  LayerTapVertex(ComputationGraph graph, EpsilonTap tap, Attachment.StepEvents events) {
    super(graph, (LayerVertex) tap.vertex());
    this.tap = tap;
    this.events = events;
  }

  /**
   * Begins a step, in training or not: the backward pass will tell. ({@code doForward} is told, but
   * truncated backpropagation through time goes around it.)
   */
  @Override
  public void setInput(int inputNumber, INDArray input, LayerWorkspaceMgr workspaces) {
    tap.forgetEpsilons();
    if (events != null) {
      events.begin();
    }
    super.setInput(inputNumber, input, workspaces);
  }

  @Override
  public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
    INDArray output = super.doForward(training, workspaces);
    tap.forward(output, training);
    return output;
  }

  @Override
  public void setEpsilon(INDArray epsilon) {
    tap.setEpsilon(epsilon);
  }

  @Override
  public INDArray getEpsilon() {
    return tap.epsilonSoFar();
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    Pair<Gradient, INDArray[]> result = tap.doBackward(tbptt, workspaces);
    if (events != null) {
      events.measured();
    }
    return result;
  }

  @Override
  public void clear() {
    tap.forgetEpsilons();
    super.clear();
    if (events != null) {
      events.abandon();
    }
  }
}
