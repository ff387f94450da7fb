package org.gradnorm4j.core.internal.dl4j;

import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.gradnorm4j.core.internal.kernel.Blas;
import org.gradnorm4j.core.internal.kernel.NormKernel;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What happens at a vertex of the shared zone in a backward pass: it keeps the epsilons of its
 * consumers apart by task, measures them if the vertex is a shared layer, works out what each task
 * sends on if its inputs need to know, and then lets the vertex do its one real backward pass on
 * their sum.
 *
 * <p>{@link TapVertex} and {@link LayerTapVertex} put it in the place of the vertex in the graph.
 */
final class EpsilonTap {

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
                    method + " on the epsilon of a measured vertex before its backward pass");
              });

  /**
   * A way for epsilons into the vertex.
   *
   * @param tap of the consumer, if it serves several tasks itself; else null
   * @param input of the consumer that the vertex feeds
   * @param task of the consumer, if it serves one; else, or if it serves none, -1
   */
  record Edge(EpsilonTap tap, int input, int task) {
    INDArray epsilonOf(int wanted, INDArray arrived) {
      if (tap != null) {
        return tap.replay.inputEpsilon(input, wanted);
      }
      return task == wanted ? arrived : null;
    }

    /**
     * Σ c_i ε_i of what comes over this edge.
     *
     * @param arrived may be modified, and returned
     */
    INDArray combined(INDArray arrived, double[] weights) {
      if (tap == null) {
        double weight = task < 0 ? 1.0 : weights[task];
        if (weight == 0.0) { // not 0 times what may be NaN
          return arrived.assign(0.0);
        }
        return weight == 1.0 ? arrived : arrived.muli(weight);
      }
      arrived.assign(0.0);
      for (int i = 0; i < weights.length; i++) {
        INDArray epsilon = weights[i] == 0.0 ? null : tap.replay.inputEpsilon(input, i);
        if (epsilon != null) {
          arrived.addi(epsilon.mul(weights[i]));
        }
      }
      return arrived;
    }
  }

  private final TaskGraph graph;
  private final GraphVertex vertex;
  private final List<Edge> edges;
  private final Optional<NormKernel> kernel;
  private final Replay replay;
  private final TrainingStep step;
  private final INDArray[] arrived;
  private final SecondPass secondPass;
  private List<EpsilonTap> others;
  private int count;

  /**
   * For a vertex of the shared zone.
   *
   * @param edges in the order in which DL4J sends the epsilons
   * @param kernel measures the vertex, if it is a shared layer whose inputs need not know what the
   *     tasks send on, and of a kind that has one
   * @param replay does everything else, or null if there is nothing else to do
   */
  EpsilonTap(
      TaskGraph graph,
      GraphVertex vertex,
      List<Edge> edges,
      Optional<NormKernel> kernel,
      Replay replay,
      TrainingStep step) {
    this.graph = graph;
    this.vertex = vertex;
    this.edges = edges;
    this.kernel = kernel;
    this.replay = replay;
    this.step = step;
    this.arrived = new INDArray[edges.size()];
    this.secondPass = new SecondPass(vertex, edges);
  }

  /** The last one of a backward pass: here everything is measured, of the others too. */
  void isLastAfter(List<EpsilonTap> before) {
    others = before;
  }

  GraphVertex vertex() {
    return vertex;
  }

  void setEpsilon(INDArray epsilon) {
    if (count == arrived.length) {
      throw rewired(count + 1);
    }
    arrived[count++] = epsilon;
  }

  INDArray epsilonSoFar() {
    return count == 0 ? null : EPSILON_SO_FAR;
  }

  Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
    if (count != arrived.length) {
      throw rewired(count);
    }
    boolean measuring = step.isMeasuring();
    if (measuring || (step.isCombining() && sendsOn())) {
      measure(tbptt, workspaces);
    }
    if (step.isCombining()) {
      combine(tbptt);
    }
    INDArray sum = step.isCombined() ? combinedSum() : sumInArrivalOrder();
    forgetEpsilons();
    Pair<Gradient, INDArray[]> result = realBackward(sum, tbptt, workspaces);
    if (measuring) {
      prove(result.getFirst(), result.getSecond());
    }
    return result;
  }

  /**
   * Asks for the weights where everything is measured; the vertices before it have passed back the
   * plain sum by then, and do so again, with the weights. At those keeps what that takes.
   */
  private void combine(boolean tbptt) {
    if (others == null) {
      secondPass.keep(arrived, tbptt);
      return;
    }
    step.decide();
    if (step.isCombined()) {
      others.forEach(other -> other.secondPass.run(step));
    }
  }

  /** Σ c_i ε_i, edge by edge. */
  private INDArray combinedSum() {
    return SecondPass.combined(edges, arrived, step.combination());
  }

  /** Whether the next vertex of the zone has to know what each task sends on. */
  private boolean sendsOn() {
    return replay != null && replay.sendsOn();
  }

  /** By the kernel if it can, which then has part of it done already, else by the vertex. */
  private Pair<Gradient, INDArray[]> realBackward(
      INDArray epsilon, boolean tbptt, LayerWorkspaceMgr workspaces) {
    Pair<Gradient, INDArray> fused =
        kernel.isPresent() ? kernel.get().backward(epsilon, workspaces) : null;
    if (fused == null) {
      vertex.setEpsilon(epsilon);
      return vertex.doBackward(tbptt, workspaces);
    }
    return LayerStandIn.throughPreProcessor(
        fused, (LayerVertex) vertex, graph.batchSize(), workspaces);
  }

  /** The vertex' forward pass gave this. */
  void forward(INDArray output, boolean training) {
    if (training && kernel.isPresent()) {
      kernel.get().forward(output);
    }
  }

  /** What the tasks send here has arrived: measures it, and works out what they send on. */
  void measure(boolean tbptt, LayerWorkspaceMgr workspaces) {
    long start = System.nanoTime();
    INDArray[] taskEpsilons = taskEpsilons(step.tasks());
    if (kernel.isPresent() && step.isMeasuringGram()) {
      kernel.get().addGram(taskEpsilons, step.gram(), workspaces);
    } else if (kernel.isPresent()) {
      kernel.get().addSquaredNorms(taskEpsilons, step.squaredNorms(), workspaces);
    }
    if (replay != null) {
      replay.run(taskEpsilons, tbptt);
    }
    step.addMeasuringNanos(System.nanoTime() - start);
  }

  /**
   * Compares with the vertex' real backward pass; see {@link Replay#prove}.
   *
   * @param inputEpsilons null if they are not known
   */
  void prove(Gradient gradient, INDArray[] inputEpsilons) {
    if (replay != null) {
      replay.prove(gradient, inputEpsilons, step.isCombined() ? step.combination() : null);
    }
  }

  /** Leaves the vertex able to finish a backward pass that has already begun. */
  void handBack() {
    if (count > 0) {
      vertex.setEpsilon(sumInArrivalOrder());
      forgetEpsilons();
    }
  }

  void forgetEpsilons() {
    Arrays.fill(arrived, null);
    count = 0;
  }

  /**
   * Σ of each task's epsilons; one that comes over one edge only, the common case, is not copied.
   */
  private INDArray[] taskEpsilons(int tasks) {
    INDArray[] sums = new INDArray[tasks];
    for (int task = 0; task < tasks; task++) {
      boolean owned = false;
      for (int edge = 0; edge < arrived.length; edge++) {
        INDArray epsilon = edges.get(edge).epsilonOf(task, arrived[edge]);
        if (epsilon == null) {
          continue;
        }
        if (sums[task] == null) {
          sums[task] = epsilon;
        } else if (owned) {
          Blas.INSTANCE.add(sums[task], epsilon);
        } else {
          sums[task] = sums[task].add(epsilon);
          owned = true;
        }
      }
    }
    return sums;
  }

  /** Adds into the first, edge by edge: bit for bit what ComputationGraph does. */
  private INDArray sumInArrivalOrder() {
    if (count == 0) { // an output: nothing comes from behind it
      return null;
    }
    INDArray sum = arrived[0];
    for (int edge = 1; edge < count; edge++) {
      Blas.INSTANCE.add(sum, arrived[edge]);
    }
    return sum;
  }

  private IllegalStateException rewired(int epsilons) {
    return new IllegalStateException(
        String.format(
            Locale.ROOT,
            "'%s' got %d epsilons, but had %d consumers when the probe was attached. The graph was rewired: detach before, attach again after",
            vertex.getVertexName(),
            epsilons,
            arrived.length));
  }
}
