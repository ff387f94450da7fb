package org.gradnorm4j.core.internal.dl4j;

import java.io.Serial;
import java.util.function.Consumer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stands in the place of an output and tells when its backward pass runs: what the loss function is
 * asked for then is asked by this graph, not by a copy that has the same one.
 */
@SuppressWarnings("overrides") // DL4J declares setInputs with and without varargs
public final class OutputTapVertex extends LayerStandIn {
  @Serial private static final long serialVersionUID = 1L;

  private final transient Consumer<Boolean> inside;

  OutputTapVertex(ComputationGraph graph, LayerVertex vertex, Consumer<Boolean> inside) {
    super(graph, vertex);
    this.inside = inside;
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    inside.accept(true);
    try {
      return super.doBackward(tbptt, workspaces);
    } finally {
      inside.accept(false);
    }
  }
}
