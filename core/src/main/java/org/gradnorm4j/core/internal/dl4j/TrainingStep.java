package org.gradnorm4j.core.internal.dl4j;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The training step that is under way on the attached graph, if any: the loss weights it uses and
 * what has been noted of it so far. One instance lives as long as the attachment and is reused by
 * every step.
 *
 * <p>Loss functions belong to the configuration, which DL4J shares freely: {@code clone()}, two
 * graphs built from one configuration object, {@code score(...)} on the attached graph itself. A
 * {@link WeightedLoss} met outside a step of <em>this</em> graph must therefore behave as the
 * user's own loss. A step is open only on the thread that runs it, from when the forward pass gets
 * to the shared layers until the last loss is known.
 */
public final class TrainingStep {
  private final double[] lossWeights;
  private final double[] lossSums;
  private final double[] labelCounts;
  private final double[] squaredNorms;
  private double[][] gram;
  private final BitSet recorded = new BitSet();
  private final Set<ReplayWorkspaces> usedWorkspaces = new HashSet<>();
  private volatile Thread thread;
  private long measuringNanos;
  private boolean measuring;
  private boolean measuringGram;
  private boolean sentBack;
  private boolean measured;
  private int only = ALL;
  private boolean combining;
  private boolean repeating;
  private long number;
  private double[] combination;
  private Supplier<double[]> decider;

  private static final int ALL = -1;

  public TrainingStep(int tasks) {
    lossWeights = new double[tasks];
    lossSums = new double[tasks];
    labelCounts = new double[tasks];
    squaredNorms = new double[tasks];
  }

  /**
   * Begins a step with the given loss weights; what an interrupted step left behind is dropped.
   *
   * @param measure whether the gradient norms of this step are wanted
   * @param combine whether the gradients get their weights in the middle of the step
   */
  public void open(double[] weights, boolean measure, boolean combine) {
    System.arraycopy(weights, 0, lossWeights, 0, weights.length);
    Arrays.fill(lossSums, Double.NaN);
    Arrays.fill(labelCounts, Double.NaN);
    Arrays.fill(squaredNorms, 0.0);
    measuringNanos = 0;
    measuring = measure;
    measuringGram = false;
    sentBack = false;
    measured = false;
    recorded.clear();
    only = ALL;
    combining = combine;
    number++;
    combination = null;
    thread = Thread.currentThread();
  }

  /** As above, with weights that are known beforehand. */
  public void open(double[] weights, boolean measure) {
    open(weights, measure, false);
  }

  /** Tells steps apart. */
  long number() {
    return number;
  }

  /** Where {@link #decide()} gets the weights. */
  void decidesBy(Supplier<double[]> weights) {
    decider = weights;
  }

  /** Whether a step is open whose gradients get their weights in the middle of it. */
  boolean isCombining() {
    return combining && isOpen();
  }

  /** Everything is measured: asks for the weights, if they are not known. */
  void decide() {
    if (combination == null) {
      combination = decider.get().clone();
    }
  }

  /** c_i; null while they are not known, or if the step does not combine. Not to be modified. */
  double[] combination() {
    return combination;
  }

  /** Whether they are known, and not all 1: then plain gradients will do. */
  boolean isCombined() {
    return combination != null && !Arrays.stream(combination).allMatch(c -> c == 1.0);
  }

  /** Measures the Gram matrix of the step that has just been opened, in the place of the norms. */
  public void measureGram() {
    if (gram == null) {
      gram = new double[squaredNorms.length][squaredNorms.length];
    }
    for (double[] row : gram) {
      Arrays.fill(row, 0.0);
    }
    measuringGram = true;
  }

  /** Whether {@link #gram} is measured, and {@link #squaredNorms} are not. */
  boolean isMeasuringGram() {
    return measuringGram;
  }

  /** The loss weights before the first step. */
  void lossWeights(double[] weights) {
    System.arraycopy(weights, 0, lossWeights, 0, weights.length);
  }

  int tasks() {
    return lossWeights.length;
  }

  public boolean isOpen() {
    return thread == Thread.currentThread();
  }

  /** The thread whose step is open, or was when an exception ended it; null if none. */
  Thread thread() {
    return thread;
  }

  /** Whether a step is open whose gradient norms are wanted. */
  boolean isMeasuring() {
    return measuring && isOpen();
  }

  /** Goes on without measuring. */
  void skipMeasuring() {
    measuring = false;
  }

  public void close() {
    thread = null;
  }

  /** Closes the step, if this thread has one open, while something runs that is not part of it. */
  void interruptedBy(Runnable other) {
    boolean wasOpen = isOpen();
    if (wasOpen) {
      close();
    }
    try {
      other.run();
    } finally {
      if (wasOpen) {
        thread = Thread.currentThread();
      }
    }
  }

  /** λ_i of the open step, or of the last one. */
  double lossWeight(int task) {
    return lossWeights[task];
  }

