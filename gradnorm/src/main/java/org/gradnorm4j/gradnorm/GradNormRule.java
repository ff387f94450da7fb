package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
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
 * <p>The sums run over the tasks that can be compared in this step: those whose loss and norm it
 * shows, and those a recent step has shown ({@link TaskWindow}), by what that one showed. A
 * gradient of exactly zero, which no weight could bring anywhere, is none to compare. A step of the
 * optimiser is taken by the tasks that this step shows; all that are compared share the
 * renormalisation. Nothing that is remembered of the others changes.
 *
 * <p>No NaN or infinity gets past here: a step that measured one, or that the optimiser makes one
 * of, leaves the weights alone.
 */
final class GradNormRule {
  private final List<String> taskNames;
  private final double alpha;
  private final TaskwiseOptimizer optimizer;
  private final LossReading reading;
  private final InitialLosses initialLosses;
  private final Smoothing smoothing;
  private final TaskWindow window;
  private final WeightMove move;
  private final double[] priors;
  private final int warmUp;

  /**
   * For the tasks of a network.
   *
   * @param totalWeight Σ λ
   * @param uninformed as {@code Tasks.uninformedLosses()} has them
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
    reading = LossReading.of(settings.lossScale(), tasks, uninformed);
    initialLosses =
        new InitialLosses(
            taskNames, tasks.stream().map(TaskSettings::initialLossOrFirst).toList(), uninformed);
    smoothing = new Smoothing(settings.smoothing());
    window = settings.window(taskNames.size());
    move =
        new WeightMove(
            settings.weightUpdate(), WeightLimits.of(tasks, settings.weightUpdate(), totalWeight));
    priors = tasks.stream().mapToDouble(TaskSettings::priorOrOne).toArray();
    warmUp = settings.warmUp();
  }

  /** The state to start from, nothing seen yet. */
  GradNormState init(double[] lossWeights) {
    int tasks = lossWeights.length;
    return new GradNormState(
        0,
        move.limits().nearest(lossWeights),
        move.limits().total(),
        false,
        new int[tasks],
        optimizer.init(tasks),
        initialLosses.init(),
        Tally.empty(tasks),
        Tally.empty(tasks),
        new int[tasks],
        new int[tasks][SkipCause.values().length]);
  }

  /**
   * The state after a step, and the record of it.
   *
   * @param notices what the user should know
   */
  record Update(GradNormState state, GradNormStep step, Set<Notice> notices) {}

  /**
   * Takes one training step's measurement.
   *
   * @throws IllegalStateException if a loss is negative, or an initial loss not positive: names the
   *     task and the remedy
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
    boolean[] compared = where(i -> window.holds(seen.lastKnown()[i], seen.steps()));
    GradNormStep step = equations(seen, measurement, compared);
    SkipCause overflow = SkipCause.WEIGHT_UPDATE;
    noteNonFinite(causes, overflow, seen.initialLosses().sums(), all);
    noteNonFinite(causes, overflow, seen.averageLosses().sums(), all);
    noteNonFinite(causes, overflow, step.targetGradientNorms(), measurement.present());
    if (!causes.isEmpty()) {
      return skip(state, measurement, causes);
    }
    return moved(state, seen, step, balanced, compared);
  }

  /** The weights take their step, if any of them can. */
  private Update moved(
      GradNormState before,
      GradNormState seen,
      GradNormStep step,
      boolean[] balanced,
      boolean[] compared) {
    boolean[] sharing = where(i -> compared[i] && !move.limits().isPinned(i));
    boolean[] moving = where(i -> balanced[i] && sharing[i]);
    if (seen.frozen() || before.steps() < warmUp || count(sharing) < 2 || count(moving) == 0) {
      return new Update(
          seen, step, areApart(seen, compared) ? Set.of(Notice.TASKS_APART) : Set.of());
    }
    TaskwiseOptimizer.Step taken = optimize(seen, step, moving);
    boolean finite = allFinite(taken.delta()) && allFinite(taken.state());
    double[] weights =
        finite ? move.move(seen.lossWeights(), taken.delta(), sharing) : map(i -> Double.NaN);
    if (!usable(weights)) {
      Map<String, Set<SkipCause>> causes = new LinkedHashMap<>();
      noteNonFinite(causes, SkipCause.WEIGHT_UPDATE, map(i -> Double.NaN), moving);
      return skip(before, step.measurement(), causes);
    }
    return new Update(
        seen.moved(weights, taken),
        step.withNextLossWeights(weights),
        move.isCut(taken.delta()) ? Set.of(Notice.STEP_CUT) : Set.of());
  }

