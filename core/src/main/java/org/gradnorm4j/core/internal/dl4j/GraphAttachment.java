package org.gradnorm4j.core.internal.dl4j;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Listens in on a ComputationGraph: puts a tap in the place of each vertex of the shared zone, and
 * in the place of each output a vertex that tells its own backward pass from that of a copy. Where
 * a dense layer elsewhere can be spared work, in its place too.
 */
final class GraphAttachment implements Attachment {
  private final ComputationGraph graph;
  private final List<EpsilonTap> taps;
  private final TrainingStep step;
  private final List<GraphVertex> replaced = new ArrayList<>();
  private final List<GraphVertex> standIns = new ArrayList<>();
  private final StepEvents events;
  private boolean inOutput;

  /** Plans the stand-ins; the graph is not touched yet. */
  GraphAttachment(
      ComputationGraph graph,
      List<GraphVertex> outputs,
      SharedZone zone,
      TrainingStep step,
      StepEvents events) {
    this.graph = graph;
    this.step = step;
    this.events = events;
    taps = zone.taps();
    GraphVertex[] vertices = graph.getVertices().clone();
    for (EpsilonTap tap : taps) {
      boolean first = standIns.size() == taps.size() - 1;
      GraphVertex vertex = tap.vertex();
      replace(
          vertices,
          vertex.hasLayer()
              ? new LayerTapVertex(graph, tap, first ? events : null)
              : new TapVertex(tap));
    }
    for (GraphVertex vertex : graph.getVertices()) {
      if (vertices[vertex.getVertexIndex()] == vertex) { // has no tap
        DenseStandIn.of(graph, vertex).ifPresent(standIn -> replace(vertices, standIn));
      }
    }
    for (GraphVertex output : outputs) {
      LayerVertex vertex = (LayerVertex) vertices[output.getVertexIndex()];
      replace(vertices, new OutputTapVertex(graph, vertex, inside -> inOutput = inside));
    }
  }

  private void replace(GraphVertex[] vertices, GraphVertex standIn) {
    replaced.add(vertices[standIn.getVertexIndex()]);
    standIns.add(standIn);
    vertices[standIn.getVertexIndex()] = standIn;
  }

  @Override
  public void install() {
    for (GraphVertex standIn : standIns) {
      graph.getVertices()[standIn.getVertexIndex()] = standIn;
    }
  }

  @Override
  public void remove() {
    for (int i = standIns.size() - 1; i >= 0; i--) {
      int index = standIns.get(i).getVertexIndex();
      if (graph.getVertices()[index] == standIns.get(i)) {
        graph.getVertices()[index] = replaced.get(i);
      }
    }
    taps.forEach(EpsilonTap::handBack);
  }

  @Override
  public boolean isOwnGradient(INDArray labels) {
    boolean own = (inOutput || step.isRepeating()) && step.isOpen();
    if (own) {
      step.sendsBack();
    }
    return own;
  }

  /** From the end of the backward pass to the scores DL4J runs nobody else's code. */
  @Override
  public boolean isOwnScore(INDArray labels) {
    if (!step.isOpen()) {
      return false;
    }
    if (!step.isMeasured() && step.hasSentBack()) {
      events.bypassed();
    }
    return step.isMeasured();
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
