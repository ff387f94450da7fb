package org.gradnorm4j.core.internal.dl4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.gradnorm4j.core.internal.kernel.BackwardState;
import org.gradnorm4j.core.internal.kernel.Blas;
import org.gradnorm4j.core.internal.kernel.KeptArray;
import org.gradnorm4j.core.internal.kernel.NormKernel;
import org.gradnorm4j.core.internal.kernel.TaskRows;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs a vertex' own backward pass once per task, ahead of the real one: for the norm of each
 * task's gradient with respect to the vertex' weights, and for what each task sends on to the
 * vertex' inputs. Works for any vertex, at the cost of T backward passes of it.
 *
 * <p>That is exact if the pass can be repeated and is linear in its epsilon. {@link BackwardState}
 * sees to the first for what DL4J brings along; a custom layer may do anything. So the first step
 * proves both against the real pass: over the tasks, gradients and epsilons must add up to its own.
 */
public final class Replay {
  /** The most elements of weight gradients that are kept at a time: 256 MB of floats. */
  static final long MOST_ELEMENTS = 1 << 26;

  private final GraphVertex vertex;
  private final List<String> weightKeys;
  private final boolean[] forwards;
  private final BitSet begin;
  private final TrainingStep step;
  private final KeptArray[][] kept;
  private final INDArray[][] inputEpsilons;
  private final List<List<INDArray>> firstGradients = new ArrayList<>();
  private final TaskRows rows = new TaskRows();
  private final long mostElements;
  private boolean proved;

  /**
   * For one vertex.
   *
   * @param shared whether its weights belong to W
   * @param forwards for each input, whether the tasks' epsilons are wanted there
   * @param begin the tasks whose loss is at this vertex, if it is an output
   * @param mostElements of weight gradients that are kept at a time
   */
  Replay(
      GraphVertex vertex,
      boolean shared,
      boolean[] forwards,
      BitSet begin,
      TrainingStep step,
      long mostElements) {
    this.mostElements = mostElements;
    this.vertex = vertex;
    this.weightKeys = shared ? Vertices.weightKeys(vertex) : List.of();
    this.forwards = forwards;
    this.begin = begin;
    this.step = step;
    this.inputEpsilons = new INDArray[forwards.length][step.tasks()];
    this.kept = new KeptArray[forwards.length][step.tasks()];
    for (KeptArray[] ofInput : kept) {
      Arrays.setAll(ofInput, task -> new KeptArray('c'));
    }
  }

  /** Whether what the tasks send to an input is wanted. */
  boolean sendsOn() {
    for (boolean wanted : forwards) {
      if (wanted) {
        return true;
      }
    }
    return false;
  }

  /** What a task sent to an input in the last run; null if nothing. Owned by this object. */
  INDArray inputEpsilon(int input, int task) {
    return inputEpsilons[input][task];
  }

  /**
   * Runs the tasks' backward passes and leaves the vertex as it found it, but for its gradient
   * views, which the real pass overwrites.
   *
   * @param taskEpsilons as for {@link NormKernel#addSquaredNorms}; not modified
   */
  void run(INDArray[] taskEpsilons, boolean tbptt) {
    step.replaying(() -> runAll(taskEpsilons, tbptt));
  }

  private void runAll(INDArray[] taskEpsilons, boolean tbptt) {
    BackwardState state = BackwardState.of(vertex);
    forgetFirst(taskEpsilons.length);
    int[] tasks =
        IntStream.range(0, taskEpsilons.length)
            .filter(task -> begin.get(task) || taskEpsilons[task] != null)
            .toArray();
    for (INDArray[] epsilons : inputEpsilons) {
      Arrays.fill(epsilons, null);
    }
    Pass pass =
        (task, use) -> run(task, begin.get(task) ? null : taskEpsilons[task], state, tbptt, use);
    if (step.isMeasuringGram() && !weightKeys.isEmpty()) {
      addGram(tasks, pass);
    } else {
      for (int task : tasks) {
        pass.run(task, gradients -> step.squaredNorms()[task] += note(task, gradients));
      }
    }
    state.restore();
  }

  /** A backward pass of one task, and who looks at its weight gradients in the workspace. */
  private interface Pass {
    void run(int task, Consumer<List<INDArray>> use);
  }

  /**
   * ⟨∇_W S_i, ∇_W S_j⟩ from the gradients of all tasks, kept one below the other. If they are more
   * than {@link #mostElements}, of as many as possible at a time; the pass of each later task is
   * run again for them.
   */
  private void addGram(int[] tasks, Pass pass) {
    long length = weights().mapToLong(INDArray::length).sum();
    DataType type = weights().findFirst().orElseThrow().dataType();
    int block = (int) Math.max(1, Math.min(tasks.length, mostElements / length));
    for (int from = 0; from < tasks.length; from += block) {
      int[] kept = Arrays.copyOfRange(tasks, from, Math.min(from + block, tasks.length));
      boolean first = from == 0;
      rows.begin(type, from + kept.length < tasks.length ? kept.length + 1 : kept.length, length);
      for (int i = from; i < tasks.length; i++) {
        int row = Math.min(i - from, kept.length);
        int task = tasks[i];
        pass.run(
            task,
            gradients -> {
              if (first && !proved) {
                note(task, gradients);
              }
              rows.put(row, gradients);
            });
        if (row == kept.length) {
          rows.addProducts(row, task, kept, step.gram());
        }
      }
      rows.addProducts(kept, step.gram());
    }
  }

