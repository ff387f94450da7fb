package org.gradnorm4j.core;

import java.io.Serial;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stands in the place of a layer's vertex; see {@link EpsilonTap}. Is a LayerVertex because DL4J
 * casts, but has everything done by the vertex it stands for, whose state so stays complete:
 * detaching is possible at any time.
 *
 * <p>The one in the place of the first shared layer also sees where a step begins and ends: forward
 * passes enter the shared zone by it, backward passes leave by it.
 */
@SuppressWarnings("overrides") // DL4J declares setInputs with and without varargs
final class LayerTapVertex extends LayerVertex {
  @Serial private static final long serialVersionUID = 1L;

  private final transient LayerVertex underlying;
  private final transient EpsilonTap tap;
  private final transient Attachment.StepEvents events;

  /** With the events of the step, or null if this is not the first shared layer. */
  LayerTapVertex(ComputationGraph graph, EpsilonTap tap, Attachment.StepEvents events) {
    this(graph, (LayerVertex) tap.vertex(), tap, events);
  }

  private LayerTapVertex(
      ComputationGraph graph, LayerVertex vertex, EpsilonTap tap, Attachment.StepEvents events) {
    super(
        graph,
        vertex.getVertexName(),
        vertex.getVertexIndex(),
        vertex.getInputVertices(),
        vertex.getOutputVertices(),
        vertex.getLayer(),
        vertex.getLayerPreProcessor(),
        false,
        null);
    this.underlying = vertex;
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
    underlying.setInput(inputNumber, input, workspaces);
  }

  @Override
  public boolean isOutputVertex() {
    return underlying.isOutputVertex();
  }

  @Override
  public INDArray[] getInputs() {
    return underlying.getInputs();
  }

  @Override
  public boolean canDoForward() {
    return underlying.canDoForward();
  }

  @Override
  public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
    INDArray output = underlying.doForward(training, workspaces);
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
    underlying.clear();
    if (events != null) {
      events.end();
    }
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  @Override
  public String toString() {
    return underlying.toString();
  }
}
