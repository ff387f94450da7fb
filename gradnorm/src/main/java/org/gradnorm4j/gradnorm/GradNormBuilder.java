package org.gradnorm4j.gradnorm;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** Settings of {@link GradNorm}, each with its default. */
public final class GradNormBuilder {
  private List<String> sharedLayers = List.of();
  private double alpha = 1.5;
  private IUpdater lossWeightUpdater = new Adam(0.025);
  private WeightUpdate weightUpdate = WeightUpdate.MULTIPLICATIVE;
  private int measureEvery = 1;
  private LossScale lossScale = LossScale.EXAMPLES;
  private NonFinitePolicy onNonFinite = NonFinitePolicy.SKIP;
  private double smoothing;
  private int warmUp;
  private TaskSettings everyTask = TaskSettings.NONE;
  private final Map<String, TaskSettings> tasks = new TreeMap<>();

  GradNormBuilder() {}

  /**
   * The layer, or the layers taken together, whose weights are W. Default: the last trainable layer
   * that all tasks depend on, normalization and PReLU aside; for the terms of one output, the
   * output layer itself.
   *
   * @param names of layers in the graph
   * @return this
   */
  public GradNormBuilder sharedLayer(String... names) {
    this.sharedLayers = List.of(names);
    return this;
  }

  /**
   * The strength &alpha; of the force that brings tasks back to a common training rate. 0 makes all
   * gradient norms equal; larger values suit tasks of different complexity. The paper uses 1.5 for
   * NYUv2 and 0.12 for its toy of like tasks. Default: 1.5.
   *
   * @param alpha finite and &ge; 0
   * @return this
   * @throws IllegalArgumentException if negative, infinite or NaN
   */
  public GradNormBuilder alpha(double alpha) {
    check(alpha >= 0.0 && Double.isFinite(alpha), "alpha", alpha, "must be >= 0 and finite");
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
  public GradNormBuilder lossWeightUpdater(IUpdater lossWeightUpdater) {
    this.lossWeightUpdater = lossWeightUpdater.clone();
    return this;
  }

  /**
   * How the optimiser's step moves the weights. Default: {@link WeightUpdate#MULTIPLICATIVE}.
   *
   * @param weightUpdate the rule
   * @return this
   */
  public GradNormBuilder weightUpdate(WeightUpdate weightUpdate) {
    this.weightUpdate = Objects.requireNonNull(weightUpdate, "weightUpdate");
    return this;
  }

  /**
   * Measures, and moves the weights, in the first of every so many training steps only. The steps
   * between cost nothing, keep the weights, and are not in the history. Default: 1, every step.
   *
   * <p><b>Note:</b> the paper measures every step. The weights then move as many times more slowly;
   * a larger learning rate for them makes up for it.
   *
   * @param steps from one measured step to the next, &ge; 1
   * @return this
   * @throws IllegalArgumentException if less than 1
   */
  public GradNormBuilder measureEvery(int steps) {
    check(steps >= 1, "measureEvery", steps, "must be >= 1");
    measureEvery = steps;
    return this;
  }

  /**
   * Where the initial losses L<sub>i</sub>(0) come from, for tasks that have no other. Default:
   * {@link InitialLoss#first()}.
   *
   * @param source first loss, mean of the first losses, log C, or given
   * @return this
   */
  public GradNormBuilder initialLoss(InitialLoss source) {
    everyTask = everyTask.withInitialLoss(source);
    return this;
  }

  /**
   * Where the initial loss of one task comes from.
   *
   * @param task name of the task
   * @param source as for {@link #initialLoss(InitialLoss)}
   * @return this
   */
  public GradNormBuilder initialLoss(String task, InitialLoss source) {
    return set(task, settings -> settings.withInitialLoss(source));
  }

  /**
   * Adds a constant to a task's losses wherever GradNorm compares them: for losses that can be
   * negative, such as log-likelihoods of densities. Neither what the network trains on nor what is
   * recorded changes. Default: none; a negative loss then ends the fit with an error.
   *
   * @param task name of the task
   * @param shift added to L<sub>i</sub> and L<sub>i</sub>(0), finite; the sums must not be negative
   * @return this
   * @throws IllegalArgumentException if infinite or NaN
   */
  public GradNormBuilder lossShift(String task, double shift) {
    return set(task, settings -> settings.withLossShift(shift));
  }

  /**
   * The least that a task's losses count as, after their shift, wherever GradNorm compares them:
   * for losses that begin, or end, at zero. Default: none; an initial loss under 1e-30 then ends
   * the fit with an error.
   *
   * @param task name of the task
   * @param floor &ge; 1e-30 and finite
   * @return this
   * @throws IllegalArgumentException if out of range
   */
  public GradNormBuilder lossFloor(String task, double floor) {
    return set(task, settings -> settings.withLossFloor(floor));
  }

  /**
   * Whether the losses that are compared are per example or per present label. Default: {@link
   * LossScale#EXAMPLES}.
   *
   * @param scale what a loss is a mean over
   * @return this
   */
  public GradNormBuilder lossScale(LossScale scale) {
    lossScale = Objects.requireNonNull(scale, "lossScale");
    return this;
  }

  /**
   * Keeps every loss weight between two bounds. What the bounds take from one weight the others
   * share in proportion, so that the sum stays. Default: none.
   *
   * @param min the least of &lambda;<sub>i</sub>, &gt; 0
   * @param max the largest, &ge; min; may be infinite
   * @return this
   * @throws IllegalArgumentException if out of range. Whether the weights can sum to T within all
   *     limits and pins is checked when the number of tasks is known, by {@code attach}
   */
  public GradNormBuilder weightLimits(double min, double max) {
    everyTask = everyTask.withLimits(min, max);
    return this;
  }

  /**
   * Keeps the weight of one task between two bounds.
   *
   * @param task name of the task
   * @param min as for {@link #weightLimits(double, double)}
   * @param max as for {@link #weightLimits(double, double)}
   * @return this
   * @throws IllegalArgumentException as for {@link #weightLimits(double, double)}
   */
  public GradNormBuilder weightLimits(String task, double min, double max) {
    return set(task, settings -> settings.withLimits(min, max));
  }

  /**
   * Holds the weight of a task. It is measured, and counts in the mean norm and training rate, but
   * only the others move. With all tasks pinned the weights are static, whatever their sum.
   *
   * @param task name of the task
   * @param lossWeight &lambda;<sub>i</sub>, &gt; 0 and finite; goes before any limits
   * @return this
   * @throws IllegalArgumentException if out of range
   */
  public GradNormBuilder pin(String task, double lossWeight) {
    return set(task, settings -> settings.withPin(lossWeight));
  }

  /**
   * The target norm of a task in relation to the others', at equal training rates: with priors 2
   * and 1 the first task's gradient is to be twice as large. Only their ratios count. Default: 1.
   *
   * <p><b>Note:</b> the paper has no priors: all are 1.
   *
   * @param task name of the task
   * @param prior p<sub>i</sub>, &gt; 0 and finite
   * @return this
   * @throws IllegalArgumentException if out of range
   */
  public GradNormBuilder prior(String task, double prior) {
    return set(task, settings -> settings.withPrior(prior));
  }

  /**
   * Smooths losses and norms by an exponential moving average x&#772; &larr; &beta; x&#772; + (1
   * &minus; &beta;) x, without the bias of its start, before they are compared: for small, noisy
   * minibatches. Default: 0, none.
   *
   * <p><b>Note:</b> the paper does not smooth.
   *
   * @param beta &beta;, at least 0 and less than 1; 0.9 averages over some 10 steps
   * @return this
   * @throws IllegalArgumentException if out of range
   */
  public GradNormBuilder smoothing(double beta) {
    check(beta >= 0.0 && beta < 1.0, "smoothing", beta, "must be >= 0 and < 1");
    smoothing = beta;
    return this;
  }

  /**
   * Holds the weights in the first measured steps; everything else is as in the others. Default: 0.
   *
   * @param steps before the weights move, &ge; 0
   * @return this
   * @throws IllegalArgumentException if negative
   */
  public GradNormBuilder warmUp(int steps) {
    check(steps >= 0, "warmUp", steps, "must be >= 0");
    warmUp = steps;
    return this;
  }

  /**
   * What to do about NaN and infinity. Default: {@link NonFinitePolicy#SKIP}.
   *
   * @param policy leave the weights alone, or end the fit
   * @return this
   */
  public GradNormBuilder onNonFinite(NonFinitePolicy policy) {
    onNonFinite = Objects.requireNonNull(policy, "onNonFinite");
    return this;
  }

  /** As it was saved. */
  void everyTask(TaskSettings settings) {
    everyTask = settings;
  }

  /** As it was saved; false if the task has settings already. */
  boolean task(String task, TaskSettings settings) {
    return tasks.put(task, settings) == null;
  }

  private GradNormBuilder set(String task, UnaryOperator<TaskSettings> change) {
    Objects.requireNonNull(task, "task");
    tasks.put(task, change.apply(tasks.getOrDefault(task, TaskSettings.NONE)));
    return this;
  }

  private static void check(boolean holds, String subject, Object value, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(subject + " (" + value + ") " + rule);
    }
  }

  GradNormSettings settings() {
    return new GradNormSettings(
        sharedLayers,
        alpha,
        weightUpdate,
        lossWeightUpdater,
        measureEvery,
        lossScale,
        onNonFinite,
        smoothing,
        warmUp,
        everyTask,
        tasks);
  }

  /**
   * Builds.
   *
   * @return a GradNorm with these settings, attached to nothing
   * @throws IllegalArgumentException if ND4J cannot run the updater of the loss weights
   */
  public GradNorm build() {
    return new GradNorm(settings());
  }
}
