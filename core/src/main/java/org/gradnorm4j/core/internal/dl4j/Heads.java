package org.gradnorm4j.core.internal.dl4j;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What lies outside of the shared zone, for steps whose gradients are combined at the shared
 * layers: the heads, which serve one task each, and everything before the shared layers, which must
 * get its gradient through them.
 */
final class Heads {
  private static final List<String> NO_GRADIENTS =
      List.of(
          BatchNormalizationParamInitializer.GLOBAL_MEAN,
          BatchNormalizationParamInitializer.GLOBAL_VAR,
          BatchNormalizationParamInitializer.GLOBAL_LOG_STD);

  private final TaskGraph graph;
  private final List<GraphVertex> zone;
  private final List<Head> heads = new ArrayList<>();
  private final String obstacle;

  private record Head(GraphVertex vertex, int task) {}

  /** Reads the graph while its vertices are its own. */
  Heads(TaskGraph graph, List<GraphVertex> sharedLayers) {
    this.graph = graph;
    zone = graph.sharedZone(sharedLayers);
    for (GraphVertex vertex : graph.verticesInForwardOrder()) {
      BitSet tasks = graph.tasksThatTrain(vertex);
      if (vertex.hasLayer() && !Vertices.isIn(zone, vertex) && tasks.cardinality() == 1) {
        heads.add(new Head(vertex, tasks.nextSetBit(0)));
      }
    }
    obstacle = obstacle();
  }

  /**
   * Whether all that several tasks train gets its gradient from the zone, or is in it.
   *
   * @throws IllegalArgumentException if a gradient would get past; names the layer and the remedy
   */
  void checkCombinable() {
    if (obstacle != null) {
      throw new IllegalArgumentException(obstacle);
    }
  }

  private String obstacle() {
    if (!graph.tasks().penalties().isEmpty()) {
      return String.format(
          Locale.ROOT,
          "penalty '%s' is a task: its gradient does not pass through the network, and cannot be combined in the same step. Use Deeplearning4j's own l1 or l2, or weights for the next step: timing(Timing.NEXT_STEP)",
          graph.tasks().penalties().get(0).name());
    }
    GraphVertex last = zone.get(zone.size() - 1);
    Set<GraphVertex> trained = trained();
    for (GraphVertex vertex : graph.verticesInForwardOrder()) {
      if (!Vertices.isIn(zone, vertex) && servesSeveral(vertex) && trained.contains(vertex)) {
        for (TaskGraph.Edge edge : graph.epsilonEdges(vertex)) {
          if (getsPast(edge.consumer(), last)) {
            return String.format(
                Locale.ROOT,
                "'%s' serves several tasks and sends to '%s' past the shared layer '%s': gradients cannot be combined there in the same step. Choose a shared layer that all tasks pass through, or weights for the next step: timing(Timing.NEXT_STEP)",
                vertex.getVertexName(),
                edge.consumer().getVertexName(),
                last.getVertexName());
          }
        }
      }
    }
    return null;
  }

  /** Whether a consumer sends back a gradient of tasks before they are combined. */
  private boolean getsPast(GraphVertex consumer, GraphVertex last) {
    boolean through =
        consumer == last || (!Vertices.isIn(zone, consumer) && servesSeveral(consumer));
    return !through && !graph.tasksThatTrain(consumer).isEmpty();
  }

  private boolean servesSeveral(GraphVertex vertex) {
    return graph.tasksThatTrain(vertex).cardinality() > 1;
  }

  /** The vertices that have parameters that train, or have a vertex before them that has. */
  private Set<GraphVertex> trained() {
    Set<GraphVertex> trained = Collections.newSetFromMap(new IdentityHashMap<>());
    for (GraphVertex vertex : graph.verticesInForwardOrder()) {
      boolean own =
          vertex.hasLayer() && vertex.getLayer().numParams() > 0 && !Vertices.isFrozen(vertex);
      if (own || graph.sources(vertex).stream().anyMatch(trained::contains)) {
        trained.add(vertex);
      }
    }
    return trained;
  }

  /**
   * Multiplies the gradients of the layers that serve one task by its weight. A gradient is linear
   * in the weight of the loss; Deeplearning4j has not used it yet.
   *
   * @param weights c_i
   */
  void scale(double[] weights) {
    for (Head head : heads) {
      double weight = weights[head.task()];
      if (weight != 1.0) {
        gradients(head.vertex().getLayer()).forEach(gradient -> scale(gradient, weight));
      }
    }
  }

  private static void scale(INDArray gradient, double weight) {
    if (weight == 0.0) { // not 0 times what may be NaN
      gradient.assign(0.0);
    } else {
      gradient.muli(weight);
    }
  }

  /** Running means, which Deeplearning4j keeps with the gradients, are none. */
  private static List<INDArray> gradients(Layer layer) {
    INDArray all = layer.getGradientsViewArray();
    if (all == null || layer.numParams() == 0) {
      return List.of();
    }
    if (!(layer.conf().getLayer() instanceof BatchNormalization configuration)) {
      return List.of(all);
    }
    List<INDArray> gradients = new ArrayList<>();
    for (Map.Entry<String, INDArray> entry :
        configuration.initializer().getGradientsFromFlattened(layer.conf(), all).entrySet()) {
      if (!NO_GRADIENTS.contains(entry.getKey())) {
        gradients.add(entry.getValue());
      }
    }
    return gradients;
  }
}
