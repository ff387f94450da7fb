package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.gradnorm4j.balancer.BalancerSettings;
import org.gradnorm4j.balancer.NonFinitePolicy;
import org.gradnorm4j.history.HistoryLimit;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.weighting.Arguments;
import org.nd4j.linalg.learning.config.IUpdater;

/** Settings of {@link GradNorm}, each with its default. */
public final class GradNormBuilder {
  private BalancerSettings balancer = BalancerSettings.DEFAULT;
  private double alpha = 1.5;
  private WeightOptimizer lossWeightUpdater = WeightOptimizer.adam(0.025);
  private WeightUpdate weightUpdate = WeightUpdate.MULTIPLICATIVE;
  private LossScale lossScale = LossScale.EXAMPLES;
  private double smoothing;
  private int warmUp;
  private int taskWindow;
  private TaskSettings everyTask = TaskSettings.NONE;
  private final Map<String, TaskSettings> tasks = new TreeMap<>();

  GradNormBuilder() {}

  /** With settings as they are, to be changed. */
  GradNormBuilder(GradNormSettings settings, BalancerSettings balancer) {
    this.balancer = balancer;
    alpha = settings.alpha();
    lossWeightUpdater = settings.lossWeightUpdater();
    weightUpdate = settings.weightUpdate();
    lossScale = settings.lossScale();
    smoothing = settings.smoothing();
    warmUp = settings.warmUp();
    taskWindow = settings.taskWindow();
    everyTask = settings.everyTask();
    tasks.putAll(settings.tasks());
  }

  /**
   * The layer, or the layers taken together, whose weights are W. Default: the last trainable layer
   * that all tasks depend on, normalization and PReLU aside; for the terms of one output, the
   * output layer itself.
   *
   * @param names of layers in the graph; none for the default
   * @return this
   * @throws IllegalArgumentException if a name is null or blank
   */
  public GradNormBuilder sharedLayer(String... names) {
    balancer = balancer.withSharedLayers(names);
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
    Arguments.notNegative(alpha, "alpha");
    this.alpha = alpha;
    return this;
  }

  /**
   * The optimiser of the loss weights, with its learning rate or schedule. Default: {@code
   * Adam(0.025)}, the paper's. {@code Sgd(0.0)} leaves the weights as they are and only measures.
   *
   * <p><b>Note:</b> no more than a bound is taken of a step, so that no updater throws the weights
   * far in one: log 2 of a step of log &lambda;<sub>i</sub>, half of the mean weight of one of
   * &lambda;<sub>i</sub> ({@link WeightUpdate#ADDITIVE}). With what the sum then asks for, a step
   * changes a weight by a factor of 4 at most, or by half of &Sigma; &lambda;. Adam's steps are
   * within it up to a learning rate of 0.2, or 0.15. That a step was cut is logged once.
   *
   * @param lossWeightUpdater any ND4J updater; copied
   * @return this
   * @throws IllegalArgumentException if null, or ND4J cannot run it
   */
  public GradNormBuilder lossWeightUpdater(IUpdater lossWeightUpdater) {
    this.lossWeightUpdater =
        WeightOptimizer.of(
            Arguments.given(
                lossWeightUpdater,
                "lossWeightUpdater",
                "must be an updater, such as Adam. Sgd(0.0) leaves the weights as they are"));
    return this;
  }

  /**
   * How the optimiser's step moves the weights. Default: {@link WeightUpdate#MULTIPLICATIVE}.
   *
   * @param weightUpdate the rule
   * @return this
   * @throws IllegalArgumentException if null
   */
  public GradNormBuilder weightUpdate(WeightUpdate weightUpdate) {
    this.weightUpdate = chosen(weightUpdate, "weightUpdate", WeightUpdate.values());
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
    balancer = balancer.withMeasureEvery(steps);
    return this;
  }

  /**
   * Where the initial losses L<sub>i</sub>(0) come from, for tasks that have no other. Default:
   * {@link InitialLoss#first()}.
   *
   * @param source first loss, mean of the first losses, log C, or given
   * @return this
   * @throws IllegalArgumentException if null
   */
  public GradNormBuilder initialLoss(InitialLoss source) {
    everyTask = everyTask.withInitialLoss(checked(source).source());
    return this;
  }

  /**
   * Where the initial loss of one task comes from.
   *
   * @param task name of the task
   * @param source as for {@link #initialLoss(InitialLoss)}
   * @return this
   * @throws IllegalArgumentException if null, or the task is null or blank
   */
  public GradNormBuilder initialLoss(String task, InitialLoss source) {
    return set(task, settings -> settings.withInitialLoss(checked(source).source()));
  }

  private static InitialLoss checked(InitialLoss source) {
    return Arguments.given(source, "initialLoss", "must be a source, such as InitialLoss.first()");
  }

