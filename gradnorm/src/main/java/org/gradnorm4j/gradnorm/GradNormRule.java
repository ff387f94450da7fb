package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.optimizer.TaskwiseOptimizer;
import org.gradnorm4j.weighting.Decision;

/**
 * The update rule of GradNorm (Chen et al., ICML 2018, section 3 and Algorithm 1) for the tasks of
 * a network, as a pure function on plain doubles.
 *
 * <pre>
 *   L_grad        = Σ |G_i − target_i|            see {@link GradNormEquations}; targets constant
 *   ∂L_grad/∂λ_i = sign(G_i − target_i) n_i       for λ_i > 0
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
 * <p>No NaN or infinity gets past here: a step of which the rule makes one leaves state and weights
 * alone.
 */
final class GradNormRule {
  private final Tasks tasks;
  private final GradNormSettings settings;
  private final TaskwiseOptimizer optimizer;
  private final LossReading reading;
  private final InitialLosses initialLosses;
  private final Smoothing smoothing;
  private final TaskWindow window;
  private final WeightMove move;
  private final double[] priors;

  /**
   * For the tasks of a network.
   *
   * @param totalWeight Σ λ
   * @throws IllegalArgumentException if the settings do not fit the tasks; names task and remedy
   */
  GradNormRule(GradNormSettings settings, Tasks tasks, double totalWeight) {
    List<TaskSettings> byTask = settings.of(tasks.names());
    this.tasks = tasks;
    this.settings = settings;
    optimizer = new TaskwiseOptimizer(settings.lossWeightUpdater());
    reading = LossReading.of(settings.lossScale(), byTask, tasks.uninformedLosses());
    initialLosses =
        new InitialLosses(
            tasks.names(),
            byTask.stream().map(TaskSettings::initialLossOrFirst).toList(),
            tasks.uninformedLosses());
    smoothing = new Smoothing(settings.smoothing());
    window = settings.window(tasks.size());
    move =
        new WeightMove(
            settings.weightUpdate(), WeightLimits.of(byTask, settings.weightUpdate(), totalWeight));
    priors = byTask.stream().mapToDouble(TaskSettings::priorOrOne).toArray();
  }

  Tasks tasks() {
    return tasks;
  }

  double totalWeight() {
    return move.limits().total();
  }

  /** To start from, nothing seen yet. */
  Decision<GradNormState> init(double[] lossWeights) {
    int count = tasks.size();
    GradNormState state =
        new GradNormState(
            0,
            totalWeight(),
            new int[count],
            optimizer.init(count),
            initialLosses.init(),
            Tally.empty(count),
            Tally.empty(count),
            new int[count]);
    return Decision.of(state, move.limits().nearest(lossWeights));
  }

  /**
   * Takes one training step's measurement.
   *
   * @throws IllegalStateException if a loss is negative, or an initial loss not positive: names the
   *     task and the remedy
   */
  Decision<GradNormState> decide(GradNormState state, double[] lossWeights, StepMeasurement step) {
    boolean[] balanced = balanced(step);
    GradNormState seen = see(state, step, balanced);
    boolean[] compared = where(i -> window.holds(seen.lastKnown()[i], seen.steps()));
    GradNormEquations shown = equations(seen, step, compared);
    boolean[] present = step.present();
    boolean[] overflown =
        where(
            i ->
                !Double.isFinite(seen.initialLosses().sums()[i])
                    || !Double.isFinite(seen.averageLosses().sums()[i])
                    || (present[i] && !Double.isFinite(shown.targets()[i])));
    if (count(overflown) > 0) {
      return Decision.skip(state, lossWeights, names(overflown));
    }
    Decision<GradNormState> moved = move(state, seen, lossWeights, step, shown, balanced, compared);
    return moved
        .with(GradNorm.TARGET_GRADIENT_NORM, only(present, shown.targets()))
        .with(GradNorm.RELATIVE_INVERSE_TRAINING_RATE, only(present, shown.rates()))
        .with(GradNorm.LOSS_RATIO, only(present, shown.lossRatios()))
        .with(GradNorm.GRADIENT_LOSS, shown.gradientLoss());
  }

  /** The weights take their step, if any of them can. */
  private Decision<GradNormState> move(
      GradNormState before,
      GradNormState seen,
      double[] lossWeights,
      StepMeasurement step,
      GradNormEquations shown,
      boolean[] balanced,
      boolean[] compared) {
    boolean[] sharing = where(i -> compared[i] && !move.limits().isPinned(i));
    boolean[] moving = where(i -> balanced[i] && sharing[i]);
    if (before.steps() < settings.warmUp() || count(sharing) < 2 || count(moving) == 0) {
      Decision<GradNormState> held = Decision.of(seen, lossWeights);
      return areApart(seen, compared) ? held.withNotice("tasks apart", apart(step)) : held;
    }
    TaskwiseOptimizer.Step taken = optimize(seen, lossWeights, step, shown, moving);
    boolean finite = allFinite(taken.delta()) && allFinite(taken.state());
    double[] weights = finite ? move.move(lossWeights, taken.delta(), sharing) : null;
    if (weights == null || !usable(weights)) {
      return Decision.skip(before, lossWeights, names(moving));
    }
    Decision<GradNormState> moved = Decision.of(seen.moved(taken), weights);
    return move.isCut(taken.delta()) ? moved.withNotice("step cut", cut(step)) : moved;
  }

