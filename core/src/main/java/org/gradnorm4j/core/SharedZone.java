package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;

/**
 * The part of a graph in which gradients have to be kept apart by task: the shared layers W, and
 * whatever lies between them and the points where the tasks part. Puts a tap in the place of each
 * of its vertices, and takes them out again.
 *
 * <p>Of a vertex in the zone each task's epsilon is known. If one of its inputs comes from the zone
 * as well, that input's epsilons by task follow by running the vertex' backward pass once per task
 * ({@link Replay}). In the common case, where the heads follow W directly, the zone is W alone and
 * nothing is replayed.
 */
final class SharedZone {
  private final ComputationGraph graph;
  private final List<EpsilonTap> taps = new ArrayList<>();
  private final List<GraphVertex> standIns = new ArrayList<>();

  /** Plans the taps; the graph is not touched yet. */
  SharedZone(
      ComputationGraph graph,
      TaskGraph tasks,
      List<GraphVertex> sharedLayers,
      DenseNormKernel.Method denseMethod,
      TrainingStep step,
      LayerTapVertex.StepEvents events) {
    this.graph = graph;
    List<GraphVertex> zone = tasks.sharedZone(sharedLayers);
    Map<GraphVertex, EpsilonTap> tapped = new HashMap<>();
    for (GraphVertex vertex : zone) {
      boolean shared = sharedLayers.contains(vertex);
      boolean[] forwards = forwards(tasks, zone, vertex);
      boolean last = tasks.sources(vertex).stream().noneMatch(zone::contains);
      Optional<NormKernel> kernel =
          last ? NormKernels.of(vertex.getLayer(), denseMethod) : Optional.empty();
      Replay replay =
          kernel.isPresent() ? null : new Replay(vertex, shared, forwards, step.tasks());
      EpsilonTap tap = new EpsilonTap(vertex, edges(tasks, vertex, tapped), kernel, replay, step);
      tapped.put(vertex, tap);
      taps.add(tap);
      boolean first = taps.size() == zone.size();
      standIns.add(
          vertex.hasLayer()
              ? new LayerTapVertex(graph, tap, first ? events : null)
              : new TapVertex(tap));
    }
  }

  /** For each input of the vertex, whether it comes from the zone. */
  private static boolean[] forwards(TaskGraph tasks, List<GraphVertex> zone, GraphVertex vertex) {
    List<GraphVertex> sources = tasks.sources(vertex);
    boolean[] forwards = new boolean[sources.size()];
    for (int input = 0; input < forwards.length; input++) {
      forwards[input] = zone.contains(sources.get(input));
    }
    return forwards;
  }

  /**
   * The ways into a vertex; its consumers in the zone, being behind it, have their taps already.
   */
  private static List<EpsilonTap.Edge> edges(
      TaskGraph tasks, GraphVertex vertex, Map<GraphVertex, EpsilonTap> tapped) {
    return tasks.epsilonEdges(vertex).stream()
        .map(
            edge ->
                new EpsilonTap.Edge(
                    tapped.get(edge.consumer()),
                    edge.input(),
                    tasks.tasksThatTrain(edge.consumer()).nextSetBit(0)))
        .toList();
  }

  void install() {
    for (GraphVertex standIn : standIns) {
      graph.getVertices()[standIn.getVertexIndex()] = standIn;
    }
  }

  /** Gives the graph its own vertices back, also in the middle of a step. */
  void remove() {
    for (int i = 0; i < taps.size(); i++) {
      int index = standIns.get(i).getVertexIndex();
      if (graph.getVertices()[index] == standIns.get(i)) {
        taps.get(i).handBack();
        graph.getVertices()[index] = taps.get(i).vertex();
      }
    }
  }
}
