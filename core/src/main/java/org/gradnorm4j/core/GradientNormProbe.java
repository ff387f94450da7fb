package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;

/**
 * Measures, during ordinary training of a multi-output ComputationGraph, the loss and the gradient
 * norm of every task on the last layer the tasks share, and applies a weight to every task's loss.
 *
 * <p>The network is trained on L = &Sigma;<sub>i</sub> &lambda;<sub>i</sub> L<sub>i</sub>, one task
 * per network output. Each step gives, from its one forward and one backward pass,
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
 * GradientNormProbe probe =
 *     GradientNormProbe.attach(net, List.of("trunk"), step -> System.out.println(step));
 * net.fit(iterator);
 * probe.detach();
 * }</pre>
 *
 * <p>An attached graph is used like any other. Scores, evaluation, {@code summary()}, listeners and
 * saved models are those of the graph alone; with all weights at 1, so are the trained parameters,
 * bit for bit. Copies of the graph ({@code clone()}, transfer learning, a saved model) are not
 * attached and train on the plain sum of the losses.
 *
 * <p>Not for use by several threads at once, as the graph itself is not; {@link #lossWeights()} and
 * {@link #lossWeights(double...)} may be called from any thread.
 */
public final class GradientNormProbe {
  private final ComputationGraph graph;
  private final List<String> taskNames;
  private final List<String> sharedLayers;
  private final List<OutputLoss> outputs;
  private final List<WeightedLoss> losses = new ArrayList<>();
  private final TrainingStep step;
  private final SharedZone zone;
  private final Consumer<StepMeasurement> listener;
  private volatile double[] nextLossWeights;
  private boolean attached = true;

  private GradientNormProbe(
      ComputationGraph graph,
      List<String> sharedLayerNames,
      DenseNormKernel.Method method,
      Consumer<StepMeasurement> listener) {
    this.graph = graph;
    this.listener = Objects.requireNonNull(listener, "listener");
    TaskGraph tasks = new TaskGraph(graph);
    taskNames = tasks.taskNames();
    outputs = tasks.losses();
    checkNotAttached();
    List<GraphVertex> shared = SharedLayers.of(tasks, sharedLayerNames);
    sharedLayers = shared.stream().map(GraphVertex::getVertexName).toList();
    step = new TrainingStep(taskNames.size());
    nextLossWeights = new double[taskNames.size()];
    Arrays.fill(nextLossWeights, 1.0);
    zone = new SharedZone(graph, tasks, shared, method, step, new Events());
    // Everything is checked: only from here on is the graph touched.
    zone.install();
    for (int task = 0; task < outputs.size(); task++) {
      losses.add(new WeightedLoss(outputs.get(task), step, task));
      outputs.get(task).set(losses.get(task));
    }
  }

  /**
   * Attaches to a graph at the last layer that all its outputs depend on.
   *
   * @param graph initialised, with two or more outputs; its vertex array and the loss functions of
   *     its output layers are modified until {@link #detach()}
   * @param listener gets the measurement of every step, on the training thread, after the backward
   *     pass and before the parameters change; an exception it throws ends the fit
   * @return the attachment, with all loss weights at 1
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
   * @return the attachment, with all loss weights at 1
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
    return new GradientNormProbe(graph, List.copyOf(sharedLayers), method, listener);
  }

  /**
   * The tasks, in the order of every array here.
   *
   * @return names of the network's outputs
   */
  public List<String> taskNames() {
    return taskNames;
  }

  /**
   * The layers that are measured.
   *
   * @return their names
   */
  public List<String> sharedLayers() {
    return sharedLayers;
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
   * Sets the loss weights from the next step on; a step under way keeps its own.
   *
   * @param lossWeights &lambda;<sub>i</sub>, one per task, finite and not 0; copied
   * @throws IllegalArgumentException if a value is missing, infinite, NaN or 0 (a task of weight 0
   *     sends no gradient back, so its norm could not be measured)
   */
  public void lossWeights(double... lossWeights) {
    if (lossWeights.length != taskNames.size()) {
      throw new IllegalArgumentException(
          "lossWeights (length "
              + lossWeights.length
              + ") must have one value per task "
              + taskNames);
    }
    for (int i = 0; i < lossWeights.length; i++) {
      if (!Double.isFinite(lossWeights[i]) || lossWeights[i] == 0.0) {
        throw new IllegalArgumentException(
            "task '%s': loss weight (%s) must be finite and not 0. Use a small weight instead, such as 1e-6"
                .formatted(taskNames.get(i), lossWeights[i]));
      }
    }
    nextLossWeights = lossWeights.clone();
  }

  /**
   * Gives the graph back as it was before {@link #attach}: plain DL4J. May be called at any time,
   * also from a training listener; a second call does nothing.
   */
  public void detach() {
    if (!attached) {
      return;
    }
    attached = false;
    step.close();
    zone.remove();
    for (int task = 0; task < outputs.size(); task++) {
      if (outputs.get(task).get() == losses.get(task)) {
        outputs.get(task).set(losses.get(task).wrapped());
      }
    }
  }

  /** A step's beginning and end, as the graph passes them on. */
  private final class Events implements LayerTapVertex.StepEvents {
    @Override
    public void begin() {
      step.open(nextLossWeights);
    }

    @Override
    public void measured() {
      step.measured();
    }

    @Override
    public void end() {
      boolean complete = step.isOpen() && step.isMeasured();
      step.close();
      if (complete) { // otherwise: a forward pass only
        listener.accept(measurement());
      }
    }
  }

  private StepMeasurement measurement() {
    int batchSize = graph.batchSize();
    double divisor = graph.conf().isMiniBatch() ? batchSize : 1.0;
    return new StepMeasurement(
        graph.getConfiguration().getIterationCount(),
        graph.getConfiguration().getEpochCount(),
        batchSize,
        taskNames,
        step.losses(divisor),
        step.unweightedGradientNorms(divisor),
        step.lossWeights());
  }

  private void checkNotAttached() {
    for (int task = 0; task < outputs.size(); task++) {
      if (outputs.get(task).get() instanceof WeightedLoss loss
          && loss.isInstalledIn(outputs.get(task).layer())) {
        throw new IllegalStateException(
            "output '"
                + taskNames.get(task)
                + "' is attached already, to this graph or to one built from the same configuration object. Detach that one first, or build this graph from configuration.clone()");
      }
    }
  }
}
