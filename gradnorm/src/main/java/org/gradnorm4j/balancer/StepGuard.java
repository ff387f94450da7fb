package org.gradnorm4j.balancer;

import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.SkipCause;
import org.gradnorm4j.weighting.Timing;

/**
 * One step of a strategy: keeps NaN and infinity away from it, and its own away from the network.
 */
final class StepGuard {
  /** Room above the square of a norm, which optimisers hold, for the square of a weight. */
  private static final double WEIGHTS_SQUARED = 1e6;

  /** Of the sum of all weights: far below anything that matters to training. */
  private static final double LEFT_OUT = 1e-12;

  private StepGuard() {}

  /**
   * What a strategy makes of a step.
   *
   * @param state to go on with
   * @param lossWeights of the next step
   * @param record of the step
   * @param notFinite what was not finite, by task, whether the strategy needs it or not
   * @param notices what the user should know, by kind
   */
  record Taken<S extends Record>(
      S state,
      double[] lossWeights,
      BalancedStep record,
      Map<String, Set<SkipCause>> notFinite,
      Map<String, String> notices) {}

  /**
   * Asks the strategy, if it can be asked; state and weights stay if it cannot, or if it decides on
   * what cannot be installed.
   *
   * @throws IllegalStateException if the strategy cannot work with the step
   */
  static <S extends Record> Taken<S> take(
      LossWeighting<S> weighting,
      Timing timing,
      S state,
      double[] lossWeights,
      StepMeasurement step) {
    Map<String, Set<SkipCause>> measured = measured(step);
    Map<String, Set<SkipCause>> causes = needed(measured, weighting.needs());
    if (causes.isEmpty()) {
      Decision<S> decision = weighting.decide(state, lossWeights, step);
      double[] decided = installable(decision.lossWeights(), weighting, timing);
      causes = decided(decision, decided, timing, step.taskNames());
      if (causes.isEmpty()) {
        return new Taken<>(
            decision.state(),
            decided,
            BalancedStep.of(step, weighting.quantities(), decision, decided),
            measured,
            decision.notices());
      }
      causes.forEach(measured::putIfAbsent);
    }
    String told =
        describe(step, causes) + ". Such steps leave the loss weights as they are: " + step;
    return new Taken<>(
        state,
        lossWeights,
        BalancedStep.skipped(step, weighting.quantities(), lossWeights, causes),
        measured,
        Map.of("not finite", told));
  }

  /**
   * What is not finite in a measurement, by task.
   *
   * <p>A gradient norm counts as infinite where an optimiser cannot hold the square of a weighted
   * norm: averages that took in such a norm would stop every later step.
   */
  private static Map<String, Set<SkipCause>> measured(StepMeasurement step) {
    Map<String, Set<SkipCause>> causes = new LinkedHashMap<>();
    double[] losses = step.losses();
    double[] norms = step.gradientNorms();
    for (int i = 0; i < losses.length; i++) {
      if (!Double.isFinite(losses[i])) {
        note(causes, step.taskNames().get(i), SkipCause.LOSS);
      }
    }
    for (int i = 0; i < norms.length; i++) {
      if (!Double.isFinite(norms[i] * norms[i] * WEIGHTS_SQUARED)) {
        note(causes, step.taskNames().get(i), SkipCause.GRADIENT_NORM);
      }
    }
    return causes;
  }

  /** Of these, what a strategy decides by. */
  private static Map<String, Set<SkipCause>> needed(
      Map<String, Set<SkipCause>> causes, Collection<Need> needs) {
    Map<String, Set<SkipCause>> needed = new LinkedHashMap<>();
    causes.forEach(
        (task, why) ->
            why.stream()
                .filter(cause -> isNeeded(cause, needs))
                .forEach(cause -> note(needed, task, cause)));
    return needed;
  }

  private static boolean isNeeded(SkipCause cause, Collection<Need> needs) {
    return cause == SkipCause.LOSS
        ? needs.contains(Need.LOSSES)
        : needs.contains(Need.GRADIENT_NORMS) || needs.contains(Need.GRAM);
  }

  /**
   * A strategy of the same step may leave a task out. Before its loss, in the next step, a weight
   * of 0 would never come back: there it is a very small one.
   */
  private static double[] installable(double[] weights, LossWeighting<?> weighting, Timing timing) {
    if (timing == Timing.NEXT_STEP && weighting.timing() == Timing.SAME_STEP) {
      double size = Arrays.stream(weights).map(Math::abs).sum();
      for (int i = 0; i < weights.length; i++) {
        weights[i] = weights[i] == 0.0 ? LEFT_OUT * size : weights[i];
      }
    }
    return weights;
  }

  /** The tasks that a decision cannot be installed for. */
  private static Map<String, Set<SkipCause>> decided(
      Decision<?> decision, double[] weights, Timing timing, List<String> tasks) {
    Map<String, Set<SkipCause>> causes = new LinkedHashMap<>();
    decision.unusable().forEach(task -> note(causes, task, SkipCause.WEIGHT_UPDATE));
    if (weights.length != tasks.size()) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "the strategy decided on %d loss weights %s for the %d tasks %s",
              weights.length,
              Arrays.toString(weights),
              tasks.size(),
              tasks));
    }
    for (int i = 0; i < weights.length; i++) {
      if (!Double.isFinite(weights[i]) || (weights[i] == 0.0 && timing == Timing.NEXT_STEP)) {
        note(causes, tasks.get(i), SkipCause.WEIGHT_UPDATE);
      }
    }
    return causes;
  }

  private static void note(Map<String, Set<SkipCause>> causes, String task, SkipCause cause) {
    causes.computeIfAbsent(task, name -> EnumSet.noneOf(SkipCause.class)).add(cause);
  }

  /** One sentence, of a step. */
  static String describe(StepMeasurement step, Map<String, Set<SkipCause>> causes) {
    return String.format(Locale.ROOT, "not finite in iteration %d: %s", step.iteration(), causes);
  }
}
