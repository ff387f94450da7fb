package org.gradnorm4j.core.probe;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.Combiner;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.core.internal.dl4j.MeasuredNetwork;
import org.gradnorm4j.core.internal.kernel.DenseNormKernel;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.WeightPenalty;

/**
 * Measures, during ordinary training, the loss and the gradient norm of every task on the last
 * layer the tasks share, and applies a weight to every task's loss. Of a multi-output
 * ComputationGraph, or of either kind of network with several terms in its loss.
 *
 * <p>The network is trained on L = &Sigma;<sub>i</sub> &lambda;<sub>i</sub> L<sub>i</sub>. The
 * tasks are the outputs, in their order, or, where an output has a {@link CompositeLoss}, its terms
 * (named {@code output/term} if there are several outputs), then each {@link WeightPenalty}. Each
 * step gives, from its one forward and one backward pass,
 *
 * <pre>
 *   n_i = ‖∇_W L_i‖₂ = √ Σ_j (∂L_i/∂W_j)²
 * </pre>
 *
 * where W are the weights, without biases, of the shared layer: the quantity on which GradNorm
 * (Chen et al., ICML 2018, section 3.2) is defined. The norms are exact, not estimates: where the
 * heads' gradients meet at W they are measured before they are summed.
 *
 * <pre>{@code
 * try (GradientNormProbe probe =
 *     GradientNormProbe.attach(net, List.of("trunk"), step -> System.out.println(step))) {
 *   probe.lossWeights(Map.of("depth", 0.5));
 *   net.fit(iterator);
 * }
 * }</pre>
 *
 * <p>An attached graph is used like any other. Scores, evaluation, {@code summary()}, listeners and
 * saved models are those of the graph alone; with the weights as configured (1, if they are not),
 * so are the trained parameters, bit for bit. Copies of the graph ({@code clone()}, transfer
 * learning, a saved model) are not attached and train on the plain sum of the losses.
 *
 * <p>A step is one call of the network's {@code computeGradientAndScore()}: {@code fit} makes one
 * for each minibatch (each segment, with truncated backpropagation through time), and so does a
 * training loop of your own ({@code setInput}, {@code setLabels}, {@code
 * computeGradientAndScore()}, update). Both kinds of network alike. {@code score}, {@code output},
 * evaluation and {@code MultiLayerNetwork.calculateGradients} are no steps. A gradient that is not
 * for training is none either if it is computed by {@link #notAStep}.
 *
 * <p>Steps may be made on any thread; as the graph itself, a probe is not for several of them at
 * once. {@link #lossWeights()}, {@link #lossWeights(double...)}, {@link #pause()}, {@link
 * #resume()} and {@link #detach()} may be called from any thread; attaching waits for a fit on
 * another thread to end.
 */
public final class GradientNormProbe implements AutoCloseable {
  private final MeasuredNetwork network;
  private final Tasks tasks;
  private volatile Combiner combiner;
  private final Consumer<StepMeasurement> listener;
  private volatile double[] nextLossWeights;
  private volatile int interval = 1;
  private volatile int stepsToSkip;
  private volatile boolean paused;
  private volatile boolean measuringGram;

  private GradientNormProbe(
      Model model,
      List<String> sharedLayers,
      DenseNormKernel.Method method,
      Consumer<StepMeasurement> listener) {
    checkArguments(model, sharedLayers, listener);
    this.listener = listener;
    synchronized (model) { // no fit on another thread sees half of it
      network =
          MeasuredNetwork.attach(
              model, List.copyOf(sharedLayers), method, new WeightsAndListener());
      tasks = network.tasks();
      nextLossWeights = tasks.configuredLossWeights();
    }
  }

  private static void checkArguments(
      Model model, List<String> sharedLayers, Consumer<StepMeasurement> listener) {
    if (model == null) {
      throw new IllegalArgumentException(
          "network (null) must not be null. Attach to a ComputationGraph or MultiLayerNetwork");
    }
    if (sharedLayers == null || sharedLayers.stream().anyMatch(Objects::isNull)) {
      throw new IllegalArgumentException(
          "sharedLayers ("
              + sharedLayers
              + ") must not be or contain null. Name layers of the network, or give an empty list"
              + " for the default");
    }
    if (listener == null) {
      throw new IllegalArgumentException(
          "listener (null) must not be null. To measure without listening, give step -> {}");
    }
  }

  /**
   * Attaches to a graph at the last layer that all its outputs depend on.
   *
   * @param graph initialised, with two or more outputs; its vertex array and the loss functions of
   *     its output layers are modified until {@link #detach()}
   * @param listener gets the measurement of every step, on the training thread, after the backward
   *     pass and before the parameters change; an exception it throws ends the fit
   * @return the attachment, with the loss weights as configured: 1 for a plain output
   * @throws IllegalArgumentException if the graph cannot be measured; names the layer, the reason
   *     and the remedy, and leaves the graph as it was
   * @throws IllegalStateException if the graph is not initialised, or is attached already
   */
  public static GradientNormProbe attach(
      ComputationGraph graph, Consumer<StepMeasurement> listener) {
    return attach(graph, List.of(), listener);
  }

