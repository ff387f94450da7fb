package org.gradnorm4j.core.internal.dl4j;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.Combiner;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.core.internal.kernel.DenseNormKernel;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One network under measurement: what is put into it, and the steps it makes.
 *
 * <p>Steps are made by the thread that calls {@code fit}, detaching may be asked for by any: a step
 * that is under way on another thread then ends as it began, and the network is plain with the
 * next. {@link #boundary} is held where a step begins, where it ends, and while stand-ins are taken
 * out; never while anybody else's code runs.
 */
public final class MeasuredNetwork implements WeightedLoss.Calls {

  /** Sets the loss weights and gets the measurements. */
  public interface Owner {
    /** λ_i of the step that begins. */
    double[] lossWeights();

    /** Whether the step that begins is to be measured. */
    boolean isMeasuring();

    /** Whether the Gram matrix of the gradients is wanted as well; see {@link #checkGram}. */
    default boolean wantsGram() {
      return false;
    }

    /** Whether it belongs to a worker whose fellows are measured as well. */
    default boolean isWorker() {
      return false;
    }

    /** Whose weights the step that begins combines the gradients with; null for nobody's. */
    default Combiner combiner() {
      return null;
    }

    /** A step has ended, but for the update of the parameters; its measurement, or null. */
    void trained(StepMeasurement measurement);
  }

  private static final Logger log = LoggerFactory.getLogger(MeasuredNetwork.class);

  private final Model network;
  private final TaskGraph graph;
  private final List<String> sharedLayers;
  private final SharedPenalties penalties;
  private final TrainingStep step;
  private volatile Attachment attachment;
  private final WeightedLosses losses;
  private final Heads heads;
  private final DenseNormKernel.Method method;
  private final Object boundary = new Object();
  private volatile Owner owner;
  private Owner ownOwner;
  private volatile Tasks tasks;
  private Combiner combiner;
  private boolean attached;
  private boolean installed;
  private boolean toldOfBypass;
  private long lastThread;
  private volatile Thread plainOn;

  /** Reads and checks; the network is not touched yet. */
  private MeasuredNetwork(
      Model network,
      TaskGraph graph,
      List<String> sharedLayerNames,
      DenseNormKernel.Method method,
      BiFunction<SharedZone, MeasuredNetwork, Attachment> attachment) {
    this.network = network;
    this.graph = graph;
    this.method = method;
    graph.checkSeveralTasks();
    checkNotAttached();
    List<GraphVertex> shared = SharedLayers.of(graph, sharedLayerNames);
    sharedLayers = shared.stream().map(GraphVertex::getVertexName).toList();
    penalties = new SharedPenalties(graph.tasks(), shared);
    checkLossWeights(configuredLossWeights());
    step = new TrainingStep(graph.tasks().count());
    step.decidesBy(this::decide);
    losses = new WeightedLosses(graph, step);
    heads = new Heads(graph, shared);
    this.attachment = attachment.apply(new SharedZone(graph, shared, method, step), this);
  }

  /**
   * Attaches to a graph or a MultiLayerNetwork; waits for a fit of it on another thread to end.
   *
   * @param sharedLayers names of the layers, empty for the default
   */
  public static MeasuredNetwork attach(
      Model network, List<String> sharedLayers, DenseNormKernel.Method method, Owner owner) {
    synchronized (network) { // as fit(...) does
      MeasuredNetwork measured =
          network instanceof ComputationGraph graph
              ? ofGraph(graph, sharedLayers, method)
              : ofNetwork((MultiLayerNetwork) network, sharedLayers, method);
      measured.install(owner);
      return measured;
    }
  }

  private static MeasuredNetwork ofGraph(
      ComputationGraph graph, List<String> sharedLayers, DenseNormKernel.Method method) {
    TaskGraph tasks = TaskGraph.of(graph);
    List<GraphVertex> outputs = tasks.outputs().stream().map(tasks::vertex).toList();
    return new MeasuredNetwork(
        graph,
        tasks,
        sharedLayers,
        method,
        (zone, measured) ->
            new GraphAttachment(graph, outputs, zone, measured.step, measured.new Events()));
  }

  private static MeasuredNetwork ofNetwork(
      MultiLayerNetwork network, List<String> sharedLayers, DenseNormKernel.Method method) {
    return new MeasuredNetwork(
        network,
        TaskGraph.of(network),
        sharedLayers,
        method,
        (zone, measured) ->
            new NetworkAttachment(network, zone, measured.step, measured.new Events()));
  }

  /** What is attached to a network, if anything is; of any network, also one that cannot be. */
  public static Optional<MeasuredNetwork> of(Model network) {
    return WeightedLosses.in(network)
        .map(WeightedLoss::calls)
        .filter(MeasuredNetwork.class::isInstance)
        .map(MeasuredNetwork.class::cast)
        .filter(measured -> measured.network == network && measured.isAttached())
        .findFirst();
  }

  /** Attaches to a copy of this network in the same way. */
  public MeasuredNetwork attachCopy(Model copy, Owner ownerOfCopy) {
    return attach(copy, sharedLayers, method, ownerOfCopy);
  }

  /** Has the steps of a call belong to somebody else. */
  public void lendTo(Owner other, Runnable fit) {
    owner = other;
    try {
      fit.run();
    } finally {
      owner = ownOwner;
    }
  }

  /** Whose the steps are while none are lent. */
  public Owner owner() {
    return ownOwner;
  }

  private void install(Owner firstOwner) {
    if (firstOwner.wantsGram()) {
      checkGram();
    }
    ownOwner = firstOwner;
    owner = firstOwner;
    attachment.install();
    losses.install(this, this::isPlainHere);
    step.lossWeights(configuredLossWeights());
    installed = true;
    attached = true;
  }

  public List<String> taskNames() {
    return graph.tasks().names();
  }

  public List<String> sharedLayers() {
    return sharedLayers;
  }

  /** λ_i as configured: 1 for a plain output. */
  public double[] configuredLossWeights() {
    return graph.tasks().weights();
  }

  /** See {@code GradientNormProbe.lossWeights(double...)}. */
  public void checkLossWeights(double[] lossWeights) {
    graph.tasks().checkLossWeights(lossWeights);
  }

  /**
   * Checks that every task has a gradient that comes back from an output.
   *
   * @throws IllegalArgumentException if one is a penalty; names it
   */
  public void checkGram() {
    if (!graph.tasks().penalties().isEmpty()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "penalty '%s' has no place in a Gram matrix: its gradient is not measured with those of the losses. Use Deeplearning4j's own l1 or l2 in its place, or what needs norms only",
              graph.tasks().penalties().get(0).name()));
    }
  }

  /** See {@code GradientNormProbe.measuringNanos()}. */
  public long measuringNanos() {
    return step.measuringNanos();
  }

  /** The tasks, as the network is configured. */
  public Tasks tasks() {
    Tasks known = tasks;
    if (known == null) { // the layers are not there yet when this is made
      known = Tasks.of(taskNames(), configuredLossWeights(), losses.uninformed());
      tasks = known;
    }
    return known;
  }

  @Override
  public boolean isOwnGradient(INDArray labels) {
    Attachment current = attachment;
    try {
      return current != null && !isPlainHere() && current.isOwnGradient(labels);
    } catch (RuntimeException e) {
      failed();
      throw e;
    }
  }

  @Override
  public boolean isOwnScore(INDArray labels) {
    Attachment current = attachment;
    return current != null && !isPlainHere() && current.isOwnScore(labels);
  }

  /** See {@code GradientNormProbe.notAStep}. */
  public void notAStep(Runnable work) {
    synchronized (network) { // as fit(...) does
      Thread before = plainOn;
      plainOn = Thread.currentThread();
      try {
        step.interruptedBy(work);
      } finally {
        synchronized (boundary) {
          plainOn = before;
          if (!attached && !step.isOpen()) {
            takeOut();
          }
        }
      }
    }
  }

  private boolean isPlainHere() {
    return plainOn != null && plainOn == Thread.currentThread();
  }

  @Override
  public void failed() {
    step.close();
  }

  @Override
  public void lossNoted() {
    Attachment current = attachment;
    if (current != null) {
      current.lossNoted();
    }
  }

  @Override
  public void scored() {
    if (!step.hasRecorded(graph.tasks().countOfOutputs())) {
      return;
    }
    StepMeasurement measurement = null;
    Owner told;
    try {
      attachment.scored();
      if (combiner != null && combiner.weightsHeads() && step.combination() != null) {
        heads.scale(step.combination());
      }
      measurement = step.isMeasuring() ? measurement() : null;
    } finally {
      synchronized (boundary) {
        step.close();
        told = attached ? owner : null;
        if (!attached) {
          takeOut();
        }
      }
    }
    if (told != null) {
      told.trained(measurement);
    }
  }

  /** A step's beginning, and what leads to its end, as the network passes them on. */
  private final class Events implements Attachment.StepEvents {
    @Override
    public void begin() {
      if (isPlainHere()) {
        return;
      }
      synchronized (boundary) {
        if (attached) {
          checkThread();
          combiner = owner.combiner();
          step.open(
              combiner == null ? owner.lossWeights() : ones(),
              owner.isMeasuring(),
              combiner != null);
          if (step.isMeasuring() && owner.wantsGram()) {
            step.measureGram();
          }
        } else {
          takeOut();
        }
      }
    }

    @Override
    public void measured() {
      if (step.isOpen()) {
        step.measured();
      }
    }

    @Override
    public void abandon() {
      step.close();
    }

    @Override
    public void bypassed() {
      if (!toldOfBypass) {
        toldOfBypass = true;
        log.warn(
            "shared layer {} gets no gradient any more: it, or a layer behind it, was frozen or replaced after attaching. The losses keep their weights, and nothing is measured. Detach, and attach to a layer that trains",
            sharedLayers);
      }
    }
  }

  /** The copies that ParallelWrapper's other workers train would have plain losses. */
  private void checkThread() {
    long thread = Thread.currentThread().getId();
    if (thread == lastThread) {
      return;
    }
    if (!owner.isWorker() && WorkerThread.isCurrent()) {
      throw new IllegalStateException(
          "this network is attached, and a ParallelWrapper trains it: the copies of its other workers would be neither measured nor weighted. Call org.gradnorm4j.core.parallel.ParallelTraining.attach(wrapper) before wrapper.fit(...), or detach");
    }
    lastThread = thread;
  }

  /** Asks for the network back as it was. A second call does nothing. */
  public void detach() {
    synchronized (boundary) {
      attached = false;
      if (!isUnderWayElsewhere()) {
        takeOut();
      }
    }
  }

  public boolean isAttached() {
    synchronized (boundary) {
      return attached;
    }
  }

  /**
   * An exception leaves a step open for good; only on a thread that is inside of a network it can
   * still go on.
   */
  private boolean isUnderWayElsewhere() {
    Thread thread = plainOn == null ? step.thread() : plainOn;
    return thread != null
        && thread != Thread.currentThread()
        && Arrays.stream(thread.getStackTrace())
            .anyMatch(frame -> frame.getClassName().startsWith("org.deeplearning4j.nn."));
  }

  private void takeOut() {
    if (!installed) {
      return;
    }
    installed = false;
    step.close();
    attachment.remove();
    attachment = null; // and with it what the kernels keep
    losses.remove();
    step.releaseWorkspaces();
  }

  private StepMeasurement measurement() {
    double divisor = attachment.isMiniBatch() ? graph.batchSize() : 1.0;
    double[] taskLosses = step.losses(divisor);
    double[] lossesPerLabel = step.lossesPerLabel();
    boolean[] present = step.present();
    double[] gradientNorms = step.unweightedGradientNorms(divisor);
    penalties.measure(taskLosses, gradientNorms);
    for (int task = graph.tasks().countOfOutputs(); task < present.length; task++) {
      lossesPerLabel[task] = taskLosses[task];
      present[task] = true;
    }
    StepMeasurement.Builder measurement = StepMeasurement.of(tasks());
    if (step.isMeasuringGram()) {
      measurement.gram(step.unweightedGram(divisor));
    }
    return measurement
        .at(attachment.iteration(), attachment.epoch())
        .batchSize(graph.batchSize())
        .present(present)
        .losses(taskLosses)
        .lossesPerLabel(lossesPerLabel)
        .gradientNorms(gradientNorms)
        .lossWeights(step.combination() == null ? step.lossWeights() : step.combination())
        .build();
  }

  private double[] ones() {
    double[] ones = new double[graph.tasks().count()];
    Arrays.fill(ones, 1.0);
    return ones;
  }

  /** The weights of the step that is under way, everything else of it being measured. */
  private double[] decide() {
    double[] weights = step.isMeasuring() ? combiner.combine(measurement()) : combiner.held();
    if (weights.length != graph.tasks().count()
        || !Arrays.stream(weights).allMatch(Double::isFinite)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "the gradients of %s cannot be combined with the weights %s: one finite weight for each task is needed",
              taskNames(),
              Arrays.toString(weights)));
    }
    return weights;
  }

  /**
   * Checks that gradients can be combined within a step.
   *
   * @throws IllegalArgumentException if a gradient would get past; names the layer and the remedy
   */
  public void checkCombinable() {
    heads.checkCombinable();
  }

  private void checkNotAttached() {
    for (int output = 0; output < graph.losses().size(); output++) {
      if (WeightedLosses.installed(graph.losses().get(output))
          .anyMatch(loss -> !(loss.calls() instanceof MeasuredNetwork other && other.isGone()))) {
        throw new IllegalStateException(
            "output '"
                + graph.outputs().get(output)
                + "' is attached already, to this graph or to one built from the same configuration"
                + " object. Detach that one first, or build this graph from configuration.clone()");
      }
    }
  }

  /** Whether nobody is attached any more; what an interrupted step has left is then taken out. */
  private boolean isGone() {
    synchronized (boundary) {
      if (!attached) {
        takeOut();
      }
      return !attached;
    }
  }
}
