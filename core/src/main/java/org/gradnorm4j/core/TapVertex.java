package org.gradnorm4j.core;

import java.io.Serial;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stands in the place of the shared layer's vertex in the graph's vertex array. It does what that
 * vertex does, by having it done there (its state stays complete, so that detaching is possible at
 * any time), and on the way keeps the epsilons of the consumers apart long enough to measure them.
 * It also sees where a training step begins and ends.
 */
@SuppressWarnings("overrides") // DL4J declares setInputs with and without varargs
final class TapVertex extends LayerVertex {
  @Serial private static final long serialVersionUID = 1L;

  /**
   * What ComputationGraph gets for "the epsilon so far". It adds the next consumer's epsilon with
   * {@code vertex.setEpsilon(vertex.getEpsilon().addi(next))}; answering {@code next} brings each
   * one to {@link #setEpsilon} unsummed, without a copy.
   */
  private static final INDArray EPSILON_SO_FAR =
      (INDArray)
          Proxy.newProxyInstance(
              INDArray.class.getClassLoader(),
              new Class<?>[] {INDArray.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("addi") && arguments.length == 1) {
                  return arguments[0];
                }
                throw new UnsupportedOperationException(
                    method + " on the epsilon of a measured layer before its backward pass");
              });

  private final transient LayerVertex underlying;
  private final transient int[] edgeTasks;
  private final transient NormKernel kernel;
  private final transient TrainingStep step;
  private final transient GradientNormProbe probe;
  private final transient INDArray[] edgeEpsilons;
  private transient int arrived;

  TapVertex(
      ComputationGraph graph,
      SharedLayer shared,
      NormKernel kernel,
      TrainingStep step,
      GradientNormProbe probe) {
    super(
        graph,
        shared.name(),
        shared.vertex().getVertexIndex(),
        shared.vertex().getInputVertices(),
        shared.vertex().getOutputVertices(),
        shared.layer(),
        shared.vertex().getLayerPreProcessor(),
        false,
        shared.layer().params().dataType());
    this.underlying = shared.vertex();
    this.edgeTasks = shared.edgeTasks();
    this.kernel = kernel;
    this.step = step;
    this.probe = probe;
    this.edgeEpsilons = new INDArray[edgeTasks.length];
  }

  @Override
  public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
    return underlying.doForward(training, workspaces);
  }

  /**
   * A forward pass has got here, in training or not: only {@link #doBackward} tells. ({@code
   * doForward} would know, but truncated backpropagation through time goes around it.)
   */
  @Override
  public void setInput(int inputNumber, INDArray input, LayerWorkspaceMgr workspaces) {
    forgetEpsilons();
    probe.beginStep();
    underlying.setInput(inputNumber, input, workspaces);
  }

  @Override
  public INDArray[] getInputs() {
    return underlying.getInputs();
  }

  @Override
  public boolean canDoForward() {
    return underlying.canDoForward();
  }

  @Override
  public void setEpsilon(INDArray epsilon) {
    if (arrived == edgeEpsilons.length) {
      throw new IllegalStateException(
          "layer '%s' got more epsilons than the %d consumers it had when the probe was attached. The graph was rewired: detach before, attach again after"
              .formatted(getVertexName(), edgeEpsilons.length));
    }
    edgeEpsilons[arrived++] = epsilon;
  }

  @Override
  public INDArray getEpsilon() {
    return arrived == 0 ? null : EPSILON_SO_FAR;
  }

  @Override
  public boolean canDoBackward() {
    return arrived == edgeEpsilons.length;
  }

  @Override
  public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    if (!canDoBackward()) {
      throw new IllegalStateException(
          "layer '%s' got %d epsilons of the %d it had consumers when the probe was attached. The graph was rewired: detach before, attach again after"
              .formatted(getVertexName(), arrived, edgeEpsilons.length));
    }
    if (step.isOpen()) {
      double[] norms = step.gradientNorms();
      kernel.norms(taskEpsilons(norms.length), norms, tbptt, workspaces);
    }
    underlying.setEpsilon(sumInArrivalOrder());
    forgetEpsilons();
    return underlying.doBackward(tbptt, workspaces);
  }

  @Override
  public void clear() {
    underlying.clear();
    forgetEpsilons();
    probe.endStep();
  }

  /** Leaves the wrapped vertex able to finish a backward pass that has already begun. */
  void handBack() {
    if (arrived > 0) {
      underlying.setEpsilon(sumInArrivalOrder());
      forgetEpsilons();
    }
  }

  /** Σ of each task's epsilons; a task with one edge, the common case, is not copied. */
  private INDArray[] taskEpsilons(int tasks) {
    INDArray[] sums = new INDArray[tasks];
    boolean[] owned = new boolean[tasks];
    for (int edge = 0; edge < edgeTasks.length; edge++) {
      int task = edgeTasks[edge];
      if (task < 0 || edgeEpsilons[edge] == null) {
        continue;
      }
      if (sums[task] == null) {
        sums[task] = edgeEpsilons[edge];
      } else if (owned[task]) {
        sums[task].addi(edgeEpsilons[edge]);
      } else {
        sums[task] = sums[task].add(edgeEpsilons[edge]);
        owned[task] = true;
      }
    }
    return sums;
  }

  /** Adds in place into the first, edge by edge: bit for bit what ComputationGraph does. */
  private INDArray sumInArrivalOrder() {
    INDArray sum = edgeEpsilons[0];
    for (int edge = 1; edge < arrived; edge++) {
      sum = sum.addi(edgeEpsilons[edge]);
    }
    return sum;
  }

  private void forgetEpsilons() {
    Arrays.fill(edgeEpsilons, null);
    arrived = 0;
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