  /** Whether the weights stay because no other task was seen near enough, or at all. */
  private boolean areApart(GradNormState seen, boolean[] compared) {
    int known = count(where(i -> seen.lastKnown()[i] > 0));
    int everSeen = count(where(i -> seen.averageLosses().counts()[i] > 0));
    boolean others = known > 1 || (everSeen == 1 && seen.steps() >= window.steps());
    return others && count(compared) == 1 && count(where(i -> !move.limits().isPinned(i))) > 1;
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
        smoothing.add(state.averageNorms(), measurement.gradientNorms(), balanced),
        TaskWindow.note(state.lastKnown(), state.steps() + 1, present, balanced));
  }

  /** The quantities of the paper; those of absent tasks count, and are NaN in the record. */
  private GradNormStep equations(
      GradNormState seen, StepMeasurement measurement, boolean[] compared) {
    boolean[] present = measurement.present();
    boolean[] counted = count(compared) == 0 ? present : compared;
    double[] weights = measurement.lossWeights();
    double[] initial = InitialLosses.values(seen.initialLosses());
    double[] losses = smoothing.averages(seen.averageLosses());
    double[] norms = norms(seen, measurement, compared);

    double[] weighted = map(i -> Math.abs(weights[i]) * norms[i]); // G_i
    double mean = mean(weighted, counted); // Ḡ
    double[] ratios = map(i -> losses[i] / initial[i]); // L̃_i
    double meanRatio = mean(ratios, counted);
    double[] rates = map(i -> meanRatio == 0.0 ? 1.0 : ratios[i] / meanRatio); // r_i
    double meanPrior = mean(priors, counted);
    double[] targets =
        map(i -> mean * FastMath.pow(rates[i], alpha) * (priors[i] / meanPrior)); // Ḡ p_i r_i^α
    double gradientLoss = 0.0; // Eq. 2
    for (int i = 0; i < targets.length; i++) {
      gradientLoss += compared[i] ? Math.abs(weighted[i] - targets[i]) : 0.0;
    }
    return new GradNormStep(
        measurement,
        initial,
        only(present, ratios),
        only(present, rates),
        only(present, weighted),
        mean,
        only(present, targets),
        gradientLoss,
        seen.lossWeights(),
        Map.of());
  }

  /** n_i: averages of the tasks that are compared; as measured, which is zero, of the others. */
  private double[] norms(GradNormState seen, StepMeasurement measurement, boolean[] compared) {
    double[] averages = smoothing.averages(seen.averageNorms());
    double[] measured = measurement.gradientNorms();
    return map(i -> compared[i] ? averages[i] : measured[i]);
  }

  private double[] only(boolean[] some, double[] values) {
    return map(i -> some[i] ? values[i] : Double.NaN);
  }

  private TaskwiseOptimizer.Step optimize(GradNormState seen, GradNormStep step, boolean[] moving) {
    double[] weights = step.measurement().lossWeights();
    double[] weighted = step.weightedGradientNorms();
    double[] targets = step.targetGradientNorms();
    double[] norms = norms(seen, step.measurement(), moving);
    double[] gradient = // ∂L_grad/∂λ_i
        map(i -> Math.signum(weighted[i] - targets[i]) * Math.signum(weights[i]) * norms[i]);
    double[] direction =
        switch (move.update()) {
          case ADDITIVE -> gradient;
          case MULTIPLICATIVE -> map(i -> seen.lossWeights()[i] * gradient[i]);
        };
    return optimizer.step(
        seen.optimizer(), seen.updates(), direction, moving, step.measurement().epoch());
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
            causes),
        Set.of(Notice.NOT_FINITE));
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
            String.format(
                Locale.ROOT,
                "task '%s': loss (%s) must be >= 0, GradNorm compares it with the initial loss. Set lossShift or lossFloor for the task",
                taskNames.get(i),
                losses[i]));
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
