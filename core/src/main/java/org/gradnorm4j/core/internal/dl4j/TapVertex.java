package org.gradnorm4j.core.internal.dl4j;

import java.io.Serial;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.BaseWrapperVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Stands in the place of a vertex without a layer; see {@link EpsilonTap}. */
public final class TapVertex extends BaseWrapperVertex {
  @Serial private static final long serialVersionUID = 1L;

  private final transient EpsilonTap tap;

  TapVertex(EpsilonTap tap) {
    super(tap.vertex());
    this.tap = tap;
  }

  @Override
  public void setInput(int inputNumber, INDArray input, LayerWorkspaceMgr workspaces) {
    tap.forgetEpsilons();
    underlying.setInput(inputNumber, input, workspaces);
  }

  @Override
  public void setEpsilon(INDArray epsilon) {
    tap.setEpsilon(epsilon);
  }

  @Override
  public INDArray getEpsilon() {
    return tap.epsilonSoFar();
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    return tap.doBackward(tbptt, workspaces);
  }

  @Override
  public void clear() {
    tap.forgetEpsilons();
    underlying.clear();
  }

  @Override
  public String toString() {
    return underlying.toString();
  }
}
