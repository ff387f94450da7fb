package org.gradnorm4j.core.internal.dl4j;

import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.FrozenVertex;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.nd4j.linalg.learning.regularization.Regularization;

/** What Deeplearning4j's vertices and layers do not say themselves. */
public final class Vertices {
  private Vertices() {}

  /**
   * Whether this very vertex is in the list. DL4J's vertices and layers are equal by value, arrays
   * included, which may lie in a workspace that is closed: none of ours is found by {@code equals}
   * or {@code hashCode}.
   */
  static boolean isIn(List<GraphVertex> vertices, GraphVertex vertex) {
    return vertices.stream().anyMatch(each -> each == vertex);
  }

  /** Names of the vertex' weights in DL4J's parameter table, biases left out; empty if none. */
  public static List<String> weightKeys(GraphVertex vertex) {
    if (!vertex.hasLayer() || vertex.getLayer().numParams() == 0) {
      return List.of();
    }
    var configuration = vertex.getLayer().conf().getLayer();
    if (configuration instanceof BatchNormalization) { // DL4J counts its scale as no weight
      return vertex.getLayer().paramTable().containsKey(BatchNormalizationParamInitializer.GAMMA)
          ? List.of(BatchNormalizationParamInitializer.GAMMA)
          : List.of();
    }
    return configuration.initializer().weightKeys(configuration).stream()
        .filter(key -> !configuration.isPretrainParam(key))
        .toList();
  }

  /** What DL4J lays on a parameter in its updates; empty if nothing. */
  public static List<Regularization> regularization(GraphVertex vertex, String key) {
    List<Regularization> all = vertex.getConfig().getRegularizationByParam(key);
    return all == null ? List.of() : all;
  }

  /** True if the weights of this vertex do not train, whether or not it lets gradients pass. */
  public static boolean isFrozen(GraphVertex vertex) {
    return stopsGradient(vertex) || vertex.getLayer() instanceof FrozenLayerWithBackprop;
  }

  static boolean stopsGradient(GraphVertex vertex) {
    return vertex instanceof FrozenVertex || vertex.getLayer() instanceof FrozenLayer;
  }

  /** The layer itself if its weights are frozen but let gradients pass; DL4J has its loss work. */
  static Layer outputLayer(Layer layer) {
    return layer instanceof FrozenLayerWithBackprop frozen ? frozen.getInsideLayer() : layer;
  }
}
