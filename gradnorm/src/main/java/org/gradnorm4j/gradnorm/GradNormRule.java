package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.math3.util.FastMath;
import org.gradnorm4j.core.StepMeasurement;

/**
 * The update rule of GradNorm (Chen et al., ICML 2018, section 3 and Algorithm 1) as a pure
 * function: state and measurement in, state and record out, on plain doubles.
 *
 * <pre>
 *   G_i      = ‖∇_W λ_i L_i‖ = |λ_i| n_i        weighted gradient norm, n_i as measured
 *   Ḡ        = 1/T Σ G_i                        mean gradient norm
 *   L̃_i      = L_i / L_i(0)                     loss ratio: inverse training rate
 *   r_i      = L̃_i / (1/T Σ L̃_j)                relative inverse training rate
 *   L_grad   = Σ |G_i − Ḡ p_i r_i^α|            Eq. 2; the target Ḡ p_i r_i^α is held constant
 *   ∂L_grad/∂λ_i = sign(G_i − Ḡ p_i r_i^α) n_i  for λ_i > 0
 * </pre>
 *
 * One step of the weights' optimiser on that gradient, then renormalisation to the Σ λ_i of the
 * start: T, if all weights are 1. The priors p_i are ours, with a mean of 1; all are 1 by default.
 *
 * <p>The sums run over the tasks that can be balanced in this step: those with labels in the
 * minibatch and a gradient that is not exactly zero, which no weight could bring anywhere. Nothing
 * that is remembered of the others changes, and those that move share what the others leave of Σ λ.
 *
 * <p>No NaN or infinity gets past here: a step that measured one, or that the optimiser makes one
 * of, leaves the weights alone.
 */
final class GradNormRule {
  /**
   * The smallest share of Σ λ a weight is allowed in a multiplicative update. Far below anything
   * that matters to training, far above what a float gradient can no longer hold.
   */
  static final double MIN_SHARE = 1e-12;

  private final List<String> taskNames;
  private final double alpha;
  private final WeightUpdate weightUpdate;
  private final TaskwiseOptimizer optimizer;
  private final LossReading reading;
  private final InitialLosses initialLosses;
  private final Smoothing smoothing;
  private final WeightLimits limits;
  private final double[] priors;
  private final int warmUp;

  /**
   * For the tasks of a network.
   *
   * @param totalWeight Σ λ
   * @param uninformed as {@code GradientNormProbe.uninformedLosses()} has them
   * @throws IllegalArgumentException if the settings do not fit the tasks; names task and remedy
   */
  GradNormRule(
      GradNormSettings settings,
      WeightOptimizer optimizer,
      List<String> taskNames,
      double totalWeight,
      double[] uninformed) {
    List<TaskSettings> tasks = settings.of(taskNames);
    this.taskNames = taskNames;
    this.optimizer = new TaskwiseOptimizer(optimizer);
    alpha = settings.alpha();
    weightUpdate = settings.weightUpdate();
    reading = LossReading.of(settings.lossScale(), tasks, uninformed);
    initialLosses =
        new InitialLosses(
            taskNames, tasks.stream().map(TaskSettings::initialLossOrFirst).toList(), uninformed);
    smoothing = new Smoothing(settings.smoothing());
    limits =
        WeightLimits.of(
            tasks,
            totalWeight,
            weightUpdate == WeightUpdate.MULTIPLICATIVE ? MIN_SHARE : Double.NEGATIVE_INFINITY);
    priors = tasks.stream().mapToDouble(TaskSettings::priorOrOne).toArray();
    warmUp = settings.warmUp();
  }

  /** The state to start from, nothing seen yet. */
  GradNormState init(double[] lossWeights) {
    int tasks = lossWeights.length;
    return new GradNormState(
        0,
        limits.start(lossWeights),
        limits.total(),
        false,
        new int[tasks],
        optimizer.init(tasks),
        initialLosses.init(),
        Tally.empty(tasks),
        Tally.empty(tasks),
        new int[tasks][SkipCause.values().length]);
  }

  /** The state after a step, and the record of it. */
  record Update(GradNormState state, GradNormStep step) {}