  /**
   * Attaches to a graph at layers of the user's choice.
   *
   * @param graph as for {@link #attach(ComputationGraph, Consumer)}
   * @param sharedLayers names of the layers whose weights, taken together, are W: trainable, with
   *     weights, needed by every output. Several make the norm that of their joint gradient. Empty
   *     for the default. Copied
   * @param listener as for {@link #attach(ComputationGraph, Consumer)}
   * @return the attachment, with the loss weights as configured: 1 for a plain output
   * @throws IllegalArgumentException as for {@link #attach(ComputationGraph, Consumer)}
   * @throws IllegalStateException as for {@link #attach(ComputationGraph, Consumer)}
   */
  public static GradientNormProbe attach(
      ComputationGraph graph, List<String> sharedLayers, Consumer<StepMeasurement> listener) {
    return attach(graph, sharedLayers, DenseNormKernel.Method.CHEAPEST, listener);
  }

  /** As above, with the method of the dense kernel fixed, for tests and benchmarks. */
  static GradientNormProbe attach(
      ComputationGraph graph,
      List<String> sharedLayers,
      DenseNormKernel.Method method,
      Consumer<StepMeasurement> listener) {
    return new GradientNormProbe(graph, sharedLayers, method, listener);
  }

  /**
   * Attaches to a network whose output has a {@link CompositeLoss} of several terms, or that has a
   * {@link WeightPenalty} beside its loss.
   *
   * @param network initialised; the loss function of its output layer and the weights of its
   *     penalties are modified until {@link #detach()}
   * @param sharedLayers names of the layers whose weights, taken together, are W (DL4J calls those
   *     without one {@code layer0}, {@code layer1}, ...). Empty for the last layer with weights:
   *     most often the output layer itself. Copied
   * @param listener as for {@link #attach(ComputationGraph, Consumer)}
   * @return the attachment, with the loss weights as configured
   * @throws IllegalArgumentException as for {@link #attach(ComputationGraph, Consumer)}
   * @throws IllegalStateException as for {@link #attach(ComputationGraph, Consumer)}
   */
  public static GradientNormProbe attach(
      MultiLayerNetwork network, List<String> sharedLayers, Consumer<StepMeasurement> listener) {
    return new GradientNormProbe(network, sharedLayers, DenseNormKernel.Method.CHEAPEST, listener);
  }

  /**
   * The tasks, in the order of every array here, as the network is configured.
   *
   * @return outputs, terms, penalties
   */
  public Tasks tasks() {
    return tasks;
  }

  /**
   * The names of {@link #tasks()}.
   *
   * @return one per task, in the order of every array here; unmodifiable
   */
  public List<String> taskNames() {
    return tasks.names();
  }

  /**
   * The layers that are measured.
   *
   * @return their names
   */
  public List<String> sharedLayers() {
    return network.sharedLayers();
  }

  /**
   * The loss weights of the next step.
   *
   * @return &lambda;<sub>i</sub>, one per task; a copy
   */
  public double[] lossWeights() {
    return nextLossWeights.clone();
  }

  /**
   * {@link #lossWeights()} by task.
   *
   * @return &lambda;<sub>i</sub> by name, in the order of the tasks; unmodifiable
   */
  public Map<String, Double> lossWeightsByTask() {
    return tasks.byName(nextLossWeights);
  }

  /**
   * Sets loss weights by task from the next step on. Tasks that are not named keep theirs.
   *
   * @param lossWeights &lambda;<sub>i</sub> by name, finite and not 0; copied
   * @throws IllegalArgumentException if a name is no task's; names it and the tasks; or as for
   *     {@link #lossWeights(double...)}
   */
  public void lossWeights(Map<String, Double> lossWeights) {
    if (lossWeights == null) {
      throw new IllegalArgumentException("lossWeights (null) must name tasks " + taskNames());
    }
    double[] next = nextLossWeights.clone();
    lossWeights.forEach(
        (name, weight) -> {
          int task = taskNames().indexOf(name);
          if (task < 0) {
            throw new IllegalArgumentException(
                "lossWeights has a weight for '"
                    + name
                    + "', which is no task. Tasks: "
                    + taskNames());
          }
          next[task] = weight == null ? Double.NaN : weight;
        });
    lossWeights(next);
  }

  /**
   * Sets the loss weights from the next step on; a step under way keeps its own.
   *
   * @param lossWeights &lambda;<sub>i</sub>, one per task, finite and not 0; copied
   * @throws IllegalArgumentException if a value is missing, infinite, NaN or 0 (a task of weight 0
   *     sends no gradient back, so its norm could not be measured)
   */
  public void lossWeights(double... lossWeights) {
    network.checkLossWeights(lossWeights);
    nextLossWeights = lossWeights.clone();
  }

