package org.gradnorm4j.gradnorm;

import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.math3.util.FastMath;

/**
 * The quantities of the paper in one step (Chen et al., ICML 2018, section 3), by task.
 *
 * <pre>
 *   G_i      = |λ_i| n_i                  weighted gradient norm
 *   Ḡ        = mean of G_i                over the tasks that count
 *   L̃_i      = L_i / L_i(0)               loss ratio: inverse training rate
 *   r_i      = L̃_i / mean L̃               relative inverse training rate
 *   target_i = Ḡ p_i r_i^α                p_i: priors with a mean of 1
 *   L_grad   = Σ |G_i − target_i|         Eq. 2, over the tasks that are compared
 * </pre>
 *
 * @param lossRatios L̃_i
 * @param rates r_i
 * @param weightedNorms G_i
 * @param targets Ḡ p_i r_i^α
 * @param gradientLoss L_grad
 */
record GradNormEquations(
    double[] lossRatios,
    double[] rates,
    double[] weightedNorms,
    double[] targets,
    double gradientLoss) {

  /**
   * Computes them.
   *
   * @param weights λ_i of the step
   * @param losses L_i
   * @param initialLosses L_i(0)
   * @param norms n_i
   * @param compared the tasks that are compared
   * @param counted those over which means are taken
   */
  static GradNormEquations of(
      double[] weights,
      double[] losses,
      double[] initialLosses,
      double[] norms,
      double[] priors,
      double alpha,
      boolean[] compared,
      boolean[] counted) {
    int tasks = weights.length;
    double[] weighted = map(tasks, i -> Math.abs(weights[i]) * norms[i]);
    double meanNorm = mean(weighted, counted);
    double[] ratios = map(tasks, i -> losses[i] / initialLosses[i]);
    double meanRatio = mean(ratios, counted);
    double[] rates = map(tasks, i -> meanRatio == 0.0 ? 1.0 : ratios[i] / meanRatio);
    double meanPrior = mean(priors, counted);
    double[] targets =
        map(tasks, i -> meanNorm * FastMath.pow(rates[i], alpha) * (priors[i] / meanPrior));
    double gradientLoss = 0.0;
    for (int i = 0; i < tasks; i++) {
      gradientLoss += compared[i] ? Math.abs(weighted[i] - targets[i]) : 0.0;
    }
    return new GradNormEquations(ratios, rates, weighted, targets, gradientLoss);
  }

  private static double[] map(int tasks, IntToDoubleFunction value) {
    return IntStream.range(0, tasks).mapToDouble(value).toArray();
  }

  /** Over some of the values; 0 of none. */
  private static double mean(double[] values, boolean[] of) {
    double[] some =
        IntStream.range(0, values.length).filter(i -> of[i]).mapToDouble(i -> values[i]).toArray();
    return some.length == 0 ? 0.0 : StatUtils.mean(some);
  }
}
