package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.List;
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
 *   L_grad   = Σ |G_i − Ḡ r_i^α|                Eq. 2; the target Ḡ r_i^α is held constant
 *   ∂L_grad/∂λ_i = sign(G_i − Ḡ r_i^α) n_i      for λ_i > 0
 * </pre>
 *
 * One step of the weights' optimiser on that gradient, then renormalisation to the Σ λ_i of the
 * start: T, if all weights are 1. No NaN or infinity gets past here: a step that measured one, or
 * that the optimiser makes one of, leaves the weights alone.
 */
final class GradNormRule {
  /**
   * The smallest share of Σ λ a weight is allowed in a multiplicative update. Far below anything
   * that matters to training, far above what a float gradient can no longer hold.
   */
  static final double MIN_SHARE = 1e-12;

  private final double alpha;
  private final WeightUpdate weightUpdate;
  private final WeightOptimizer optimizer;

  GradNormRule(double alpha, WeightUpdate weightUpdate, WeightOptimizer optimizer) {
    this.alpha = alpha;
    this.weightUpdate = weightUpdate;
    this.optimizer = optimizer;
  }

  /** The weights to start from, nothing seen yet. */
  GradNormState init(double[] lossWeights) {
    return new GradNormState(
        0, lossWeights, StatUtils.sum(lossWeights), null, optimizer.init(lossWeights.length));
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
    double[] losses = measurement.losses();
    double[] norms = measurement.gradientNorms();
    double[] weights = measurement.lossWeights();
    if (!allFinite(losses) || !allFinite(norms)) {
      return skip(state, measurement);
    }
    double[] initialLosses = state.initialLosses();
    if (initialLosses == null) {
      initialLosses = checkedInitialLosses(measurement.taskNames(), losses);
    }
    checkNotNegative(measurement.taskNames(), losses);

    double[] weighted = map(i -> Math.abs(weights[i]) * norms[i], norms.length); // G_i
    double mean = StatUtils.mean(weighted); // Ḡ
    double[] first = initialLosses;
    double[] ratios = map(i -> losses[i] / first[i], losses.length); // L̃_i
    double[] rates = relativeRates(ratios); // r_i
    double[] targets = map(i -> mean * FastMath.pow(rates[i], alpha), rates.length); // Ḡ r_i^α
    double gradientLoss = 0.0; // Eq. 2
    double[] gradient = new double[norms.length];
    for (int i = 0; i < gradient.length; i++) {
      double difference = weighted[i] - targets[i];
      gradientLoss += Math.abs(difference);
      gradient[i] = Math.signum(difference) * Math.signum(weights[i]) * norms[i]; // ∂L_grad/∂λ_i
    }

    GradNormState next = step(state, initialLosses, weights, gradient, measurement.epoch());
    return new Update(
        next,
        new GradNormStep(
            measurement,
            initialLosses,
            ratios,
            rates,
            weighted,
            mean,
            targets,
            gradientLoss,
            next.lossWeights()));
  }

  private GradNormState step(
      GradNormState state, double[] initialLosses, double[] weights, double[] gradient, int epoch) {
    double[] direction =
        switch (weightUpdate) {
          case ADDITIVE -> gradient;
          case MULTIPLICATIVE -> map(i -> weights[i] * gradient[i], gradient.length);
        };
    WeightOptimizer.Step taken =
        optimizer.step(state.optimizer(), direction, state.updates(), epoch);
    if (!allFinite(taken.delta()) || !allFinite(taken.state())) {
      return new GradNormState(
          state.updates(), weights, state.totalWeight(), initialLosses, state.optimizer());
    }
    boolean still = Arrays.stream(taken.delta()).allMatch(delta -> delta == 0.0);
    double[] moved =
        still // renormalising would move them by rounding
            ? weights
            : moved(weights, taken.delta(), state.totalWeight());
    return new GradNormState(
        state.updates() + 1, moved, state.totalWeight(), initialLosses, taken.state());
  }

  private double[] moved(double[] weights, double[] delta, double total) {
    return switch (weightUpdate) {
      case ADDITIVE -> add(weights, delta, total);
      case MULTIPLICATIVE -> multiply(weights, delta, total);
    };
  }

  /** λ − Δ, renormalised. */
  private static double[] add(double[] weights, double[] delta, double total) {
    double[] moved = map(i -> weights[i] - delta[i], weights.length);
    double sum = StatUtils.sum(moved);
    if (!(sum > 0.0)) {
      throw new IllegalStateException(
          "loss weights "
              + Arrays.toString(moved)
              + " have no positive sum to renormalise: the additive update stepped across zero. Use WeightUpdate.MULTIPLICATIVE, or a smaller learning rate for the weights");
    }
    return map(i -> moved[i] * total / sum, weights.length);
  }

  /** λ exp(−Δ), renormalised; computed relative to the largest, so that nothing overflows. */
  private static double[] multiply(double[] weights, double[] delta, double total) {
    double[] logs = map(i -> FastMath.log(weights[i]) - delta[i], weights.length);
    double largest = StatUtils.max(logs);
    double[] moved = map(i -> Math.max(FastMath.exp(logs[i] - largest), MIN_SHARE), weights.length);
    double sum = StatUtils.sum(moved);
    return map(i -> moved[i] * total / sum, weights.length);
  }

  /** r_i; all 1 if there is no loss left, as no task is behind another then. */
  private static double[] relativeRates(double[] ratios) {
    double mean = StatUtils.mean(ratios);
    return map(i -> mean == 0.0 ? 1.0 : ratios[i] / mean, ratios.length);
  }

  /** A step with a NaN or infinite value teaches nothing: the state stays as it was. */
  private static Update skip(GradNormState state, StepMeasurement measurement) {
    double[] unknown = new double[measurement.taskNames().size()];
    Arrays.fill(unknown, Double.NaN);
    double[] initialLosses = state.initialLosses() == null ? unknown : state.initialLosses();
    return new Update(
        state,
        new GradNormStep(
            measurement,
            initialLosses,
            unknown,
            unknown,
            unknown,
            Double.NaN,
            unknown,
            Double.NaN,
            state.lossWeights()));
  }

  private static double[] checkedInitialLosses(List<String> taskNames, double[] losses) {
    for (int i = 0; i < losses.length; i++) {
      if (!(losses[i] > 0.0)) {
        throw new IllegalStateException(
            "task '%s': initial loss (%s) must be > 0, GradNorm divides by it. Shift the loss so that it is positive"
                .formatted(taskNames.get(i), losses[i]));
      }
    }
    return losses;
  }

  private static void checkNotNegative(List<String> taskNames, double[] losses) {
    for (int i = 0; i < losses.length; i++) {
      if (losses[i] < 0.0) {
        throw new IllegalStateException(
            "task '%s': loss (%s) must be >= 0, GradNorm compares it with the initial loss. Shift the loss so that it is positive"
                .formatted(taskNames.get(i), losses[i]));
      }
    }
  }

  private static boolean allFinite(double[] values) {
    return Arrays.stream(values).allMatch(Double::isFinite);
  }

  private static double[] map(IntToDoubleFunction value, int length) {
    return IntStream.range(0, length).mapToDouble(value).toArray();
  }
}