  /**
   * Combines the tasks' gradients with weights of the very step, from the next step on, in place of
   * the loss weights: at the shared layers &Sigma; c<sub>i</sub> &nabla;L<sub>i</sub> goes on in
   * place of the sum. So all parameters that serve several tasks get the combined gradient: the
   * shared layers, what lies before them, and what lies between them and the heads, whose backward
   * pass is then run a second time. With all c<sub>i</sub> = 1 training is bit for bit plain
   * Deeplearning4j's. {@link StepMeasurement#lossWeights()} are then c<sub>i</sub>.
   *
   * @param combiner chooses the weights; null to go back to loss weights
   * @throws IllegalArgumentException if a gradient would get past the shared layers, or a penalty
   *     is a task; names the layer or the penalty, and the remedy
   */
  public void combineBy(Combiner combiner) {
    if (combiner != null) {
      network.checkCombinable();
    }
    this.combiner = combiner;
  }

  /**
   * Measures only the first of every so many training steps, beginning with the next; those between
   * keep the loss weights, are not reported to the listener, and cost nothing.
   *
   * @param steps from one measured step to the next, &ge; 1; 1, the default, measures all
   * @throws IllegalArgumentException if less than 1
   */
  public void measureEvery(int steps) {
    measureEvery(steps, 0);
  }

  /**
   * As {@link #measureEvery(int)}, but beginning later: as where another probe has left off.
   *
   * @param steps from one measured step to the next, &ge; 1
   * @param unmeasured how many steps come before the next measured one, &ge; 0
   * @throws IllegalArgumentException if out of range
   */
  public void measureEvery(int steps, int unmeasured) {
    if (steps < 1) {
      throw new IllegalArgumentException("measureEvery (" + steps + ") must be >= 1");
    }
    if (unmeasured < 0) {
      throw new IllegalArgumentException("unmeasured (" + unmeasured + ") must be >= 0");
    }
    interval = steps;
    stepsToSkip = unmeasured;
  }

  /**
   * Whether to measure the Gram matrix of the tasks' gradients from the next step on,
   *
   * <pre>
   *   G_ij = ⟨∇_W L_i, ∇_W L_j⟩,
   * </pre>
   *
   * of which the norms are the roots of the diagonal. {@link StepMeasurement#gram()} has it. Off by
   * default; it then costs nothing.
   *
   * @param on whether to
   * @throws IllegalArgumentException if it is to, and one of the tasks is a {@link WeightPenalty},
   *     whose gradient is not measured; names it and the remedy
   */
  public void measureGram(boolean on) {
    if (on) {
      network.checkGram();
    }
    measuringGram = on;
  }

  /**
   * Measures nothing from the next step on, until {@link #resume()}: the loss weights are applied
   * as before, the listener hears of no step, and a step costs what it does without a probe.
   */
  public void pause() {
    paused = true;
  }

  /** Measures again from the next step on, after {@link #pause()}. */
  public void resume() {
    paused = false;
  }

  /**
   * Runs something during which the network is plain Deeplearning4j, to this thread: its gradients
   * are those of the losses as configured, nothing is measured, and no step is counted. For
   * gradient checks, and for any other gradient that is not a training step.
   *
   * <pre>{@code
   * probe.notAStep(() -> {
   *   net.setInputs(features);
   *   net.setLabels(labels);
   *   net.computeGradientAndScore();
   * });
   * }</pre>
   *
   * <p>Waits for a fit on another thread to end. What it throws is passed on. A step that is under
   * way on this thread goes on afterwards.
   *
   * @param work run at once, on this thread, with the network's monitor held
   * @throws IllegalArgumentException if null
   */
  public void notAStep(Runnable work) {
    if (work == null) {
      throw new IllegalArgumentException("work (null) must not be null");
    }
    network.notAStep(work);
  }

  /**
   * How many training steps come before the next measured one.
   *
   * @return 0 if the next is measured, or would be, were it not for {@link #pause()}
   */
  public int stepsUntilMeasured() {
    return Math.max(0, stepsToSkip);
  }

  /**
   * The time the last measured step spent on its norms: in the norm kernels, and in the backward
   * passes that were run for single tasks. What a kernel saves the layer's own backward pass is not
   * taken off, so this is more than the step took longer.
   *
   * @return nanoseconds; 0 before the first step
   */
  public long measuringNanos() {
    return network.measuringNanos();
  }

  /**
   * Gives the graph back as it was before {@link #attach}: plain DL4J. May be called at any time,
   * also from a training listener, and on any thread: a step that is under way on another thread
   * ends as it began, without a measurement, and the next one is plain. A second call does nothing.
   */
  public void detach() {
    network.detach();
  }

  /** {@link #detach()}, for a try-with-resources statement. */
  @Override
  public void close() {
    detach();
  }

  private final class WeightsAndListener implements MeasuredNetwork.Owner {
    @Override
    public double[] lossWeights() {
      return nextLossWeights;
    }

    @Override
    public boolean isMeasuring() {
      return !paused && stepsToSkip <= 0;
    }

    @Override
    public Combiner combiner() {
      return combiner;
    }

    @Override
    public boolean wantsGram() {
      return measuringGram;
    }

    @Override
    public void trained(StepMeasurement measurement) {
      stepsToSkip = measurement == null ? stepsToSkip - 1 : interval - 1;
      if (measurement != null) {
        listener.accept(measurement);
      }
    }
  }
}
