package org.gradnorm4j.balancer;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.Combiner;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.gradnorm4j.core.probe.GradientNormProbe;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryBytes;
import org.gradnorm4j.history.HistoryView;
import org.gradnorm4j.history.StaticWeights;
import org.gradnorm4j.persist.AtomicFile;
import org.gradnorm4j.persist.ModelFile;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.SkipCause;
import org.gradnorm4j.weighting.Timing;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Balances the losses of a multi-output ComputationGraph, or the terms of a {@link CompositeLoss},
 * while the network trains, by any {@link LossWeighting}.
 *
 * <p>The network is trained on L = &Sigma;<sub>i</sub> &lambda;<sub>i</sub> L<sub>i</sub>, one task
 * per loss. Each step is measured as it goes by: the losses L<sub>i</sub>, and the norms
 * &#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214; of their gradients on the last shared layer W. The
 * strategy chooses the weights of the next step from them.
 *
 * <pre>{@code
 * LossBalancer balancer = LossBalancer.of(UncertaintyWeighting.create()).attach(net);
 * net.fit(iterator, 20);               // as before
 * System.out.println(balancer.lossWeights());
 * balancer.history().writeCsv(Path.of("history.csv"));
 * balancer.detach();
 * }</pre>
 *
 * <p>A step in which a value that the strategy needs is NaN or infinite is skipped and counted
 * ({@link #skips()}).
 *
 * <p>{@link #save} and {@link #writeModel} keep a run, {@link #restore} and {@link
 * #restoreFromModel} go on with it, in any later process. {@link #reset} begins it anew.
 *
 * <p>Attached to one network at a time; attaching waits for a fit on another thread to end. Readers
 * ({@link #lossWeights()}, {@link #lastStep()}, {@link #history()}) may be called from any thread.
 */
public class LossBalancer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LossBalancer.class);

  private LossWeighting<?> weighting;
  private BalancerSettings settings;
  private GradientNormProbe probe;
  private int attachments;
  private int stepsUntilMeasured;
  private WeakReference<Model> lastNetwork = new WeakReference<>(null);

  /** Null until attached. */
  private volatile Run<?> run;

  /**
   * For builders of strategies that have a facade of their own.
   *
   * @param weighting the strategy
   * @param settings beside the strategy's
   */
  protected LossBalancer(LossWeighting<?> weighting, BalancerSettings settings) {
    this.weighting = weighting;
    this.settings = settings;
  }

  /**
   * For strategies that have a facade of their own: goes on with a run.
   *
   * @param saved as {@link #read} or {@link #readFromModel} has it
   */
  protected LossBalancer(SavedRun saved) {
    this(saved.weighting(), saved.settings());
    stepsUntilMeasured = saved.stepsUntilMeasured();
    run = saved.resume();
  }

  /**
   * A balancer with the default settings.
   *
   * @param weighting the strategy
   * @return attached to nothing
   * @throws IllegalArgumentException if null
   */
  public static LossBalancer of(LossWeighting<?> weighting) {
    return builder(weighting).build();
  }

  /**
   * Starts from the defaults: the last layer that all outputs depend on, every step measured.
   *
   * @param weighting the strategy
   * @return a new builder
   * @throws IllegalArgumentException if null
   */
  public static LossBalancerBuilder builder(LossWeighting<?> weighting) {
    return new LossBalancerBuilder(weighting);
  }

  /**
   * Begins to balance the losses of a graph: one task per output or, where an output has a {@link
   * CompositeLoss}, per term of it, and one per {@link WeightPenalty}.
   *
   * <p>Attached again after {@link #detach()} it goes on where it was, with its loss weights and
   * all that the strategy remembers: in the same graph, or in another with the same tasks, which is
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
  public LossBalancer attach(ComputationGraph graph) {
    Arguments.given(graph, "graph", "must be an initialised ComputationGraph");
    return attachTo(
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
  public LossBalancer attach(MultiLayerNetwork network) {
    Arguments.given(network, "network", "must be an initialised MultiLayerNetwork");
    return attachTo(
        network, onStep -> GradientNormProbe.attach(network, settings.sharedLayers(), onStep));
  }

  private LossBalancer attachTo(
      Model network, Function<Consumer<StepMeasurement>, GradientNormProbe> attachment) {
    synchronized (network) { // first, as a training thread has it
      return attach(network, attachment);
    }
  }

  private synchronized LossBalancer attach(
      Model model, Function<Consumer<StepMeasurement>, GradientNormProbe> attachment) {
    if (probe != null) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "this %s is attached already. Detach it first, or build another",
              weighting.name()));
    }
    int current = ++attachments;
    GradientNormProbe attached = attachment.apply(measurement -> onStep(current, measurement));
    try {
      if (run == null) {
        begin(attached);
      } else {
        checkTasks(attached.taskNames());
        run.tasks(attached.tasks());
      }
      goOn(attached);
    } catch (RuntimeException e) {
      attached.detach();
      throw e;
    }
    Model before = lastNetwork.get();
    if (before != null && before != model) {
      log.warn(
          "attached to another network than before: it begins with the loss weights {}, and with what {} remembers of {} steps of the other. To begin anew, detach, call reset(), and attach again",
          lossWeights(),
          weighting.name(),
          run.state().steps());
    }
    lastNetwork = new WeakReference<>(model);
    probe = attached;
    log.debug("balancing {} on the gradients of {}", run.taskNames(), probe.sharedLayers());
    return this;
  }

  private void checkTasks(List<String> tasks) {
    if (!run.taskNames().equals(tasks)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "this %s has been balancing %s, the network has %s. Build another, or begin anew: reset()",
              weighting.name(),
              run.taskNames(),
              tasks));
    }
  }

  private void begin(GradientNormProbe attached) {
    run = Run.begin(weighting, settings, attached.tasks(), attached.sharedLayers());
    stepsUntilMeasured = 0;
  }

  private void goOn(GradientNormProbe attached) {
    BalancerState state = run.state();
    attached.measureGram(weighting.needs().contains(Need.GRAM));
    if (isSameStep()) {
      attached.combineBy(new AtTheTap());
    } else {
      attached.lossWeights(state.lossWeights());
    }
    attached.measureEvery(settings.measureEvery(), stepsUntilMeasured);
    if (state.frozen()) {
      attached.pause();
    } else {
      attached.resume();
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

  /** As {@link #detach()}. */
  @Override
  public void close() {
    detach();
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
    Arguments.given(work, "work", "must not be null");
    GradientNormProbe attached;
    synchronized (this) { // not while it runs: attaching takes the network's monitor first
      attached = probe;
    }
    if (attached != null) {
      attached.notAStep(work);
    } else {
      work.run();
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
   * Forgets the run, and begins anew: with the strategy's first loss weights, an empty {@link
   * #history()}, and not frozen. The settings stay. Attached, it does so from the next step on;
   * detached, it may then be attached to any network. The network's parameters are not touched.
   */
  public synchronized void reset() {
    if (probe != null) {
      begin(probe);
      goOn(probe);
    } else {
      run = null;
      stepsUntilMeasured = 0;
      lastNetwork = new WeakReference<>(null);
    }
  }

  /**
   * Goes on with other settings, from the next step on, and keeps what the run has. May be called
   * from any thread. The history's settings, and with them the report, say what was changed and
   * when; so does a log line.
   *
   * @param nextWeighting the same strategy with any settings
   * @param nextSettings beside the strategy's; the shared layer and the history's limit cannot
   *     change once a run has begun
   * @throws IllegalArgumentException for what cannot change; nothing has then
   */
  protected final synchronized void change(
      LossWeighting<?> nextWeighting, BalancerSettings nextSettings) {
    if (run == null) {
      weighting = nextWeighting;
      settings = nextSettings;
      return;
    }
    int unmeasured = stepsUntilMeasured();
    List<String> lines = run.change(nextWeighting, nextSettings);
    weighting = nextWeighting;
    settings = nextSettings;
    stepsUntilMeasured = Math.min(unmeasured, nextSettings.measureEvery() - 1);
    if (probe != null) {
      goOn(probe);
    }
    log.info("settings changed: {}", lines);
  }

  /**
   * The strategy as it is set now.
   *
   * @return a value
   */
  public final synchronized LossWeighting<?> weighting() {
    return weighting;
  }

  /**
   * The settings beside the strategy's.
   *
   * @return as they are now
   */
  protected final synchronized BalancerSettings settings() {
    return settings;
  }

  private int stepsUntilMeasured() {
    return probe == null ? stepsUntilMeasured : probe.stepsUntilMeasured();
  }

  private synchronized void onStep(int attachment, StepMeasurement measurement) {
    if (attachment != attachments || run.state().frozen()) { // while it was on its way
      return;
    }
    long start = System.nanoTime();
    Map<String, Set<SkipCause>> notFinite;
    if (isSameStep()) {
      if (!run.hasDecided()) { // it began before
        return;
      }
      notFinite = run.finish(measurement, log);
    } else {
      notFinite = run.take(measurement, log);
      probe.lossWeights(run.state().lossWeights());
    }
    run.recorder().addNanos(probe.measuringNanos() + System.nanoTime() - start);
    if (!notFinite.isEmpty() && settings.onNonFinite() == NonFinitePolicy.THROW) {
      throw new ArithmeticException(
          StepGuard.describe(measurement, notFinite)
              + ". The parameters have not changed. Look at the minibatch, or let such steps be skipped: onNonFinite(NonFinitePolicy.SKIP)");
    }
  }

  private boolean isSameStep() {
    return settings.timing() == Timing.SAME_STEP;
  }

  /** Weights of the step that is under way, where its gradients meet. */
  private final class AtTheTap implements Combiner {
    private final int attachment = attachments;
    private final Run<?> ofRun = run;
    private final boolean heads = weighting.headsWeighted();

    @Override
    public double[] combine(StepMeasurement step) {
      synchronized (LossBalancer.this) {
        boolean decides = attachment == attachments && ofRun == run && !ofRun.state().frozen();
        return decides ? ofRun.decide(step) : held();
      }
    }

    @Override
    public double[] held() {
      return ofRun.state().lossWeights();
    }

    @Override
    public boolean weightsHeads() {
      return heads;
    }
  }

  /**
   * Writes all that is needed to go on where this is: settings, loss weights, the strategy's state,
   * counts. As JSON; the file is replaced at once, when all is on the disk. The history is not in
   * it, see {@link History#writeCsv}, and neither is the network; {@link #writeModel} writes
   * everything.
   *
   * @param file created, or replaced
   * @throws IOException if it cannot be written; what was there before is then still there
   * @throws IllegalStateException if never attached
   * @throws IllegalArgumentException if an updater among the settings is not one of ND4J's, or has
   *     a schedule that a file cannot hold; names it
   */
  public void save(Path file) throws IOException {
    Arguments.given(file, "file", "must be a path to write to");
    byte[] state = savedRun().toBytes(null);
    AtomicFile.write(file, temporary -> Files.write(temporary, state));
  }

  /**
   * A balancer that goes on where the saved one was, once it is attached to a network with the same
   * tasks. Its history begins anew.
   *
   * @param file written by {@link #save}, of any strategy that is on the class path; or a model's,
   *     of which the state alone is read; not modified
   * @return with the settings of the one that was saved, not attached
   * @throws IOException if the file cannot be read, was cut short or changed, or has a version that
   *     this library cannot read; says which
   */
  public static LossBalancer restore(Path file) throws IOException {
    return new LossBalancer(read(file));
  }

  /**
   * Reads a file for a strategy with a facade of its own.
   *
   * @param file written by {@link #save}; not modified
   * @return the run
   * @throws IOException as for {@link #restore}
   */
  protected static SavedRun read(Path file) throws IOException {
    Arguments.given(file, "file", "must be a path that save(...) has written to");
    return SavedRun.read(ModelFile.readState(file));
  }

  /**
   * Writes a network, with its updater, and this, with its history, into one file that resumes
   * everything. It is the zip that Deeplearning4j's ModelSerializer writes, with two entries more,
   * and opens with it as well. The file is replaced at once, when all is on the disk.
   *
   * <p>Between steps only, as after {@code fit}; in a listener use {@link LossBalancerCheckpoint},
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
    HistoryView view = history().view();
    ModelFile.write(file, network, savedRun().toBytes(null), out -> HistoryBytes.write(view, out));
  }

  /**
   * The balancer in a model's file, with its history.
   *
   * <pre>{@code
   * ComputationGraph net = ModelSerializer.restoreComputationGraph(file.toFile(), true);
   * LossBalancer balancer = LossBalancer.restoreFromModel(file).attach(net);
   * }</pre>
   *
   * <p>Training then goes on bit for bit, but for what Deeplearning4j does not save: the state of
   * ND4J's random numbers (dropout, weight noise), the state of a truncated series, and where in
   * the data the iterator was.
   *
   * @param file written by {@link #writeModel} or {@link LossBalancerCheckpoint}; not modified
   * @return with the settings of the one that was saved, not attached
   * @throws IOException as for {@link #restore}, or if the file is a model without a balancer
   */
  public static LossBalancer restoreFromModel(Path file) throws IOException {
    LossBalancer balancer = new LossBalancer(readFromModel(file));
    balancer.readHistory(file);
    return balancer;
  }

  /**
   * Reads a model's file for a strategy with a facade of its own, which then calls {@link
   * #readHistory}.
   *
   * @param file written by {@link #writeModel} or {@link LossBalancerCheckpoint}; not modified
   * @return the run
   * @throws IOException as for {@link #restoreFromModel}
   */
  protected static SavedRun readFromModel(Path file) throws IOException {
    Arguments.given(file, "file", "must be a path that writeModel(...) has written to");
    return SavedRun.read(ModelFile.readState(file));
  }

  /**
   * Reads the history in a model's file.
   *
   * @param file as for {@link #readFromModel}
   * @throws IOException if the history cannot be read, or was changed
   */
  protected final void readHistory(Path file) throws IOException {
    Run<?> read = run;
    ModelFile.readHistory(
        file,
        in -> {
          HistoryBytes.read(in, read.recorder(), read.lastStep());
          return read;
        });
  }

  synchronized SavedRun savedRun() {
    return begun().saved(stepsUntilMeasured());
  }

  /**
   * Holds the loss weights where they are, from the next step on. Nothing is measured or recorded
   * meanwhile: a step costs what it does without balancing. (To watch the norms under constant
   * weights, balance with {@code FixedWeights}.)
   *
   * @throws IllegalStateException if never attached
   */
  public synchronized void freeze() {
    freeze(begun().state().lossWeights());
  }

  /**
   * Sets the loss weights to their mean over the last steps, and holds them there as {@link
   * #freeze()} does: the static weights of the GradNorm paper (section 5.3), for the rest of the
   * run. A mean that the strategy's settings do not allow is brought within them.
   *
   * @param lastSteps as for {@link #staticWeights(int)}
   * @return the weights
   * @throws IllegalArgumentException as for {@link #staticWeights(int)}
   * @throws IllegalStateException as for {@link #staticWeights(int)}
   */
  public synchronized StaticWeights freeze(int lastSteps) {
    StaticWeights mean = staticWeights(lastSteps);
    StaticWeights held = mean.with(run.nearestAllowed(mean.toArray()));
    freeze(held.toArray());
    log.info("loss weights frozen: {}", held);
    return held;
  }

  private void freeze(double[] weights) {
    run.freeze(weights, true);
    if (probe != null) {
      if (!isSameStep()) {
        probe.lossWeights(weights);
      }
      probe.pause();
    }
  }

  /**
   * Lets the loss weights move again, from where they are, after {@link #freeze()}.
   *
   * @throws IllegalStateException if never attached
   */
  public synchronized void unfreeze() {
    Run<?> current = begun();
    current.freeze(current.state().lossWeights(), false);
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
    return StaticWeights.ofLateSteps(history().view());
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
    return StaticWeights.of(history().view(), lastSteps);
  }

  /**
   * How often the update of the loss weights was skipped for a task, and why.
   *
   * @return by task name, with every cause; in the order of the tasks; unmodifiable
   * @throws IllegalStateException if never attached
   */
  public Map<String, Map<SkipCause, Integer>> skips() {
    Run<?> current = begun();
    List<SkipCounts> counts = current.state().skips();
    Map<String, Map<SkipCause, Integer>> byTask = new LinkedHashMap<>();
    for (int i = 0; i < counts.size(); i++) {
      byTask.put(current.taskNames().get(i), counts.get(i).byCause());
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
    Run<?> current = begun();
    return current.tasks().byName(current.state().lossWeights());
  }

  /**
   * The full record of the last step.
   *
   * @return empty before the first step
   */
  public Optional<BalancedStep> lastStep() {
    Run<?> current = run;
    return current == null ? Optional.empty() : Optional.ofNullable(current.lastStep());
  }

  /**
   * The record of the steps.
   *
   * @return a view, which grows as training goes on
   * @throws IllegalStateException if never attached
   */
  public History history() {
    return begun().recorder().history();
  }

  private Run<?> begun() {
    Run<?> current = run;
    if (current == null) {
      throw new IllegalStateException("not attached to a network yet. Call attach(...) first");
    }
    return current;
  }

  /** Settings, tasks with their loss weights, steps. */
  @Override
  public synchronized String toString() {
    if (run == null) {
      return String.format(
          Locale.ROOT,
          "%s[not attached yet, settings %s, %s]",
          weighting.name(),
          weighting.describe(),
          settings.describe());
    }
    return String.format(
        Locale.ROOT,
        "%s[loss weights %s after %d measured steps%s, %s, settings %s]",
        weighting.name(),
        lossWeights(),
        run.state().steps(),
        run.state().frozen() ? ", frozen" : "",
        probe == null ? "detached" : "attached",
        run.describe());
  }
}
