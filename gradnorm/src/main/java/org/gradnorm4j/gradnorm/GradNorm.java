package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.CompositeLoss;
import org.gradnorm4j.core.GradientNormProbe;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.WeightPenalty;
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
 * of the first step, if no other {@link InitialLoss} is set.
 *
 * <p>A task without labels in a minibatch (its mask leaves out all of them) is absent from the
 * step: its weight, and all that is remembered of it, stay as they are, and the others share the
 * rest of &Sigma; &lambda;. So it is with a task whose gradient is exactly zero, which no weight
 * can change. A step with a NaN or infinite loss or norm is skipped and counted ({@link #skips()}).
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
 * <p>{@link #save} and {@link #writeModel} keep a run, {@link #restore} and {@link
 * #restoreFromModel} go on with it, in any later process.
 *
 * <p>Attached to one network at a time; attaching waits for a fit on another thread to end. Readers
 * ({@link #lossWeights()}, {@link #lastStep()}, {@link #history()}) may be called from any thread.
 */
public final class GradNorm {
  private static final Logger log = LoggerFactory.getLogger(GradNorm.class);

  private final GradNormSettings settings;
  private final WeightOptimizer optimizer;
  private GradNormRule rule;
  private GradientNormProbe probe;
  private int attachments;
  private List<String> taskNames;
  private List<String> measuredLayers;
  private int stepsUntilMeasured;
  private GradNormHistory history;
  private boolean warned;
  private volatile GradNormState state;
  private volatile GradNormStep lastStep;

  GradNorm(GradNormSettings settings) {
    this.settings = settings;
    optimizer = WeightOptimizer.of(settings.lossWeightUpdater());
  }

  private GradNorm(SavedRun run) {
    this(run.settings());
    taskNames = run.taskNames();
    measuredLayers = run.sharedLayers();
    stepsUntilMeasured = run.stepsUntilMeasured();
    state = run.state();
    lastStep = run.lastStep();
    history = new GradNormHistory(taskNames, describe(measuredLayers));
  }

  /**
   * Starts from the defaults: the last layer that all outputs depend on, &alpha; = 1.5, Adam with
   * learning rate 0.025, multiplicative updates.
   *
   * @return a new builder
   */
  public static GradNormBuilder builder() {
    return new GradNormBuilder();
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
  public GradNorm attach(ComputationGraph graph) {
    return attach(
        graph, onStep -> GradientNormProbe.attach(graph, settings.sharedLayers(), onStep));
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
  public GradNorm attach(MultiLayerNetwork network) {
    return attach(
        network, onStep -> GradientNormProbe.attach(network, settings.sharedLayers(), onStep));
  }

  private GradNorm attach(
      Model network, Function<Consumer<StepMeasurement>, GradientNormProbe> attachment) {
    synchronized (network) { // first, as a training thread has it
      return attach(attachment);
    }
  }

  private synchronized GradNorm attach(
      Function<Consumer<StepMeasurement>, GradientNormProbe> attachment) {
    if (probe != null) {
      throw new IllegalStateException(
          "this GradNorm is attached already. Detach it first, or build another");
    }
    int current = ++attachments;
    GradientNormProbe attached = attachment.apply(measurement -> onStep(current, measurement));
    try {
      begin(attached);
      attached.lossWeights(state.lossWeights());
      attached.measureEvery(settings.measureEvery(), stepsUntilMeasured);
      if (state.frozen()) {
        attached.pause();
      }
    } catch (RuntimeException e) {
      attached.detach();
      throw e;
    }
    probe = attached;
    log.debug("balancing {} on the gradients of {}", taskNames, probe.sharedLayers());
    return this;
  }

  /** With the tasks of a network, or goes on with them. */
  private void begin(GradientNormProbe attached) {
    List<String> tasks = attached.taskNames();
    if (taskNames != null && !taskNames.equals(tasks)) {
      throw new IllegalArgumentException(
          "this GradNorm has been balancing "
              + taskNames
              + ", the network has "
              + tasks
              + ". Build another");
    }
    double total =
        state == null
            ? WeightLimits.total(settings.of(tasks), attached.lossWeights())
            : state.totalWeight();
    rule = new GradNormRule(settings, optimizer, tasks, total, attached.uninformedLosses());
    if (taskNames == null) {
      measuredLayers = attached.sharedLayers();
      history = new GradNormHistory(tasks, describe(measuredLayers));
      taskNames = tasks;
      state = rule.init(attached.lossWeights()); // last: readers on other threads look here first
    }
  }

  /**
   * Gives the network back as plain Deeplearning4j. Weights and history stay readable. May be
   * called at any time, also from a training listener, and on any thread: a step that is under way
   * on another ends as it began and is not recorded. Does nothing if not attached.
   */
  public synchronized void detach() {
    if (probe != null) {
      stepsUntilMeasured = probe.stepsUntilMeasured();
      probe.detach();
      probe = null;
      attachments++;
    }
  }

  private Map<String, String> describe(List<String> measuredLayers) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("shared layer", String.join(", ", measuredLayers));
    all.putAll(settings.describe());
    return all;
  }

  private synchronized void onStep(int attachment, StepMeasurement measurement) {
    if (attachment != attachments) { // detached while it was on its way
      return;
    }
    long start = System.nanoTime();
    GradNormRule.Update update = rule.update(state, measurement);
    probe.lossWeights(update.state().lossWeights());
    state = update.state();
    lastStep = update.step();
    history.add(update.step());
    history.addNanos(probe.measuringNanos() + System.nanoTime() - start);
    if (update.step().skipped()) {
      onSkipped(update.step());
    }
  }

  private void onSkipped(GradNormStep step) {
    String what =
        "not finite in iteration %d: %s"
            .formatted(step.measurement().iteration(), step.skipCauses());
    if (settings.onNonFinite() == NonFinitePolicy.THROW) {
      throw new ArithmeticException(
          what
              + ". The parameters have not changed. Look at the minibatch, or let GradNorm skip such steps: onNonFinite(NonFinitePolicy.SKIP)");
    }
    if (!warned) {
      warned = true;
      log.warn("{}. Such steps leave the loss weights as they are: {}", what, step.measurement());
    }
  }

  /**
   * Writes all that GradNorm needs to go on where it is: settings, loss weights, optimiser moments,
   * initial losses, averages, counts. As JSON; the file is replaced at once, when all is on the
   * disk. The history is not in it, see {@link GradNormHistory#writeCsv}, and neither is the
   * network; {@link #writeModel} writes everything.
   *
   * @param file created, or replaced
   * @throws IOException if it cannot be written; what was there before is then still there
   * @throws IllegalStateException if never attached
   * @throws IllegalArgumentException if the updater of the loss weights is not one of ND4J's, or
   *     has a schedule that a file cannot hold; names it
   */
  public void save(Path file) throws IOException {
    byte[] state = StateWriter.write(savedRun());
    AtomicFile.write(file, temporary -> Files.write(temporary, state));
  }

  /**
   * A GradNorm that goes on where the saved one was, once it is attached to a network with the same
   * tasks. Its history begins anew.
   *
   * @param file written by {@link #save}; not modified
   * @return with the settings of the one that was saved, not attached
   * @throws IOException if the file cannot be read, was cut short or changed, or has a version that
   *     this library cannot read; says which
   */
  public static GradNorm restore(Path file) throws IOException {
    try (InputStream state = Files.newInputStream(file)) {
      return new GradNorm(StateReader.read(state, file.toString()));
    }
  }

  /**
   * Writes a network, with its updater, and this GradNorm, with its history, into one file that
   * resumes everything. It is the zip that Deeplearning4j's ModelSerializer writes, with two
   * entries more, and opens with it as well. The file is replaced at once, when all is on the disk.
   *
   * <p>Between steps only, as after {@code fit}; in a listener use {@link GradNormCheckpoint},
   * which knows that Deeplearning4j has not counted the step there yet.
   *
   * @param network the one that this is, or was, attached to; not modified
   * @param file created, or replaced
   * @throws IOException as for {@link #save}
   * @throws IllegalStateException as for {@link #save}
   * @throws IllegalArgumentException as for {@link #save}
   */
  public void writeModel(Model network, Path file) throws IOException {
    ModelFile.write(file, network, savedRun(), history());
  }

  /**
   * The GradNorm in a model's file, with its history.
   *
   * <pre>{@code
   * ComputationGraph net = ModelSerializer.restoreComputationGraph(file.toFile(), true);
   * GradNorm gradNorm = GradNorm.restoreFromModel(file).attach(net);
   * }</pre>
   *
   * <p>Training then goes on bit for bit, but for what Deeplearning4j does not save: the state of
   * ND4J's random numbers (dropout, weight noise), the state of a truncated series, and where in
   * the data the iterator was.
   *
   * @param file written by {@link #writeModel} or {@link GradNormCheckpoint}; not modified
   * @return with the settings of the one that was saved, not attached
   * @throws IOException as for {@link #restore}, or if the file is a model without a GradNorm
   */
  public static GradNorm restoreFromModel(Path file) throws IOException {
    GradNorm gradNorm = new GradNorm(ModelFile.readState(file));
    ModelFile.readHistory(file, gradNorm.history, gradNorm.lastStep);
    return gradNorm;
  }

  private synchronized SavedRun savedRun() {
    checkAttachedOnce();
    return new SavedRun(
        settings,
        taskNames,
        measuredLayers,
        probe == null ? stepsUntilMeasured : probe.stepsUntilMeasured(),
        state,
        lastStep);
  }

  /**
   * Holds the loss weights where they are, from the next step on. Nothing is measured or recorded
   * meanwhile: a step costs what it does without GradNorm. (To watch the norms under constant
   * weights, detach, and attach a {@link GradientNormProbe} with these weights.)
   *
   * @throws IllegalStateException if never attached
   */
  public synchronized void freeze() {
    checkAttachedOnce();
    freeze(state.lossWeights());
  }

  /**
   * Sets the loss weights to their mean over the last steps, and holds them there as {@link
   * #freeze()} does: the paper's static weights (section 5.3), for the rest of the run.
   *
   * @param lastSteps as for {@link #staticWeights}
   * @return the weights
   * @throws IllegalStateException as for {@link #staticWeights}
   */
  public synchronized StaticWeights freeze(int lastSteps) {
    StaticWeights mean = staticWeights(lastSteps);
    freeze(mean.lossWeights().values().stream().mapToDouble(Double::doubleValue).toArray());
    log.info("loss weights frozen: {}", mean);
    return mean;
  }

  private void freeze(double[] weights) {
    state = state.withWeights(weights, true);
    if (probe != null) {
      probe.lossWeights(weights);
      probe.pause();
    }
  }

  /**
   * Lets the loss weights move again, from where they are, after {@link #freeze()}.
   *
   * @throws IllegalStateException if never attached
   */
  public synchronized void unfreeze() {
    checkAttachedOnce();
    state = state.withWeights(state.lossWeights(), false);
    if (probe != null) {
      probe.resume();
    }
  }

  /**
   * The mean of the loss weights over the last recorded steps, to train with as constants.
   *
   * @param lastSteps how many, &ge; 1; all of them if there are fewer
   * @return the mean weights; printed, as code to paste
   * @throws IllegalArgumentException if less than 1
   * @throws IllegalStateException if there is no step yet
   */
  public StaticWeights staticWeights(int lastSteps) {
    checkAttachedOnce();
    return StaticWeights.of(history.view(), lastSteps);
  }

  /**
   * How often the update of the loss weights was skipped for a task, and why.
   *
   * @return by task name, with every cause; in the order of the tasks; unmodifiable
   * @throws IllegalStateException if never attached
   */
  @SuppressWarnings("EnumOrdinal") // the columns of the counts
  public Map<String, Map<SkipCause, Integer>> skips() {
    checkAttachedOnce();
    GradNormState current = state;
    Map<String, Map<SkipCause, Integer>> byTask = new LinkedHashMap<>();
    for (int i = 0; i < taskNames.size(); i++) {
      Map<SkipCause, Integer> byCause = new EnumMap<>(SkipCause.class);
      for (SkipCause cause : SkipCause.values()) {
        byCause.put(cause, current.skips()[i][cause.ordinal()]);
      }
      byTask.put(taskNames.get(i), Collections.unmodifiableMap(byCause));
    }
    return Collections.unmodifiableMap(byTask);
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
}