  private TaskwiseOptimizer.Step optimize(
      GradNormState seen,
      double[] lossWeights,
      StepMeasurement step,
      GradNormEquations shown,
      boolean[] moving) {
    double[] weights = step.lossWeights();
    double[] norms = norms(seen, step, moving);
    double[] gradient = // ∂L_grad/∂λ_i
        map(
            i ->
                Math.signum(shown.weightedNorms()[i] - shown.targets()[i])
                    * Math.signum(weights[i])
                    * norms[i]);
    double[] direction =
        switch (move.update()) {
          case ADDITIVE -> gradient;
          case MULTIPLICATIVE -> map(i -> lossWeights[i] * gradient[i]);
        };
    return optimizer.step(seen.optimizer(), seen.updates(), direction, moving, step.epoch());
  }

  /** Whether the weights stay because no other task was seen near enough, or at all. */
  private boolean areApart(GradNormState seen, boolean[] compared) {
    int known = count(where(i -> seen.lastKnown()[i] > 0));
    int everSeen = count(where(i -> seen.averageLosses().counts()[i] > 0));
    boolean others = known > 1 || (everSeen == 1 && seen.steps() >= window.steps());
    return others && count(compared) == 1 && count(where(i -> !move.limits().isPinned(i))) > 1;
  }

  private String apart(StepMeasurement step) {
    return String.format(
        Locale.ROOT,
        "iteration %d has labels of one task, and no other task had any within the last %d measured steps: the loss weights stay as they are. Mix the tasks' minibatches, set a larger taskWindow(...), or a measureEvery(...) that meets all of them",
        step.iteration(),
        window.steps());
  }

  private String cut(StepMeasurement step) {
    return String.format(
        Locale.ROOT,
        "lossWeightUpdater (%s) asked in iteration %d for a larger step of a loss weight than is taken, see GradNormBuilder.lossWeightUpdater(...). Use a smaller learning rate",
        settings.lossWeightUpdater(),
        step.iteration());
  }

  /** A task of weight 0 would send no gradient back, and never return. */
  private static boolean usable(double[] weights) {
    return allFinite(weights) && Arrays.stream(weights).noneMatch(weight -> weight == 0.0);
  }

  /** The tasks with labels in the minibatch and a gradient that a weight can scale. */
  private boolean[] balanced(StepMeasurement step) {
    boolean[] present = step.present();
    double[] norms = step.gradientNorms();
    return where(i -> present[i] && norms[i] > 0.0);
  }

  /** L_i(0) and the averages with this step's values. */
  private GradNormState see(GradNormState state, StepMeasurement step, boolean[] balanced) {
    double[] losses = reading.losses(step);
    boolean[] present = step.present();
    checkNotNegative(losses, present);
    return state.seen(
        initialLosses.add(state.initialLosses(), losses, present, reading.uninformed(step)),
        smoothing.add(state.averageLosses(), losses, present),
        smoothing.add(state.averageNorms(), step.gradientNorms(), balanced),
        TaskWindow.note(state.lastKnown(), state.steps() + 1, present, balanced));
  }

  /** The quantities of the paper; those of absent tasks count if they are compared. */
  private GradNormEquations equations(
      GradNormState seen, StepMeasurement step, boolean[] compared) {
    return GradNormEquations.of(
        step.lossWeights(),
        smoothing.averages(seen.averageLosses()),
        InitialLosses.values(seen.initialLosses()),
        norms(seen, step, compared),
        priors,
        settings.alpha(),
        compared,
        count(compared) == 0 ? step.present() : compared);
  }

  /** n_i: averages of the tasks that are compared; as measured, which is zero, of the others. */
  private double[] norms(GradNormState seen, StepMeasurement step, boolean[] compared) {
    double[] averages = smoothing.averages(seen.averageNorms());
    double[] measured = step.gradientNorms();
    return map(i -> compared[i] ? averages[i] : measured[i]);
  }

  private double[] only(boolean[] some, double[] values) {
    return map(i -> some[i] ? values[i] : Double.NaN);
  }

  private void checkNotNegative(double[] losses, boolean[] present) {
    for (int i = 0; i < losses.length; i++) {
      if (present[i] && losses[i] < 0.0) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "task '%s': loss (%s) must be >= 0, GradNorm compares it with the initial loss. Set lossShift or lossFloor for the task",
                tasks.names().get(i),
                losses[i]));
      }
    }
  }

  private List<String> names(boolean[] of) {
    return IntStream.range(0, of.length).filter(i -> of[i]).mapToObj(tasks.names()::get).toList();
  }

  private static boolean allFinite(double[] values) {
    return Arrays.stream(values).allMatch(Double::isFinite);
  }

  private double[] map(IntToDoubleFunction value) {
    return IntStream.range(0, tasks.size()).mapToDouble(value).toArray();
  }

  private boolean[] where(IntPredicate condition) {
    boolean[] set = new boolean[tasks.size()];
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
}
