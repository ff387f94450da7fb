package org.gradnorm4j.core.internal.dl4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.nd4j.linalg.api.buffer.DataType;

/** Finds and checks the layers whose weights are W. */
final class SharedLayers {
  private SharedLayers() {}

  /**
   * The vertices of the shared layers.
   *
   * @param names the layers the user named, or empty for the last one all outputs depend on
   * @throws IllegalArgumentException if a layer cannot be measured: which layer, why, what to do
   */
  static List<GraphVertex> of(TaskGraph graph, List<String> names) {
    if (names.isEmpty()) {
      GraphVertex last = last(graph);
      checkDataType(last);
      return List.of(last);
    }
    List<GraphVertex> shared = new ArrayList<>();
    for (String name : names) {
      GraphVertex vertex = named(graph, name);
      checkTrainable(graph, vertex);
      checkShared(graph, vertex);
      checkDataType(vertex);
      if (Vertices.isIn(shared, vertex)) {
        throw new IllegalArgumentException(
            "layer '" + name + "' is named twice as a shared layer. Name it once");
      }
      shared.add(vertex);
    }
    return List.copyOf(shared);
  }

  /** The last candidate that is more than a scale: normalization and PReLU must be asked for. */
  private static GraphVertex last(TaskGraph graph) {
    List<GraphVertex> candidates = new ArrayList<>(candidates(graph));
    candidates.removeIf(
        vertex -> {
          var configuration = vertex.getLayer().conf().getLayer();
          return configuration instanceof BatchNormalization || configuration instanceof PReLULayer;
        });
    if (candidates.isEmpty()) {
      throw new IllegalArgumentException(
          "no trainable layer with weights is shared by all outputs "
              + graph.outputs()
              + ": there is no gradient to balance. Let the outputs depend on a common layer");
    }
    return candidates.get(candidates.size() - 1);
  }

  private static GraphVertex named(TaskGraph graph, String name) {
    GraphVertex vertex = graph.vertex(name);
    if (vertex == null || !vertex.hasLayer()) {
      throw new IllegalArgumentException(
          (vertex == null
                  ? "layer '" + name + "' is not in the graph"
                  : "'" + name + "' is no layer")
              + ". "
              + choices(graph));
    }
    return vertex;
  }

  private static void checkTrainable(TaskGraph graph, GraphVertex vertex) {
    if (Vertices.isFrozen(vertex)) {
      throw new IllegalArgumentException(
          "layer '"
              + vertex.getVertexName()
              + "' is frozen, its weights do not train. Unfreeze it, or choose another. "
              + choices(graph));
    }
    if (Vertices.weightKeys(vertex).isEmpty()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "layer '%s' (%s) has no weights to take a gradient of. %s",
              vertex.getVertexName(),
              vertex.getLayer().conf().getLayer().getClass().getSimpleName(),
              choices(graph)));
    }
  }

  private static void checkShared(TaskGraph graph, GraphVertex vertex) {
    String name = vertex.getVertexName();
    for (int output = 0; output < graph.outputs().size(); output++) {
      String outputName = graph.outputs().get(output);
      if (!graph.tasksThatDependOn(vertex).intersects(graph.tasks().of(output))) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "layer '%s' is not shared: output '%s' does not depend on it. %s",
                name,
                outputName,
                choices(graph)));
      }
      if (!graph.tasksThatTrain(vertex).intersects(graph.tasks().of(output))) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "layer '%s' gets no gradient from output '%s': frozen layers lie between them. Unfreeze them, or choose another. %s",
                name,
                outputName,
                choices(graph)));
      }
    }
  }

  private static void checkDataType(GraphVertex vertex) {
    DataType type = vertex.getLayer().params().dataType();
    if (type != DataType.FLOAT && type != DataType.DOUBLE) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "layer '%s' has data type %s, too coarse to measure gradients in. Use dataType(DataType.FLOAT) or DOUBLE",
              vertex.getVertexName(),
              type));
    }
  }

  private static String choices(TaskGraph graph) {
    return "Shared by all outputs: "
        + candidates(graph).stream().map(GraphVertex::getVertexName).toList();
  }

  /** Trainable layers with weights that every task trains, first to last. */
  private static List<GraphVertex> candidates(TaskGraph graph) {
    return graph.verticesInForwardOrder().stream()
        .filter(vertex -> vertex.hasLayer() && !Vertices.isFrozen(vertex))
        .filter(vertex -> !Vertices.weightKeys(vertex).isEmpty())
        .filter(graph::isTrainedByAll)
        .toList();
  }
}
