package org.gradnorm4j.core.internal.dl4j;

import java.io.Serial;
import java.util.Arrays;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A layer of a MultiLayerNetwork as a vertex, with its own backward pass. */
@SuppressWarnings("overrides") // DL4J declares setInputs with and without varargs
final class NetworkLayer extends LayerVertex {
  @Serial private static final long serialVersionUID = 1L;

  private final transient MultiLayerNetwork network;

  private NetworkLayer(MultiLayerNetwork network, int index) {
    super(
        null,
        name(network, index),
        index,
        index == 0 ? null : new VertexIndices[] {new VertexIndices(index - 1, 0)},
        index == network.getnLayers() - 1
            ? null
            : new VertexIndices[] {new VertexIndices(index + 1, 0)},
        network.getLayer(index),
        network.getLayerWiseConfigurations().getInputPreProcess(index),
        network.getLayer(index) instanceof IOutputLayer,
        network.getLayerWiseConfigurations().getDataType());
    this.network = network;
  }

  /** All layers, first to last. */
  static NetworkLayer[] of(MultiLayerNetwork network) {
    NetworkLayer[] layers = new NetworkLayer[network.getnLayers()];
    Arrays.setAll(layers, index -> new NetworkLayer(network, index));
    return layers;
  }

  /** What the user calls the layer, else DL4J's number for it. */
  private static String name(MultiLayerNetwork network, int index) {
    String name = network.getLayer(index).conf().getLayer().getLayerName();
    return name == null ? String.valueOf(index) : name;
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    Pair<Gradient, INDArray> result = getLayer().backpropGradient(getEpsilon(), workspaces);
    INDArray inputEpsilon = result.getSecond();
    if (getLayerPreProcessor() != null) {
      inputEpsilon =
          getLayerPreProcessor()
              .backprop(inputEpsilon, network.getInputMiniBatchSize(), workspaces);
    }
    return new Pair<>(result.getFirst(), new INDArray[] {inputEpsilon});
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
