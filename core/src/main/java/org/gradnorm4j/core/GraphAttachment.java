package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;

/** Listens in on a ComputationGraph: puts a tap in the place of each vertex of the shared zone. */
final class GraphAttachment implements Attachment {
  private final ComputationGraph graph;
  private final List<EpsilonTap> taps;
  private final List<GraphVertex> standIns = new ArrayList<>();

  /** Plans the stand-ins; the graph is not touched yet. */
  GraphAttachment(ComputationGraph graph, SharedZone zone, StepEvents events) {
    this.graph = graph;
    taps = zone.taps();
    for (EpsilonTap tap : taps) {
      boolean first = standIns.size() == taps.size() - 1;
      standIns.add(
          tap.vertex().hasLayer()
              ? new LayerTapVertex(graph, tap, first ? events : null)
              : new TapVertex(tap));
    }
  }

  @Override
  public void install() {
    for (GraphVertex standIn : standIns) {
      graph.getVertices()[standIn.getVertexIndex()] = standIn;
    }
  }

  @Override
  public void remove() {
    for (int i = 0; i < taps.size(); i++) {
      int index = standIns.get(i).getVertexIndex();
      if (graph.getVertices()[index] == standIns.get(i)) {
        taps.get(i).handBack();
        graph.getVertices()[index] = taps.get(i).vertex();
      }
    }
  }

  @Override
  public WeightedLoss.Calls calls() {
    return WeightedLoss.Calls.IGNORED; // the vertices tell all there is to know
  }

  @Override
  public boolean isMiniBatch() {
    return graph.conf().isMiniBatch();
  }

  @Override
  public int iteration() {
    return graph.getConfiguration().getIterationCount();
  }

  @Override
  public int epoch() {
    return graph.getConfiguration().getEpochCount();
  }
}
