package org.gradnorm4j.core.internal.dl4j;

import java.io.Serial;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stands in the place of a layer's vertex. Is a LayerVertex because DL4J casts, but has everything
 * done by the vertex it stands for, whose state so stays complete: detaching is possible at any
 * time.
 */
@SuppressWarnings("overrides") // DL4J declares setInputs with and without varargs
abstract class LayerStandIn extends LayerVertex {
  @Serial private static final long serialVersionUID = 1L;

  private final transient LayerVertex underlying;

  LayerStandIn(ComputationGraph graph, LayerVertex vertex) {
    super(
        graph,
        vertex.getVertexName(),
        vertex.getVertexIndex(),
        vertex.getInputVertices(),
        vertex.getOutputVertices(),
        vertex.getLayer(),
        vertex.getLayerPreProcessor(),
        false,
        null);
    this.underlying = vertex;
  }

  /** What the vertex' backward pass gives, of what its layer's gives: as a LayerVertex does it. */
  static Pair<Gradient, INDArray[]> throughPreProcessor(
      Pair<Gradient, INDArray> ofLayer,
      LayerVertex vertex,
      int batchSize,
      LayerWorkspaceMgr workspaces) {
    InputPreProcessor preProcessor = vertex.getLayerPreProcessor();
    INDArray inputEpsilon = ofLayer.getSecond();
    if (preProcessor != null) {
      inputEpsilon = preProcessor.backprop(inputEpsilon, batchSize, workspaces);
    }
    return Pair.of(ofLayer.getFirst(), new INDArray[] {inputEpsilon});
  }

  @Override
  public Layer getLayer() {
    return underlying.getLayer();
  }

  /** In place, as a TransferLearningHelper does it: for good, not only while attached. */
  @Override
  public void setLayerAsFrozen() {
    underlying.setLayerAsFrozen();
    setLayer(underlying.getLayer()); // DL4J's own methods read the field
  }

  @Override
  public boolean isOutputVertex() {
    return underlying.isOutputVertex();
  }

  @Override
  public INDArray[] getInputs() {
    return underlying.getInputs();
  }

  @Override
  public void setInput(int inputNumber, INDArray input, LayerWorkspaceMgr workspaces) {
    underlying.setInput(inputNumber, input, workspaces);
  }

  @Override
  public boolean canDoForward() {
    return underlying.canDoForward();
  }

  @Override
  public boolean canDoBackward() {
    return underlying.canDoBackward();
  }

  @Override
  public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
    return underlying.doForward(training, workspaces);
  }

  @Override
  public void setEpsilon(INDArray epsilon) {
    underlying.setEpsilon(epsilon);
  }

  @Override
  public INDArray getEpsilon() {
    return underlying.getEpsilon();
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    return underlying.doBackward(tbptt, workspaces);
  }

  @Override
  public void clear() {
    underlying.clear();
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  @Override
  public String toString() {
    return underlying.toString();
  }
}
