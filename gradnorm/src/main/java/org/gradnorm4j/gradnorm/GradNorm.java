package org.gradnorm4j.gradnorm;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.CompositeLoss;
import org.gradnorm4j.core.GradientNormProbe;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.WeightPenalty;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Balances the losses of a multi-output ComputationGraph, or the terms of a {@link CompositeLoss},
 * while the network trains, by GradNorm (Chen et al., ICML 2018, arXiv 1711.02257).
 *
 * <p>The network is trained on L = &Sigma;<sub>i</sub> &lambda;<sub>i</sub> L<sub>i</sub>, one task
 * per loss. After each step the loss weights &lambda;<sub>i</sub> take one step of an optimiser
 * that brings the tasks' gradient norms on the last shared layer W to a common scale, and gives
 * more to a task that has fallen behind:
 *
 * <pre>
 *   L_grad(λ) = Σ_i | G_i − Ḡ · r_i^α |
 *
 *   G_i = ‖∇_W λ_i L_i‖₂         norm of the weighted gradient of task i
 *   Ḡ   = mean of G_i
 *   r_i = (L_i / L_i(0)) / mean   above 1: the task trains more slowly than the others
 *   α  ≥ 0                        strength of the restoring force
 * </pre>
 *
 * and are then scaled to &Sigma; &lambda;<sub>i</sub> = T (with configured weights other than 1, as
 * of a {@link CompositeLoss}: to their sum, and they begin with them). The target &#7712;
 * r<sub>i</sub> <sup>&alpha;</sup> counts as a constant (Algorithm 1); L<sub>i</sub>(0) is the loss
 * of the first step.
 *
 * <pre>{@code
 * GradNorm gradNorm = GradNorm.builder().alpha(1.5).build();
 * gradNorm.attach(net);                // an initialised ComputationGraph with several outputs
 * net.fit(iterator, 20);               // as before
 * System.out.println(gradNorm.lossWeights());
 * gradNorm.history().writeCsv(Path.of("history.csv"));
 * gradNorm.detach();
 * }</pre>
 *
 * <p><b>Note:</b> by default the weights are updated multiplicatively, where the paper adds; see
 * {@link WeightUpdate}. Everything else is the paper's.
 *
 * <p>Attached to one network at a time. Readers ({@link #lossWeights()}, {@link #lastStep()},
 * {@link #history()}) may be called from any thread.
 */
public final class GradNorm {
  private static final Logger log = LoggerFactory.getLogger(GradNorm.class);

  private final List<String> sharedLayers;
  private final GradNormRule rule;
  private final int measureEvery;
  private final Map<String, String> settings;
  private GradientNormProbe probe;
  private List<String> taskNames;
  private GradNormHistory history;
  private boolean warned;
  private volatile GradNormState state;
  private volatile GradNormStep lastStep;

  private GradNorm(Builder builder) {
    sharedLayers = builder.sharedLayers;
    measureEvery = builder.measureEvery;
    rule =
        new GradNormRule(
            builder.alpha, builder.weightUpdate, WeightOptimizer.of(builder.lossWeightUpdater));
    settings = builder.settings();
  }

  /**
   * Starts from the defaults: the last layer that all outputs depend on, &alpha; = 1.5, Adam with
   * learning rate 0.025, multiplicative updates.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Begins to balance the losses of a graph: one task per output or, where an output has a {@link
   * CompositeLoss}, per term of it, and one per {@link WeightPenalty}. Attached again after {@link
   * #detach()}, to the same graph or another with the same tasks, it goes on where it was.
   *
   * @param graph initialised, with two or more tasks. Modified until {@link #detach()}: the
   *     gradients of its output layers' losses are weighted
   * @return this
   * @throws IllegalArgumentException if the graph cannot be measured, or has other tasks than the
   *     one before; names the layer, the reason and the remedy
   * @throws IllegalStateException if this is attached already, or the graph is, or is not
   *     initialised
   */
  public synchronized GradNorm attach(ComputationGraph graph) {
    return attach(() -> GradientNormProbe.attach(graph, sharedLayers, this::onStep));
  }

  /**
   * Begins to balance the terms of a network's one output: those of its {@link CompositeLoss}, and
   * each {@link WeightPenalty}. W is by default the last layer with weights, the output layer.
   *
   * @param network initialised, with two or more tasks; modified as a graph is
   * @return this
   * @throws IllegalArgumentException as for {@link #attach(ComputationGraph)}
   * @throws IllegalStateException as for {@link #attach(ComputationGraph)}
   */
  public synchronized GradNorm attach(MultiLayerNetwork network) {
    return attach(() -> GradientNormProbe.attach(network, sharedLayers, this::onStep));
  }

  private GradNorm attach(Supplier<GradientNormProbe> attachment) {
    if (probe != null) {
      throw new IllegalStateException(
          "this GradNorm is attached already. Detach it first, or build another");
    }
    GradientNormProbe attached = attachment.get();
    if (taskNames == null) {
      taskNames = attached.taskNames();
      state = rule.init(attached.lossWeights());
      history = new GradNormHistory(taskNames, settings(attached.sharedLayers()));
    } else if (!taskNames.equals(attached.taskNames())) {
      attached.detach();
      throw new IllegalArgumentException(
          "this GradNorm has been balancing "
              + taskNames
              + ", the network has "
              + attached.taskNames()
              + ". Build another");
    }
    probe = attached;
    probe.lossWeights(state.lossWeights());
    probe.measureEvery(measureEvery);
    log.debug("balancing {} on the gradients of {}", taskNames, probe.sharedLayers());
    return this;
  }

  /**
   * Gives the network back as plain Deeplearning4j. Weights and history stay readable. Does nothing
   * if not attached.
   */
  public synchronized void detach() {
    if (probe != null) {
      probe.detach();
      probe = null;
    }
  }

  private Map<String, String> settings(List<String> measuredLayers) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("shared layer", String.join(", ", measuredLayers));
    all.putAll(settings);
    return all;
  }

  private void onStep(StepMeasurement measurement) {
    GradNormRule.Update update = rule.update(state, measurement);
    if (update.step().skipped() && !warned) {
      warned = true;
      log.warn(
          "a loss or gradient is not finite, the loss weights stay as they are: {}", measurement);
    }
    GradientNormProbe current = probe;
    if (current != null) {
      current.lossWeights(update.state().lossWeights());
    }
    state = update.state();
    lastStep = update.step();
    history.add(update.step());
  }

  /**
   * The loss weights of the next step.
   *
   * @return &lambda;<sub>i</sub> by task name, in the order of the tasks; unmodifiable
   * @throws IllegalStateException if never attached: only a network knows its tasks
   */
  public Map<String, Double> lossWeights() {
    checkAttachedOnce();
    double[] weights = state.lossWeights();
    Map<String, Double> byName = new LinkedHashMap<>();
    for (int i = 0; i < weights.length; i++) {
      byName.put(taskNames.get(i), weights[i]);
    }
    return Collections.unmodifiableMap(byName);
  }

  /**
   * The full record of the last step.
   *
   * @return empty before the first step
   */
  public Optional<GradNormStep> lastStep() {
    return Optional.ofNullable(lastStep);
  }

  /**
   * The record of all steps.
   *
   * @return the history, which grows as training goes on
   * @throws IllegalStateException if never attached
   */
  public GradNormHistory history() {
    checkAttachedOnce();
    return history;
  }

  private void checkAttachedOnce() {
    if (state == null) {
      throw new IllegalStateException("not attached to a network yet. Call attach(...) first");
    }
  }

  /** Settings of {@link GradNorm}. */
  public static final class Builder {
    private List<String> sharedLayers = List.of();
    private double alpha = 1.5;
    private IUpdater lossWeightUpdater = new Adam(0.025);
    private WeightUpdate weightUpdate = WeightUpdate.MULTIPLICATIVE;
    private int measureEvery = 1;

    private Builder() {}

    /**
     * The layer, or the layers taken together, whose weights are W. Default: the last trainable
     * layer that all tasks depend on, normalization and PReLU aside; for the terms of one output,
     * the output layer itself.
     *
     * @param names of layers in the graph
     * @return this
     */
    public Builder sharedLayer(String... names) {
      this.sharedLayers = List.of(names);
      return this;
    }

    /**
     * The strength &alpha; of the force that brings tasks back to a common training rate. 0 makes
     * all gradient norms equal; larger values suit tasks of different complexity. The paper uses
     * 1.5 for NYUv2 and 0.12 for its toy of like tasks. Default: 1.5.
     *
     * @param alpha finite and &ge; 0
     * @return this
     * @throws IllegalArgumentException if negative, infinite or NaN
     */
    public Builder alpha(double alpha) {
      if (!(alpha >= 0.0 && Double.isFinite(alpha))) {
        throw new IllegalArgumentException("alpha (" + alpha + ") must be >= 0 and finite");
      }
      this.alpha = alpha;
      return this;
    }

    /**
     * The optimiser of the loss weights, with its learning rate or schedule. Default: {@code
     * Adam(0.025)}, the paper's. {@code Sgd(0.0)} leaves the weights as they are and only measures.
     *
     * @param lossWeightUpdater any ND4J updater; copied
     * @return this
     */
    public Builder lossWeightUpdater(IUpdater lossWeightUpdater) {
      this.lossWeightUpdater = lossWeightUpdater.clone();
      return this;
    }

    /**
     * How the optimiser's step moves the weights. Default: {@link WeightUpdate#MULTIPLICATIVE}.
     *
     * @param weightUpdate the rule
     * @return this
     */
    public Builder weightUpdate(WeightUpdate weightUpdate) {
      this.weightUpdate = Objects.requireNonNull(weightUpdate, "weightUpdate");
      return this;
    }

    /**
     * Measures, and moves the weights, in the first of every so many training steps only. The steps
     * between cost nothing, keep the weights, and are not in the history. Default: 1, every step.
     *
     * <p><b>Note:</b> the paper measures every step. The weights then move as many times more
     * slowly; a larger learning rate for them makes up for it.
     *
     * @param steps from one measured step to the next, &ge; 1
     * @return this
     * @throws IllegalArgumentException if less than 1
     */
    public Builder measureEvery(int steps) {
      if (steps < 1) {
        throw new IllegalArgumentException("measureEvery (" + steps + ") must be >= 1");
      }
      measureEvery = steps;
      return this;
    }

    private Map<String, String> settings() {
      Map<String, String> settings = new LinkedHashMap<>();
      settings.put("alpha", Double.toString(alpha));
      settings.put("weight update", weightUpdate.name().toLowerCase(Locale.ROOT));
      settings.put("loss weight updater", lossWeightUpdater.toString());
      settings.put(
          "measured", measureEvery == 1 ? "every step" : "every " + measureEvery + " steps");
      return settings;
    }

    /**
     * Builds.
     *
     * @return a GradNorm with these settings, attached to nothing
     * @throws IllegalArgumentException if ND4J cannot run the updater of the loss weights
     */
    public GradNorm build() {
      return new GradNorm(this);
    }
  }
}