  /**
   * Takes one training step's measurement.
   *
   * @throws IllegalStateException if a loss is negative, an initial loss not positive, or additive
   *     weights have no positive sum: names the task and the remedy
   */
  Update update(GradNormState state, StepMeasurement measurement) {
    boolean[] all = where(i -> true);
    Map<String, Set<SkipCause>> causes = new LinkedHashMap<>();
    noteNonFinite(causes, SkipCause.LOSS, measurement.losses(), all);
    noteNonFinite(causes, SkipCause.GRADIENT_NORM, squares(measurement.gradientNorms()), all);
    if (!causes.isEmpty()) {
      return skip(state, measurement, causes);
    }
    boolean[] balanced = balanced(measurement);
    GradNormState seen = see(state, measurement, balanced);
    GradNormStep step = equations(seen, measurement, balanced);
    noteNonFinite(
        causes, SkipCause.WEIGHT_UPDATE, step.targetGradientNorms(), measurement.present());
    if (!causes.isEmpty()) {
      return skip(state, measurement, causes);
    }
    boolean[] moving = where(i -> balanced[i] && !limits.isPinned(i));
    if (state.frozen() || state.steps() < warmUp || count(moving) < 2) {
      return new Update(seen, step);
    }
    TaskwiseOptimizer.Step taken = optimize(seen, step, moving);
    boolean finite = allFinite(taken.delta()) && allFinite(taken.state());
    double[] weights = finite ? move(seen, taken.delta(), moving) : map(i -> Double.NaN);
    if (!usable(weights)) {
      noteNonFinite(causes, SkipCause.WEIGHT_UPDATE, map(i -> Double.NaN), moving);
      return skip(state, measurement, causes);
    }
    return new Update(seen.moved(weights, taken), step.withNextLossWeights(weights));
  }

  /** A task of weight 0 would send no gradient back, and never return. */
  private static boolean usable(double[] weights) {
    return allFinite(weights) && Arrays.stream(weights).noneMatch(weight -> weight == 0.0);
  }

  /** The tasks with labels in the minibatch and a gradient that a weight can scale. */
  private boolean[] balanced(StepMeasurement measurement) {
    boolean[] present = measurement.present();
    double[] norms = measurement.gradientNorms();
    return where(i -> present[i] && norms[i] > 0.0);
  }

  /** L_i(0) and the averages with this step's values. */
  private GradNormState see(GradNormState state, StepMeasurement measurement, boolean[] balanced) {
    double[] losses = reading.losses(measurement);
    boolean[] present = measurement.present();
    checkNotNegative(losses, present);
    return state.seen(
        initialLosses.add(state.initialLosses(), losses, present, reading.uninformed(measurement)),
        smoothing.add(state.averageLosses(), losses, present),
        smoothing.add(state.averageNorms(), measurement.gradientNorms(), balanced));
  }

  /** The quantities of the paper; NaN for absent tasks. */
  private GradNormStep equations(
      GradNormState seen, StepMeasurement measurement, boolean[] balanced) {
    boolean[] present = measurement.present();
    boolean[] counted = count(balanced) == 0 ? present : balanced;
    double[] weights = measurement.lossWeights();
    double[] initial = InitialLosses.values(seen.initialLosses());
    double[] losses = smoothing.averages(seen.averageLosses(), reading.losses(measurement));
    double[] norms = averageNorms(seen, measurement);

    double[] weighted = map(i -> present[i] ? Math.abs(weights[i]) * norms[i] : Double.NaN); // G_i
    double mean = mean(weighted, counted); // Ḡ
    double[] ratios = map(i -> present[i] ? losses[i] / initial[i] : Double.NaN); // L̃_i
    double meanRatio = mean(ratios, counted);
    double[] rates = map(i -> present[i] && meanRatio == 0.0 ? 1.0 : ratios[i] / meanRatio); // r_i
    double meanPrior = mean(priors, counted);
    double[] targets =
        map(i -> mean * FastMath.pow(rates[i], alpha) * (priors[i] / meanPrior)); // Ḡ p_i r_i^α
    double gradientLoss = 0.0; // Eq. 2
    for (int i = 0; i < targets.length; i++) {
      gradientLoss += balanced[i] ? Math.abs(weighted[i] - targets[i]) : 0.0;
    }
    return new GradNormStep(
        measurement,
        initial,
        ratios,
        rates,
        weighted,
        mean,
        targets,
        gradientLoss,
        seen.lossWeights(),
        Map.of());
  }

  private double[] averageNorms(GradNormState seen, StepMeasurement measurement) {
    return smoothing.averages(seen.averageNorms(), measurement.gradientNorms());
  }

