package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.commons.math3.stat.StatUtils;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.gradnorm4j.core.probe.GradientNormProbe;
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
 * <p>A task without labels in a minibatch (its mask leaves out all of them) takes no step of the
 * optimiser in it. It is compared by what the last step with labels of it showed, if that is not
 * too long ago ({@link GradNormBuilder#taskWindow}), and shares the scaling of the weights; later
 * its weight, and all that is remembered of it, stay as they are, and the others share the rest of
 * &Sigma; &lambda;. So it is at once with a task whose gradient is exactly zero, which no weight
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
 * <p>{@link #change} gives a run other settings, {@link #reset} begins it anew.
 *
 * <p>{@link #save} and {@link #writeModel} keep a run, {@link #restore} and {@link
 * #restoreFromModel} go on with it, in any later process.
 *
 * <p>Attached to one network at a time; attaching waits for a fit on another thread to end. Readers
 * ({@link #lossWeights()}, {@link #lastStep()}, {@link #history()}) may be called from any thread.
 */
public final class GradNorm {
  private static final Logger log = LoggerFactory.getLogger(GradNorm.class);

  private GradNormSettings settings;
  private List<String> settingsChanges = List.of();
  private GradNormRule rule;
  private GradientNormProbe probe;
  private int attachments;
  private List<String> taskNames;
  private List<String> measuredLayers;
  private int stepsUntilMeasured;
  private GradNormHistory history;
  private final Notices notices = new Notices(log);
  private WeakReference<Model> lastNetwork = new WeakReference<>(null);
  private double[] configuredLossWeights;

  /** Null until attached; what else there is of a run is only looked at if this is not. */
  private volatile GradNormState state;

  private volatile GradNormStep lastStep;

  GradNorm(GradNormSettings settings) {
    this.settings = settings;
    WeightOptimizer.of(settings.lossWeightUpdater()); // refuses what ND4J cannot run
  }

  private GradNorm(SavedRun run) {
    this(run.settings());
    settingsChanges = run.settingsChanges();
    taskNames = run.taskNames();
    measuredLayers = run.sharedLayers();
    stepsUntilMeasured = run.stepsUntilMeasured();
    state = run.state();
    lastStep = run.lastStep();
    history = new GradNormHistory(taskNames, describe());
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
   * CompositeLoss}, per term of it, and one per {@link WeightPenalty}.
   *
   * <p>Attached again after {@link #detach()} it goes on where it was, with its loss weights,
   * initial losses and averages: in the same graph, or in another with the same tasks, which is
   * logged. To begin anew there, call {@link #reset()} before, or build another.
   *
   * @param graph initialised, with two or more tasks. Modified until {@link #detach()}: the
   *     gradients of its output layers' losses are weighted
   * @return this
   * @throws IllegalArgumentException if the graph is null, cannot be measured, or has other tasks
   *     than the one before; names the layer, the reason and the remedy
   * @throws IllegalStateException if this is attached already, or the graph is, or is not
   *     initialised
   */
  public GradNorm attach(ComputationGraph graph) {
    return attachTo(
        Arguments.given(graph, "graph", "must be an initialised ComputationGraph"),
        onStep -> GradientNormProbe.attach(graph, settings.sharedLayers(), onStep));
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
    return attachTo(
        Arguments.given(network, "network", "must be an initialised MultiLayerNetwork"),
        onStep -> GradientNormProbe.attach(network, settings.sharedLayers(), onStep));
  }

  private GradNorm attachTo(
      Model network, Function<Consumer<StepMeasurement>, GradientNormProbe> attachment) {
    synchronized (network) { // first, as a training thread has it
      return attach(network, attachment);
    }
  }

  private synchronized GradNorm attach(
      Model model, Function<Consumer<StepMeasurement>, GradientNormProbe> attachment) {
    if (probe != null) {
      throw new IllegalStateException(
          "this GradNorm is attached already. Detach it first, or build another");
    }
    int current = ++attachments;
    GradientNormProbe attached = attachment.apply(measurement -> onStep(current, measurement));
    try {
      checkTasks(attached.taskNames());
      configuredLossWeights = attached.lossWeights();
      if (state == null) {
        begin(attached, first(attached));
      }
      goOn(attached);
    } catch (RuntimeException e) {
      attached.detach();
      throw e;
    }
    Model before = lastNetwork.get();
    if (before != null && before != model) {
      log.warn(
          "attached to another network than before: it begins with the loss weights {}, and the initial losses and averages of {} steps of the other. To begin anew, detach, call reset(), and attach again",
          lossWeights(),
          state.steps());
    }
    lastNetwork = new WeakReference<>(model);
    probe = attached;
    log.debug("balancing {} on the gradients of {}", taskNames, probe.sharedLayers());
    return this;
  }

  private void checkTasks(List<String> tasks) {
    if (state != null && !taskNames.equals(tasks)) {
      throw new IllegalArgumentException(
          "this GradNorm has been balancing "
              + taskNames
              + ", the network has "
              + tasks
              + ". Build another, or begin anew: reset()");
    }
  }

  /** Nothing seen yet, with the tasks of a network. */
  private GradNormState first(GradientNormProbe attached) {
    List<String> tasks = attached.taskNames();
    double[] weights = settings.initialLossWeights(tasks, configuredLossWeights);
    double total = WeightLimits.total(settings.of(tasks), StatUtils.sum(weights));
    return rule(tasks, total, attached).init(weights);
  }

  private void begin(GradientNormProbe attached, GradNormState first) {
    taskNames = attached.taskNames();
    measuredLayers = attached.sharedLayers();
    settingsChanges = List.of();
    stepsUntilMeasured = 0;
    lastStep = null;
    notices.clear();
    history = new GradNormHistory(taskNames, describe());
    state = first; // last: readers on other threads look here first
  }

  private void goOn(GradientNormProbe attached) {
    rule = rule(taskNames, state.totalWeight(), attached);
    attached.lossWeights(state.lossWeights());
    attached.measureEvery(settings.measureEvery(), stepsUntilMeasured);
    if (state.frozen()) {
      attached.pause();
    } else {
      attached.resume();
    }
  }

  private GradNormRule rule(List<String> tasks, double total, GradientNormProbe attached) {
    return new GradNormRule(
        settings,
        WeightOptimizer.of(settings.lossWeightUpdater()),
        tasks,
        total,
        attached.tasks().uninformedLosses());
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

  /**
   * Runs something during which the network is plain Deeplearning4j, to this thread: for gradient
   * checks and other gradients that are not training steps. Loss weights and history stay as they
   * are; see {@link GradientNormProbe#notAStep}. Just runs it if not attached.
   *
   * @param work run at once, on this thread
   * @throws IllegalArgumentException if null
   */
  public void notAStep(Runnable work) {
    GradientNormProbe attached;
    synchronized (this) { // not while it runs: attaching takes the network's monitor first
      attached = probe;
    }
    if (attached != null) {
      attached.notAStep(work);
    } else if (work != null) {
      work.run();
    } else {
      throw new IllegalArgumentException("work (null) must not be null");
    }
  }

  /**
   * Whether this balances the losses of a network now.
   *
   * @return true between {@code attach} and {@link #detach()}
   */
  public synchronized boolean isAttached() {
    return probe != null;
  }

  /**
   * Forgets the run, and begins anew: with the loss weights as configured (or {@link
   * GradNormBuilder#initialLossWeights}), no initial losses, averages or moments, an empty {@link
   * #history()}, and not frozen. The settings stay. Attached, it does so from the next step on;
   * detached, it may then be attached to any network. The network's parameters are not touched.
   */
  public synchronized void reset() {
    if (probe != null) {
      begin(probe, first(probe));
      goOn(probe);
    } else {
      state = null;
      lastStep = null;
      stepsUntilMeasured = 0;
      lastNetwork = new WeakReference<>(null);
    }
  }

  /**
   * Gives a run other settings, from the next step on, and keeps what it has: loss weights, initial
   * losses, moments of their optimiser, history.
   *
   * <pre>{@code
   * gradNorm.change(settings -> settings.alpha(0.5).lossWeightUpdater(new Adam(0.01)));
   * }</pre>
   *
   * <p>An updater of another kind begins with moments of its own, another {@link
   * GradNormBuilder#smoothing} with new averages; weights outside of new limits are brought within
   * them. The shared layer, {@link GradNormBuilder#lossScale}, initial losses, shifts and floors
   * cannot change once a run has begun. May be called from any thread. The history's settings, and
   * with them the report, say what was changed and when; so does a log line.
   *
   * @param changes gets a builder with the settings as they are; not kept
   * @return this
   * @throws IllegalArgumentException if null, or for what cannot change, or a setting that is
   *     impossible; nothing has changed then
   */
  public synchronized GradNorm change(Consumer<GradNormBuilder> changes) {
    GradNormBuilder builder = settings.toBuilder();
    Arguments.given(changes, "changes", "must be made to the builder").accept(builder);
    GradNormSettings next = builder.settings();
    WeightOptimizer.of(next.lossWeightUpdater()); // refuses what ND4J cannot run
    if (state == null) {
      settings = next;
      return this;
    }
    SettingsChange change = new SettingsChange(settings, next, taskNames);
    change.check();
    GradNormState changed = change.apply(state);
    List<String> lines = new ArrayList<>(settingsChanges);
    int iteration = lastStep == null ? 0 : lastStep.measurement().iteration() + 1;
    change
        .describe()
        .forEach(
            line -> lines.add(String.format(Locale.ROOT, "iteration %d: %s", iteration, line)));
    stepsUntilMeasured = Math.min(stepsUntilMeasured(), next.measureEvery() - 1);
    settings = next;
    state = changed;
    if (probe != null) {
      goOn(probe);
    }
    log.info("settings changed: {}", lines.subList(settingsChanges.size(), lines.size()));
    settingsChanges = List.copyOf(lines);
    history.settings(describe());
    return this;
  }

  private int stepsUntilMeasured() {
    return probe == null ? stepsUntilMeasured : probe.stepsUntilMeasured();
  }

  private Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("shared layer", String.join(", ", measuredLayers));
    all.putAll(settings.describe());
    if (!settingsChanges.isEmpty()) {
      all.put("changed", String.join("; ", settingsChanges));
    }
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
    if (update.step().skipped() && settings.onNonFinite() == NonFinitePolicy.THROW) {
      throw new ArithmeticException(
          Notices.notFinite(update.step())
              + ". The parameters have not changed. Look at the minibatch, or let GradNorm skip such steps: onNonFinite(NonFinitePolicy.SKIP)");
    }
    notices.tell(update, settings);
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
    Arguments.given(file, "file", "must be a path to write to");
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
    Arguments.given(file, "file", "must be a path that save(...) has written to");
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
    Arguments.given(network, "network", "must be the one that this is, or was, attached to");
    Arguments.given(file, "file", "must be a path to write to");
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
    Arguments.given(file, "file", "must be a path that writeModel(...) has written to");
    GradNorm gradNorm = new GradNorm(ModelFile.readState(file));
    ModelFile.readHistory(file, gradNorm.history, gradNorm.lastStep);
    return gradNorm;
  }

  private synchronized SavedRun savedRun() {
    checkAttachedOnce();
    return new SavedRun(
        settings,
        settingsChanges,
        taskNames,
        measuredLayers,
        stepsUntilMeasured(),
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
   * #freeze()} does: the paper's static weights (section 5.3), for the rest of the run. A geometric
   * mean outside of the limits is brought within them.
   *
   * @param lastSteps as for {@link #staticWeights(int)}
   * @return the weights
   * @throws IllegalArgumentException as for {@link #staticWeights(int)}
   * @throws IllegalStateException as for {@link #staticWeights(int)}
   */
  public synchronized StaticWeights freeze(int lastSteps) {
    StaticWeights mean = staticWeights(lastSteps);
    WeightLimits limits =
        WeightLimits.of(settings.of(taskNames), settings.weightUpdate(), state.totalWeight());
    StaticWeights held = mean.with(limits.nearest(mean.toArray()));
    freeze(held.toArray());
    log.info("loss weights frozen: {}", held);
    return held;
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
   * The mean of the loss weights over the last quarter of the recorded steps, to train with as
   * constants.
   *
   * @return as {@link #staticWeights(int)}
   * @throws IllegalStateException if there is no step yet
   */
  public StaticWeights staticWeights() {
    checkAttachedOnce();
    return StaticWeights.ofLateSteps(history.view());
  }

  /**
   * The mean of the loss weights over the last recorded steps, to train with as constants: {@link
   * StaticWeights} says which mean.
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
    GradNormState current = checkAttachedOnce();
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
    double[] weights = checkAttachedOnce().lossWeights();
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

  private GradNormState checkAttachedOnce() {
    GradNormState current = state;
    if (current == null) {
      throw new IllegalStateException("not attached to a network yet. Call attach(...) first");
    }
    return current;
  }

  /** Settings, tasks with their loss weights, steps. */
  @Override
  public synchronized String toString() {
    String run =
        state == null
            ? "not attached yet"
            : String.format(
                Locale.ROOT,
                "loss weights %s after %d measured steps%s, %s",
                lossWeights(),
                state.steps(),
                state.frozen() ? ", frozen" : "",
                probe == null ? "detached" : "attached");
    return String.format(
        Locale.ROOT,
        "GradNorm[%s, settings %s]",
        run,
        state == null ? settings.describe() : describe());
  }
}