  private Stream<INDArray> weights() {
    return weightKeys.stream().map(vertex.paramTable(false)::get);
  }

  /** One task's backward pass. */
  @SuppressWarnings("try") // a workspace is there to be open, not to be named
  private void run(
      int task,
      INDArray epsilon,
      BackwardState state,
      boolean tbptt,
      Consumer<List<INDArray>> use) {
    // An output layer draws its dropout in the backward pass: the same for every task and the real
    // one.
    RandomState random = begin.get(task) ? RandomState.current() : null;
    LayerWorkspaceMgr workspaces = ReplayWorkspaces.OF_VERTEX;
    try (MemoryWorkspace gradients = workspaces.notifyScopeEntered(ArrayType.ACTIVATION_GRAD);
        MemoryWorkspace working = workspaces.notifyScopeEntered(ArrayType.BP_WORKING_MEM)) {
      state.setUpCopy();
      if (random != null) {
        step.replayOnly(task);
      }
      vertex.setEpsilon(epsilon == null ? null : epsilon.dup()); // a layer may write into it
      Pair<Gradient, INDArray[]> result = vertex.doBackward(tbptt, workspaces);
      for (int input = 0; input < forwards.length; input++) {
        if (forwards[input]) {
          keep(input, task, result.getSecond()[input]);
        }
      }
      use.accept(weightGradients(result.getFirst()));
    } catch (RuntimeException e) {
      throw proved || begin.get(task) ? e : unrepeatable(e);
    }
    if (random != null) {
      step.replayAll();
      random.restore();
    }
  }

  /** Keeps what is proved with in the first step; returns ‖∇_W‖². */
  private double note(int task, List<INDArray> weightGradients) {
    double squared = 0.0;
    for (INDArray gradient : weightGradients) {
      squared += Blas.INSTANCE.dot(gradient, gradient);
    }
    if (!proved) {
      firstGradients.set(task, weightGradients.stream().map(Replay::detachedCopy).toList());
    }
    return squared;
  }

  /** Copies out of the workspace. */
  private void keep(int input, int task, INDArray epsilon) {
    inputEpsilons[input][task] =
        epsilon == null
            ? null
            : kept[input][task].sized(epsilon.dataType(), epsilon.shape()).assign(epsilon);
  }

  @SuppressWarnings("try")
  private static INDArray detachedCopy(INDArray array) {
    try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      return array.dup();
    }
  }

  private List<INDArray> weightGradients(Gradient gradient) {
    if (gradient == null) { // a vertex without parameters
      return List.of();
    }
    return weightKeys.stream().map(gradient::getGradientFor).filter(Objects::nonNull).toList();
  }

  private void forgetFirst(int tasks) {
    firstGradients.forEach(gradients -> gradients.forEach(INDArray::close));
    firstGradients.clear();
    firstGradients.addAll(Collections.nCopies(tasks, List.of()));
  }

  /**
   * Compares, in the first step, with the result of the real backward pass.
   *
   * @param realInputEpsilons null if they are not known
   * @param weights that the real pass gave the tasks; null if all count 1
   * @throws IllegalStateException if the passes do not add up to it
   */
  void prove(Gradient real, INDArray[] realInputEpsilons, double[] weights) {
    if (proved) {
      return;
    }
    List<INDArray> gradients = weightGradients(real);
    for (int i = 0; i < gradients.size(); i++) {
      int key = i;
      INDArray[] byTask =
          firstGradients.stream()
              .map(first -> first.isEmpty() ? null : first.get(key))
              .toArray(INDArray[]::new);
      check(gradients.get(i), byTask, weights);
    }
    for (int input = 0; input < forwards.length; input++) {
      if (forwards[input] && realInputEpsilons != null) {
        check(realInputEpsilons[input], inputEpsilons[input], weights);
      }
    }
    forgetFirst(0);
    proved = true;
  }

  private void check(INDArray real, INDArray[] byTask, double[] weights) {
    INDArray sum = real.like();
    double scale = 0.0;
    for (int task = 0; task < byTask.length; task++) {
      double weight = weights == null ? 1.0 : weights[task];
      if (byTask[task] != null && weight != 0.0) {
        sum.addi(weight == 1.0 ? byTask[task] : byTask[task].mul(weight));
        scale += Math.abs(weight) * byTask[task].norm2Number().doubleValue();
      }
    }
    check(real, sum, scale);
  }

  /** Equal up to what summing in another order may change; NaN proves nothing either way. */
  private void check(INDArray real, INDArray sum, double scale) {
    double tolerance = real.dataType() == DataType.DOUBLE ? 1e-9 : 1e-3;
    double difference = real.sub(sum).norm2Number().doubleValue();
    if (difference > tolerance * scale) {
      throw unrepeatable(null);
    }
  }

  private IllegalStateException unrepeatable(RuntimeException cause) {
    String kind =
        vertex.hasLayer()
            ? vertex.getLayer().conf().getLayer().getClass().getSimpleName()
            : vertex.getClass().getSimpleName();
    return new IllegalStateException(
        String.format(
            Locale.ROOT,
            "'%s' (%s) does not give the same gradient twice: its backward pass changes what it depends on, so the tasks cannot be told apart there. Choose a shared layer that has it on the way to at most one task",
            vertex.getVertexName(),
            kind),
        cause);
  }
}
