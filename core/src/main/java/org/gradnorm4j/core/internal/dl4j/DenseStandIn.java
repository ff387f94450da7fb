package org.gradnorm4j.core.internal.dl4j;

import java.io.Serial;
import java.util.Optional;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.gradnorm4j.core.internal.kernel.ActivationDerivative;
import org.gradnorm4j.core.internal.kernel.DenseBackward;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stands in the place of a dense layer that is not measured, and spares it the second product xW
 * ({@link DenseBackward}). Measuring has no need of it; it makes up for what measuring costs.
 */
@SuppressWarnings("overrides") // DL4J declares setInputs with and without varargs
public final class DenseStandIn extends LayerStandIn {
  @Serial private static final long serialVersionUID = 1L;

  private final transient DenseLayer layer;
  private final transient ActivationDerivative activation;
  private final transient DenseBackward backward;

  private DenseStandIn(ComputationGraph graph, LayerVertex vertex, DenseLayer layer) {
    super(graph, vertex);
    this.layer = layer;
    activation = new ActivationDerivative(layer.layerConf().getActivationFn());
    backward = new DenseBackward(layer, activation);
  }

  /** For a vertex whose layer would compute the product again without need; else empty. */
  static Optional<GraphVertex> of(ComputationGraph graph, GraphVertex vertex) {
    return vertex.getClass() == LayerVertex.class
            && DenseBackward.isFor(vertex.getLayer())
            && ActivationDerivative.isReadOffOutputs(
                ((DenseLayer) vertex.getLayer()).layerConf().getActivationFn())
        ? Optional.of(new DenseStandIn(graph, (LayerVertex) vertex, (DenseLayer) vertex.getLayer()))
        : Optional.empty();
  }

  @Override
  public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
    INDArray output = super.doForward(training, workspaces);
    if (training && layer.getMaskArray() == null) {
      activation.forward(output, layer.input());
    } else {
      activation.forget();
    }
    return output;
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    INDArray epsilon = getEpsilon();
    return epsilon == null || activation.standIn(layer.input()) == null
        ? super.doBackward(tbptt, workspaces)
        : throughPreProcessor(
            backward.run(epsilon, workspaces), this, graph.batchSize(), workspaces);
  }

  @Override
  public void clear() {
    activation.forget();
    super.clear();
  }
}
