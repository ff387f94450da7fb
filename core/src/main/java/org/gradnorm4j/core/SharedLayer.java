package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;

/**
 * Where the tasks of a graph part: the layer W whose gradient is measured, and which task each of
 * the epsilons belongs to that arrive at it.
 *
 * @param vertex the vertex of W in the graph
 * @param edgeTasks for every epsilon DL4J sends to W in a backward pass, in the order of arrival,
 *     the index of the task it comes from
 */
record SharedLayer(LayerVertex vertex, int[] edgeTasks) {

  /**
   * Finds and checks the shared layer.
   *
   * @param name the layer the user named, or null for the last one all outputs depend on
   * @throws IllegalArgumentException if the layer cannot be measured: which layer, why, what to do
   */
  static SharedLayer of(TaskGraph graph, String name) {
    GraphVertex vertex = name == null ? last(graph) : named(graph, name);
    checkTrainable(graph, vertex);
    checkShared(graph, vertex);
    return new SharedLayer((LayerVertex) vertex, edgeTasks(graph, vertex));
  }

  String name() {
    return vertex.getVertexName();
  }

  Layer layer() {
    return vertex.getLayer();
  }

  private static GraphVertex last(TaskGraph graph) {
    List<GraphVertex> candidates = candidates(graph);
    if (candidates.isEmpty()) {
      throw new IllegalArgumentException(
          "no trainable layer with weights is shared by all outputs "
              + graph.taskNames()
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
    if (TaskGraph.isFrozen(vertex)) {
      throw new IllegalArgumentException(
          "layer '"
              + vertex.getVertexName()
              + "' is frozen, its weights do not train. Unfreeze it, or choose another. "
              + choices(graph));
    }
    if (TaskGraph.weightKeys(vertex).isEmpty()) {
      throw new IllegalArgumentException(
          "layer '%s' (%s) has no weights to take a gradient of. %s"
              .formatted(
                  vertex.getVertexName(),
                  vertex.getLayer().conf().getLayer().getClass().getSimpleName(),
                  choices(graph)));
    }
  }

  private static void checkShared(TaskGraph graph, GraphVertex vertex) {
    String name = vertex.getVertexName();
    if (graph.taskNames().contains(name)) {
      throw new IllegalArgumentException(
          "layer '" + name + "' is an output, not a shared layer. " + choices(graph));
    }
    for (int task = 0; task < graph.taskNames().size(); task++) {
      String output = graph.taskNames().get(task);
      if (!graph.tasksThatDependOn(vertex).get(task)) {
        throw new IllegalArgumentException(
            "layer '%s' is not shared: output '%s' does not depend on it. %s"
                .formatted(name, output, choices(graph)));
      }
      if (!graph.tasksThatTrain(vertex).get(task)) {
        throw new IllegalArgumentException(
            "layer '%s' gets no gradient from output '%s': frozen layers lie between them. Unfreeze them, or choose another. %s"
                .formatted(name, output, choices(graph)));
      }
    }
  }

  private static int[] edgeTasks(TaskGraph graph, GraphVertex vertex) {
    List<Integer> tasks = new ArrayList<>();
    for (GraphVertex consumer : graph.epsilonSources(vertex)) {
      var served = graph.tasksThatTrain(consumer);
      if (served.cardinality() > 1) {
        throw new IllegalArgumentException(
            "layer '%s': '%s' behind it serves several tasks %s, so their gradients arrive at '%s' already summed. Choose the layer where the tasks part, or connect the heads to it directly. %s"
                .formatted(
                    vertex.getVertexName(),
                    consumer.getVertexName(),
                    served.stream().mapToObj(graph.taskNames()::get).toList(),
                    vertex.getVertexName(),
                    choices(graph)));
      }
      tasks.add(served.nextSetBit(0));
    }
    return tasks.stream().mapToInt(Integer::intValue).toArray();
  }

  private static String choices(TaskGraph graph) {
    return "Shared by all outputs: "
        + candidates(graph).stream().map(GraphVertex::getVertexName).toList();
  }

  /** Trainable layers with weights that every task trains, first to last. */
  private static List<GraphVertex> candidates(TaskGraph graph) {
    return graph.verticesInForwardOrder().stream()
        .filter(vertex -> vertex.hasLayer() && !TaskGraph.isFrozen(vertex))
        .filter(vertex -> !graph.taskNames().contains(vertex.getVertexName()))
        .filter(vertex -> !TaskGraph.weightKeys(vertex).isEmpty())
        .filter(vertex -> graph.tasksThatTrain(vertex).cardinality() == graph.taskNames().size())
        .toList();
  }
}
