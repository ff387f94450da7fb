package org.gradnorm4j.core.internal.dl4j;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.gradnorm4j.core.internal.kernel.DenseNormKernel;
import org.gradnorm4j.core.internal.kernel.NormKernel;
import org.gradnorm4j.core.internal.kernel.NormKernels;

/**
 * The part of a graph in which gradients have to be kept apart by task: the shared layers W, and
 * whatever lies between them and the points where the tasks part, up to the outputs of several
 * tasks.
 *
 * <p>Of a vertex in the zone each task's epsilon is known. If one of its inputs comes from the zone
 * as well, that input's epsilons by task follow by running the vertex' backward pass once per task
 * ({@link Replay}). In the common case, where the heads follow W directly, the zone is W alone and
 * nothing is replayed.
 */
final class SharedZone {
  private final List<EpsilonTap> taps = new ArrayList<>();

  /** Plans the taps; the network is not touched. */
  SharedZone(
      TaskGraph graph,
      List<GraphVertex> sharedLayers,
      DenseNormKernel.Method denseMethod,
      TrainingStep step) {
    List<GraphVertex> zone = graph.sharedZone(sharedLayers);
    IdentityHashMap<GraphVertex, EpsilonTap> tapped = new IdentityHashMap<>();
    for (GraphVertex vertex : zone) {
      boolean shared = Vertices.isIn(sharedLayers, vertex);
      boolean[] forwards = forwards(graph, zone, vertex);
      boolean last =
          graph.sources(vertex).stream().noneMatch(source -> Vertices.isIn(zone, source));
      Optional<NormKernel> kernel =
          last ? NormKernels.of(vertex.getLayer(), denseMethod) : Optional.empty();
      Replay replay =
          kernel.isPresent()
              ? null
              : new Replay(
                  vertex, shared, forwards, graph.tasksOf(vertex), step, Replay.MOST_ELEMENTS);
      EpsilonTap tap =
          new EpsilonTap(graph, vertex, edges(graph, vertex, tapped), kernel, replay, step);
      tapped.put(vertex, tap);
      taps.add(tap);
    }
    taps.get(taps.size() - 1).isLastAfter(List.copyOf(taps.subList(0, taps.size() - 1)));
  }

  /** One per vertex of the zone, in backward order. */
  List<EpsilonTap> taps() {
    return taps;
  }

  /** For each input of the vertex, whether it comes from the zone. */
  private static boolean[] forwards(TaskGraph tasks, List<GraphVertex> zone, GraphVertex vertex) {
    List<GraphVertex> sources = tasks.sources(vertex);
    boolean[] forwards = new boolean[sources.size()];
    for (int input = 0; input < forwards.length; input++) {
      forwards[input] = Vertices.isIn(zone, sources.get(input));
    }
    return forwards;
  }

  /**
   * The ways into a vertex; its consumers in the zone, being behind it, have their taps already.
   */
  private static List<EpsilonTap.Edge> edges(
      TaskGraph tasks, GraphVertex vertex, IdentityHashMap<GraphVertex, EpsilonTap> tapped) {
    return tasks.epsilonEdges(vertex).stream()
        .map(
            edge ->
                new EpsilonTap.Edge(
                    tapped.get(edge.consumer()),
                    edge.input(),
                    tasks.tasksThatTrain(edge.consumer()).nextSetBit(0)))
        .toList();
  }
}