  /**
   * What a task's gradient counts at present: λ_i, or 0 while another task is replayed alone. Once
   * combined, a loss that is still asked stands at the shared layers itself: c_i.
   */
  double gradientWeight(int task) {
    if (only != ALL) {
      return only == task ? lossWeights[task] : 0.0;
    }
    return combination == null ? lossWeights[task] : combination[task];
  }

  /** Lets the losses send back the gradient of one task only, until {@link #replayAll}. */
  public void replayOnly(int task) {
    only = task;
  }

  void replayAll() {
    only = ALL;
  }

  boolean isReplaying() {
    return only != ALL;
  }

  /** Runs something that may replay a backward pass in this thread's {@link ReplayWorkspaces}. */
  void replaying(Runnable replay) {
    ReplayWorkspaces workspaces = ReplayWorkspaces.ofThisThread();
    synchronized (workspaces) {
      usedWorkspaces.add(workspaces);
      try {
        replay.run();
      } finally {
        workspaces.used(this);
      }
    }
  }

  /** Gives back what replays have taken; not while one is running. */
  void releaseWorkspaces() {
    usedWorkspaces.forEach(workspaces -> workspaces.release(this));
    usedWorkspaces.clear();
  }

  /**
   * Notes task i's loss, a sum over the minibatch as DL4J computes it.
   *
   * @param labels how many there are, without those the mask leaves out
   */
  void recordLossSum(int task, double lossSum, double labels) {
    noteLossSum(task, lossSum, labels);
    recorded.set(task);
  }

  /** Notes task i's loss ahead of the score that ends the step. */
  void noteLossSum(int task, double lossSum, double labels) {
    lossSums[task] = lossSum;
    labelCounts[task] = labels;
  }

  /** Runs a backward pass once more, in which losses send back what they do in the step. */
  void repeating(Runnable pass) {
    repeating = true;
    try {
      replaying(pass);
    } finally {
      repeating = false;
    }
  }

  boolean isRepeating() {
    return repeating;
  }

  /** Whether the loss of this many tasks has been noted. */
  boolean hasRecorded(int tasks) {
    return recorded.cardinality() == tasks;
  }

  /**
   * Where the squared norms of the weighted gradients, ‖∇_W Σ_x λ_i ℓ_i(x)‖², are added up over the
   * shared layers.
   */
  double[] squaredNorms() {
    return squaredNorms;
  }

  /** Where the inner products of the weighted gradients are added up, likewise. */
  double[][] gram() {
    return gram;
  }

  /** Notes time that a plain step would not have taken. */
  void addMeasuringNanos(long nanos) {
    measuringNanos += nanos;
  }

  long measuringNanos() {
    return measuringNanos;
  }

  /** Notes that a loss has sent back its gradient. */
  void sendsBack() {
    sentBack = true;
  }

  boolean hasSentBack() {
    return sentBack;
  }

  /** Notes that the backward pass has gone through all shared layers: this is a training step. */
  void measured() {
    measured = true;
  }

  boolean isMeasured() {
    return measured;
  }

  /** Copy of the step's loss weights. */
  double[] lossWeights() {
    return lossWeights.clone();
  }

  /** L_i, given what DL4J divides its gradients by. */
  public double[] losses(double divisor) {
    double[] losses = new double[lossSums.length];
    for (int i = 0; i < losses.length; i++) {
      losses[i] = lossSums[i] / divisor;
    }
    return losses;
  }

  /** The loss of each task as a mean over the labels that are there; NaN without any. */
  double[] lossesPerLabel() {
    double[] losses = new double[lossSums.length];
    for (int i = 0; i < losses.length; i++) {
      losses[i] = labelCounts[i] == 0.0 ? Double.NaN : lossSums[i] / labelCounts[i];
    }
    return losses;
  }

  /** Whether each task has labels in the minibatch that its mask does not leave out. */
  boolean[] present() {
    boolean[] present = new boolean[labelCounts.length];
    for (int i = 0; i < present.length; i++) {
      present[i] = labelCounts[i] != 0.0;
    }
    return present;
  }

  /** n_i = ‖∇_W L_i‖: the recorded norm without λ_i and without the sum over the minibatch. */
  double[] unweightedGradientNorms(double divisor) {
    double[] norms = new double[squaredNorms.length];
    for (int i = 0; i < norms.length; i++) {
      double squared = measuringGram ? gram[i][i] : squaredNorms[i];
      norms[i] = Math.sqrt(squared) / (Math.abs(lossWeights[i]) * divisor);
    }
    return norms;
  }

  /** ⟨∇_W L_i, ∇_W L_j⟩, likewise. */
  double[][] unweightedGram(double divisor) {
    double[][] unweighted = new double[gram.length][gram.length];
    for (int i = 0; i < gram.length; i++) {
      for (int j = 0; j <= i; j++) {
        unweighted[i][j] = gram[i][j] / (lossWeights[i] * divisor) / (lossWeights[j] * divisor);
        unweighted[j][i] = unweighted[i][j];
      }
    }
    return unweighted;
  }
}
