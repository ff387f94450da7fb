package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.lossfunctions.ILossFunction;

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
 * GradientNormProbe probe =
 *     GradientNormProbe.attach(net, List.of("trunk"), step -> System.out.println(step));
 * net.fit(iterator);
 * probe.detach();
 * }</pre>
 *
 * <p>An attached graph is used like any other. Scores, evaluation, {@code summary()}, listeners and
 * saved models are those of the graph alone; with the weights as configured (1, if they are not),
 * so are the trained parameters, bit for bit. Copies of the graph ({@code clone()}, transfer
 * learning, a saved model) are not attached and train on the plain sum of the losses.
 *
 * <p>Not for use by several threads at once, as the graph itself is not; {@link #lossWeights()} and
 * {@link #lossWeights(double...)} may be called from any thread.
 */
public final class GradientNormProbe {
  private final TaskGraph graph;
  private final List<String> taskNames;
  private final List<String> sharedLayers;
  private final Predicate<PenaltyTerm.Part> sharedParameters;
  private final List<WeightedLoss> losses = new ArrayList<>();
  private final TrainingStep step;
  private final Attachment attachment;
  private final Consumer<StepMeasurement> listener;
  private volatile double[] nextLossWeights;
  private volatile int interval = 1;
  private int stepsToSkip;
  private boolean attached = true;

  private GradientNormProbe(
      TaskGraph graph,
      List<String> sharedLayerNames,
      DenseNormKernel.Method method,
      BiFunction<SharedZone, GradientNormProbe, Attachment> attach,
      Consumer<StepMeasurement> listener) {
    this.graph = graph;
    this.listener = Objects.requireNonNull(listener, "listener");
    graph.checkSeveralTasks();
    taskNames = graph.tasks().names();
    checkNotAttached();
    List<GraphVertex> shared = SharedLayers.of(graph, sharedLayerNames);
    sharedLayers = shared.stream().map(GraphVertex::getVertexName).toList();
    sharedParameters =
        part ->
            shared.stream()
                .anyMatch(
                    vertex ->
                        vertex.getLayer() == part.layer()
                            && TaskGraph.weightKeys(vertex).contains(part.key()));
    checkPenaltiesAreShared();
    step = new TrainingStep(taskNames.size());
    lossWeights(graph.tasks().weights());
    attachment = attach.apply(new SharedZone(graph, shared, method, step), this);
    // Everything is checked: only from here on is the network touched.
    attachment.install();
    for (int output = 0; output < graph.losses().size(); output++) {
      OutputLoss loss = graph.losses().get(output);
      losses.add(new WeightedLoss(loss, graph.tasks().of(output), step, attachment.calls()));
      loss.set(losses.get(output));
    }
    for (int i = 0; i < graph.tasks().penalties().size(); i++) {
      int task = graph.tasks().ofPenalty(i);
      graph.tasks().penalties().get(i).drive(() -> step.lossWeight(task));
    }
    step.lossWeights(nextLossWeights);
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
    return new GradientNormProbe(
        TaskGraph.of(graph),
        List.copyOf(sharedLayers),
        method,
        (zone, probe) -> new GraphAttachment(graph, zone, probe.new Events()),
        listener);
  }

  /**
   * Attaches to a network whose output has a {@link CompositeLoss} of several terms, or that has a
   * {@link WeightPenalty} beside its loss.
   *
   * @param network initialised; the loss function of its output layer and the weights of its
   *     penalties are modified until {@link #detach()}
   * @param sharedLayers names of the layers whose weights, taken together, are W (a layer without a
   *     name has its number). Empty for the last layer with weights: most often the output layer
   *     itself. Copied
   * @param listener as for {@link #attach(ComputationGraph, Consumer)}
   * @return the attachment, with the loss weights as configured
   * @throws IllegalArgumentException as for {@link #attach(ComputationGraph, Consumer)}
   * @throws IllegalStateException as for {@link #attach(ComputationGraph, Consumer)}
   */
  public static GradientNormProbe attach(
      MultiLayerNetwork network, List<String> sharedLayers, Consumer<StepMeasurement> listener) {
    return new GradientNormProbe(
        TaskGraph.of(network),
        List.copyOf(sharedLayers),
        DenseNormKernel.Method.CHEAPEST,
        (zone, probe) -> new NetworkAttachment(network, zone, probe.step, probe.new Events()),
        listener);
  }

  /**
   * The tasks, in the order of every array here.
   *
   * @return their names
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
   * What the loss of each task is, per label, while the output gives every class the same
   * probability: log C for the cross-entropy of C classes (softmax), C log 2 for that of C
   * sigmoids.
   *
   * @return one value per task, NaN where it cannot be known: regressions, class weights, penalties
   */
  public double[] uninformedLosses() {
    double[] uninformed = new double[taskNames.size()];
    Arrays.fill(uninformed, Double.NaN);
    for (int output = 0; output < losses.size(); output++) {
      Layer layer = graph.losses().get(output).layer();
      ILossFunction loss = losses.get(output).wrapped();
      int first = graph.tasks().of(output).nextSetBit(0);
      if (loss instanceof CompositeLoss composite) {
        for (int term = 0; term < composite.termNames().size(); term++) {
          uninformed[first + term] = UninformedLoss.of(layer, composite.loss(term));
        }
      } else {
        uninformed[first] = UninformedLoss.of(layer, loss);
      }
    }
    return uninformed;
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
   * Measures only the first of every so many training steps, beginning with the next; those between
   * keep the loss weights, are not reported to the listener, and cost nothing.
   *
   * @param steps from one measured step to the next, &ge; 1; 1, the default, measures all
   * @throws IllegalArgumentException if less than 1
   */
  public void measureEvery(int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("measureEvery (" + steps + ") must be >= 1");
    }
    interval = steps;
    stepsToSkip = 0;
  }

  /**
   * The time the last measured step spent on its norms: in the norm kernels, and in the backward
   * passes that were run for single tasks. What a kernel saves the layer's own backward pass is not
   * taken off, so this is more than the step took longer.
   *
   * @return nanoseconds; 0 before the first step
   */
  public long measuringNanos() {
    return step.measuringNanos();
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
    attachment.remove();
    for (int output = 0; output < losses.size(); output++) {
      OutputLoss loss = graph.losses().get(output);
      if (loss.get() == losses.get(output)) {
        loss.set(losses.get(output).wrapped());
      }
    }
    graph.tasks().penalties().forEach(penalty -> penalty.drive(null));
  }

  /** A step's beginning and end, as the network passes them on. */
  private final class Events implements Attachment.StepEvents {
    @Override
    public void begin() {
      step.open(nextLossWeights, stepsToSkip <= 0);
    }

    @Override
    public void measured() {
      step.measured();
    }

    @Override
    public void end() {
      boolean trained = step.isOpen() && step.isMeasured(); // otherwise: a forward pass only
      boolean measured = trained && step.isMeasuring();
      step.close();
      if (trained) {
        stepsToSkip = measured ? interval - 1 : stepsToSkip - 1;
      }
      if (measured) {
        listener.accept(measurement());
      }
    }
  }

  private StepMeasurement measurement() {
    double divisor = attachment.isMiniBatch() ? graph.batchSize() : 1.0;
    double[] taskLosses = step.losses(divisor);
    double[] lossesPerLabel = step.lossesPerLabel();
    boolean[] present = step.present();
    double[] gradientNorms = step.unweightedGradientNorms(divisor);
    for (int i = 0; i < graph.tasks().penalties().size(); i++) {
      int task = graph.tasks().ofPenalty(i);
      PenaltyTerm penalty = graph.tasks().penalties().get(i);
      taskLosses[task] = penalty.value();
      lossesPerLabel[task] = taskLosses[task];
      present[task] = true;
      gradientNorms[task] = Math.sqrt(penalty.squaredNorm(sharedParameters));
    }
    return new StepMeasurement(
        attachment.iteration(),
        attachment.epoch(),
        graph.batchSize(),
        taskNames,
        present,
        taskLosses,
        lossesPerLabel,
        gradientNorms,
        step.lossWeights());
  }

  private void checkNotAttached() {
    for (int output = 0; output < graph.losses().size(); output++) {
      OutputLoss current = graph.losses().get(output);
      if (current.get() instanceof WeightedLoss loss && loss.isInstalledIn(current.layer())) {
        throw new IllegalStateException(
            "output '"
                + graph.outputs().get(output)
                + "' is attached already, to this graph or to one built from the same configuration object. Detach that one first, or build this graph from configuration.clone()");
      }
    }
  }

  private void checkPenaltiesAreShared() {
    for (PenaltyTerm penalty : graph.tasks().penalties()) {
      if (penalty.parts().stream().noneMatch(sharedParameters)) {
        throw new IllegalArgumentException(
            "penalty '%s' does not act on the shared layer %s: it has no gradient there to balance. Choose a shared layer it acts on, or use Deeplearning4j's own l1 or l2, which stay as they are"
                .formatted(penalty.name(), sharedLayers));
      }
    }
  }
}