  /**
   * Adds a constant to a task's losses wherever GradNorm compares them: for losses that can be
   * negative, such as log-likelihoods of densities. Neither what the network trains on nor what is
   * recorded changes. Default: none; a negative loss then ends the fit with an error.
   *
   * @param task name of the task
   * @param shift added to L<sub>i</sub> and L<sub>i</sub>(0), finite; the sums must not be negative
   * @return this
   * @throws IllegalArgumentException if infinite or NaN, or the task is null or blank
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
   * @throws IllegalArgumentException if out of range, or the task is null or blank
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
   * @throws IllegalArgumentException if null
   */
  public GradNormBuilder lossScale(LossScale scale) {
    lossScale = chosen(scale, "lossScale", LossScale.values());
    return this;
  }

  /**
   * The loss weights to begin with, such as a ratio found by hand. Default: as the network has them
   * configured, 1 for a plain output. Tasks that are not named begin by default.
   *
   * <p><b>Note:</b> the sum of the weights stays what it is at the start. Weights that sum to T are
   * those of the paper; a larger sum acts as a larger learning rate of the network.
   *
   * @param lossWeights &lambda;<sub>i</sub> by name of the task, &gt; 0 and finite; copied
   * @return this
   * @throws IllegalArgumentException if null or out of range, or a task is null or blank. Whether
   *     they are within their limits is checked by {@code attach}
   */
  public GradNormBuilder initialLossWeights(Map<String, Double> lossWeights) {
    String rule = "must have a weight for each task that it names";
    Arguments.given(lossWeights, "initialLossWeights", rule)
        .forEach(
            (task, weight) -> {
              double given = Arguments.given(weight, "initialLossWeights of '" + task + "'", rule);
              set(task, settings -> settings.withInitialLossWeight(given));
            });
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
   * @throws IllegalArgumentException if out of range, or the task is null or blank
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
   * @throws IllegalArgumentException if out of range, or the task is null or blank
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
    Arguments.check(beta >= 0.0 && beta < 1.0, "smoothing", beta, "must be >= 0 and < 1");
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
    Arguments.check(steps >= 0, "warmUp", steps, "must be >= 0");
    warmUp = steps;
    return this;
  }

  /**
   * How far apart tasks are compared: a task without labels in a minibatch counts with the loss and
   * norm of the last measured step that had some, if that is one of so many last steps, this one
   * included. So minibatches may have labels of one task only. A task that was not seen for longer
   * keeps its weight, and is left out until it comes back. Default: 100 steps, or 10 for each task
   * if that is more.
   *
   * <p><b>Note:</b> the paper knows no absent tasks.
   *
   * @param steps measured ones, &ge; 1; with 1 only tasks of the same minibatch are compared
   * @return this
   * @throws IllegalArgumentException if less than 1
   */
  public GradNormBuilder taskWindow(int steps) {
    Arguments.check(steps >= 1, "taskWindow", steps, "must be >= 1");
    taskWindow = steps;
    return this;
  }

  /**
   * What to do about NaN and infinity. Default: {@link NonFinitePolicy#SKIP}.
   *
   * @param policy leave the weights alone, or end the fit
   * @return this
   * @throws IllegalArgumentException if null
   */
  public GradNormBuilder onNonFinite(NonFinitePolicy policy) {
    balancer = balancer.withOnNonFinite(policy);
    return this;
  }

  /**
   * How much of the history is kept in memory. Default: {@link HistoryLimit#byDefault()}.
   *
   * @param limit {@code History.all()}, {@code History.lastSteps(n)} or {@code History.none()}
   * @return this
   * @throws IllegalArgumentException if null
   */
  public GradNormBuilder history(HistoryLimit limit) {
    balancer = balancer.withHistory(limit);
    return this;
  }

  private GradNormBuilder set(String task, UnaryOperator<TaskSettings> change) {
    Arguments.name(task, "task", "must be the name of a task: an output, a term, or a penalty");
    tasks.put(task, change.apply(tasks.getOrDefault(task, TaskSettings.NONE)));
    return this;
  }

  private static <E extends Enum<E>> E chosen(E value, String subject, E[] choices) {
    return Arguments.given(value, subject, "must be one of " + Arrays.toString(choices));
  }

  GradNormWeighting weighting() {
    return new GradNormWeighting(
        new GradNormSettings(
            alpha,
            weightUpdate,
            lossWeightUpdater,
            lossScale,
            smoothing,
            warmUp,
            taskWindow,
            everyTask,
            tasks));
  }

  BalancerSettings balancer() {
    return balancer;
  }

  /**
   * Builds.
   *
   * @return a GradNorm with these settings, attached to nothing
   */
  public GradNorm build() {
    return new GradNorm(weighting().settings(), balancer);
  }
}