  private TaskwiseOptimizer.Step optimize(GradNormState seen, GradNormStep step, boolean[] moving) {
    double[] weights = step.measurement().lossWeights();
    double[] weighted = step.weightedGradientNorms();
    double[] targets = step.targetGradientNorms();
    double[] norms = averageNorms(seen, step.measurement());
    double[] gradient = // ∂L_grad/∂λ_i
        map(i -> Math.signum(weighted[i] - targets[i]) * Math.signum(weights[i]) * norms[i]);
    double[] direction =
        switch (weightUpdate) {
          case ADDITIVE -> gradient;
          case MULTIPLICATIVE -> map(i -> seen.lossWeights()[i] * gradient[i]);
        };
    return optimizer.step(
        seen.optimizer(), seen.updates(), direction, moving, step.measurement().epoch());
  }

  private double[] move(GradNormState state, double[] delta, boolean[] moving) {
    if (Arrays.stream(delta).allMatch(d -> d == 0.0)) { // rescaling would move them by rounding
      return state.lossWeights();
    }
    double[] weights = state.lossWeights();
    return switch (weightUpdate) {
      case ADDITIVE -> limits.rescale(add(weights, delta, moving), moving, weights);
      case MULTIPLICATIVE -> limits.rescale(multiply(weights, delta, moving), moving, weights);
    };
  }

  /** λ − Δ. */
  private double[] add(double[] weights, double[] delta, boolean[] moving) {
    double[] moved = map(i -> limits.clip(weights[i] - delta[i], i));
    double sum = 0.0;
    for (int i = 0; i < moved.length; i++) {
      sum += moving[i] ? moved[i] : 0.0;
    }
    if (sum <= 0.0) {
      throw new IllegalStateException(
          "loss weights "
              + Arrays.toString(moved)
              + " have no positive sum to renormalise: the additive update stepped across zero. Use WeightUpdate.MULTIPLICATIVE, or a smaller learning rate for the weights");
    }
    return moved;
  }

  /** λ exp(−Δ), relative to the largest, so that nothing overflows. */
  private double[] multiply(double[] weights, double[] delta, boolean[] moving) {
    double[] logs =
        map(i -> moving[i] ? FastMath.log(weights[i]) - delta[i] : Double.NEGATIVE_INFINITY);
    double largest = StatUtils.max(logs);
    return map(i -> FastMath.exp(logs[i] - largest));
  }

  /** A step with a NaN or infinite value teaches nothing: the state stays as it was. */
  private Update skip(
      GradNormState state, StepMeasurement measurement, Map<String, Set<SkipCause>> causes) {
    double[] unknown = map(i -> Double.NaN);
    return new Update(
        state.skipped(taskNames, causes),
        new GradNormStep(
            measurement,
            InitialLosses.values(state.initialLosses()),
            unknown,
            unknown,
            unknown,
            Double.NaN,
            unknown,
            Double.NaN,
            state.lossWeights(),
            causes));
  }

  private void noteNonFinite(
      Map<String, Set<SkipCause>> causes, SkipCause cause, double[] values, boolean[] of) {
    for (int i = 0; i < values.length; i++) {
      if (of[i] && !Double.isFinite(values[i])) {
        causes
            .computeIfAbsent(taskNames.get(i), task -> EnumSet.noneOf(SkipCause.class))
            .add(cause);
      }
    }
  }

  private void checkNotNegative(double[] losses, boolean[] present) {
    for (int i = 0; i < losses.length; i++) {
      if (present[i] && losses[i] < 0.0) {
        throw new IllegalStateException(
            "task '%s': loss (%s) must be >= 0, GradNorm compares it with the initial loss. Set lossShift or lossFloor for the task"
                .formatted(taskNames.get(i), losses[i]));
      }
    }
  }

  private static boolean allFinite(double[] values) {
    return Arrays.stream(values).allMatch(Double::isFinite);
  }

  /**
   * Of norms, with room for the weights: infinite where an optimiser cannot hold the square of a
   * weighted norm. Averages that took in such a norm would stop every later step.
   */
  private double[] squares(double[] norms) {
    return map(i -> norms[i] * norms[i] * 1e6);
  }

  private double[] map(IntToDoubleFunction value) {
    return IntStream.range(0, taskNames.size()).mapToDouble(value).toArray();
  }

  private boolean[] where(IntPredicate condition) {
    boolean[] set = new boolean[taskNames.size()];
    for (int i = 0; i < set.length; i++) {
      set[i] = condition.test(i);
    }
    return set;
  }

  private static int count(boolean[] set) {
    int count = 0;
    for (boolean member : set) {
      count += member ? 1 : 0;
    }
    return count;
  }

  /** Over some of the values; 0 of none. */
  private static double mean(double[] values, boolean[] of) {
    double[] some =
        IntStream.range(0, values.length).filter(i -> of[i]).mapToDouble(i -> values[i]).toArray();
    return some.length == 0 ? 0.0 : StatUtils.mean(some);
  }
}
