package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.apache.commons.math3.util.FastMath;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Need;

/**
 * Conflict-averse gradient descent (Liu et al., <i>Conflict-Averse Gradient Descent for Multi-task
 * Learning</i>, NeurIPS 2021, arXiv 2110.14048, Algorithm 1). Of all steps near that of the mean
 * loss, the one by which the worst task gains most.
 *
 * <pre>
 *   d = argmax { min_i ⟨g_i, d⟩ : ‖d − g_0‖ ≤ c ‖g_0‖ } = Σ λ_i g_i,  g_0 = Σ g_i / T
 *   λ = 1/T + c ‖g_0‖/‖g_w‖ w,  g_w = Σ w_i g_i
 *   w = argmin { ⟨g_w, g_0⟩ + c ‖g_0‖ ‖g_w‖ : w ≥ 0, Σw = 1 }
 *
 *   c  ≥ 0; 0 is the mean, 0.5 by default; from 1 on as MGDA, towards infinity
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. &Sigma; &lambda; is 1 for
 * c = 0, and more with c.
 *
 * <p><b>Note:</b> not divided by 1 + c&sup2;, as some code does. Solved exactly. Where
 * g<sub>w</sub> is 0, and the equation of &lambda; has no meaning, or nearly 0, d is the closest
 * step to g<sub>0</sub> by which no task ascends, which is a solution of the first line.
 */
public final class CaGrad extends StepStrategy<StepStrategy.None> {
  static final String ID = "cagrad";

  /*
   * With the least gain m of the answer, d = g₀ + Σ y_i g_i is the closest step to g₀ that has it:
   *   y(m) = argmin { ½ yᵀGy + (Ge − m1)ᵀy : y ≥ 0 },  λ = e + y,
   * and ‖Σ y_i g_i‖ = c‖g₀‖ says which m. y is piecewise linear in m, the norm never falls with it:
   * between two m of the same piece the answer is the root of a quadratic.
   */
  private static final double EXACT = 1e-14;

  private static final int STEPS = 200;

  /**
   * Combinations of gradients of which less than a 1e5th is left are rounding: gains that need them
   * are out of reach.
   */
  private static final double CANCELLED = 1e5;

  private static final double NEAR = 1e-9;

  private final Settings settings;

  CaGrad(Settings settings) {
    super(ID, "CAGrad", Set.of(Need.GRAM), settings, new None());
    this.settings = settings;
  }

  /**
   * With c = 0.5.
   *
   * @return the strategy
   */
  public static CaGrad create() {
    return new CaGrad(new Settings(0.5, WeightScale.AS_PUBLISHED));
  }

  /**
   * With another radius.
   *
   * @param c &ge; 0 and finite
   * @return the strategy
   * @throws IllegalArgumentException if it is not
   */
  public CaGrad withC(double c) {
    return new CaGrad(new Settings(c, settings.scale));
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public CaGrad with(WeightScale scale) {
    return new CaGrad(new Settings(settings.c, scale));
  }

  /** Settings, as in the factories. */
  record Settings(double c, WeightScale scale) implements StrategySettings {
    Settings {
      Arguments.notNegative(c, "c");
    }

    @Override
    public Map<String, String> describe() {
      return Map.of("c", Double.toString(c));
    }
  }

  @Override
  double[] weigh(None none, Deciding step) {
    Gram gram = step.gram().inUnitOfLongest();
    double[] weights = step.mean();
    double mean = gram.norm(weights); // ‖g₀‖
    double radius = settings.c * mean;
    if (radius > 1e-12) { // else the mean is 0, and so is d
      double shortest = Arrays.stream(gram.norms()).min().orElseThrow();
      double[] y = onRadius(gram, gram.times(weights), radius, (mean + radius) * shortest);
      Arrays.setAll(weights, i -> weights[i] + y[i]);
    }
    return weights;
  }

  /** The y of length c‖g₀‖, or the longest that is shorter. */
  private static double[] onRadius(Gram gram, double[] slopes, double radius, double most) {
    NonNegativeQp program = new NonNegativeQp(gram.cosines());
    double low = Arrays.stream(slopes).min().orElseThrow(); // with y = 0
    double high = most;
    double[] below = new double[slopes.length];
    double[] above = null;
    double gain = low < 0.0 ? 0.0 : high; // where no gain is too much, if 0 is not
    for (int i = 0; i < STEPS && high - low > (above == null ? NEAR : EXACT) * most; i++) {
      double[] y = atGain(gram, program, slopes, gain);
      boolean rounding = Gram.dot(gram.norms(), y) > CANCELLED * radius;
      double length = gram.norm(y);
      if (rounding || length > radius) {
        high = gain;
        above = rounding ? null : y;
      } else {
        low = gain;
        below = y;
      }
      if (!rounding && FastMath.abs(length - radius) <= EXACT * radius) {
        return y;
      }
      double share = above == null || i % 4 == 3 ? 0.5 : share(gram, below, above, radius);
      gain = low + share * (high - low);
    }
    return below;
  }

  private static double[] atGain(Gram gram, NonNegativeQp program, double[] slopes, double gain) {
    double[] b = slopes.clone();
    Arrays.setAll(b, i -> (slopes[i] - gain) / gram.norms()[i]);
    return gram.perNorm(program.solve(b));
  }

  /** The s in [0, 1] with ‖below + s (above − below)‖ = radius. */
  private static double share(Gram gram, double[] below, double[] above, double radius) {
    double[] way = below.clone();
    Arrays.setAll(way, i -> above[i] - below[i]);
    double a = Gram.dot(way, gram.times(way));
    double half = Gram.dot(way, gram.times(below));
    double c = Gram.dot(below, gram.times(below)) - radius * radius; // < 0
    double share = -c / (half + FastMath.sqrt(FastMath.max(0.0, half * half - a * c)));
    return share > 0.0 && share < 1.0 ? share : 0.5;
  }
}
