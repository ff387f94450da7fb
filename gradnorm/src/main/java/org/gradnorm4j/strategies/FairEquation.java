package org.gradnorm4j.strategies;

import java.util.Arrays;
import org.apache.commons.math3.util.FastMath;

/**
 * The weights at which each task's share of the common step is a power of its weight.
 *
 * <pre>
 *   Gλ = λ^(−1/α),  λ > 0
 *   v = nλ:   Kv = q v^(−p),  p = 1/α,  q = n^(p−1)
 *   ⟺  v = argmin { ½ vᵀKv − Σ q_i φ(v_i) : v > 0 },  φ' = v^(−p)
 * </pre>
 *
 * There is one answer, unless a combination of the gradients with weights &ge; 0 is 0: then the
 * weights would be infinite.
 */
final class FairEquation {
  /*
   * Newton's method on the convex function. For p = 1 it is self-concordant: steps of 1/(1 + δ),
   * δ the Newton decrement, as long as δ > ¼, then whole steps (Nesterov and Nemirovskii 1994).
   * For other p the third derivative is at most (1 + p) max|d| times the second, d the step in units
   * of v: steps of log(1 + r)/r, r = (1 + p) max|d| (Doikov, SIAM J. Optim. 33 (2023)).
   */
  private static final int STEPS = 500;
  private static final double EXACT = 1e-14;
  private static final double SOLVED = 1e-10;

  /** What may cancel in a task's share, in units of it, for ten digits to be left. */
  private static final double CANCELLED = 1e6;

  private final double[][] cosines;
  private final double[] q;
  private final double p;
  private final int size;

  private FairEquation(Gram gram, double alpha) {
    cosines = gram.cosines();
    size = gram.size();
    p = 1.0 / alpha;
    q = Arrays.stream(gram.norms()).map(n -> FastMath.pow(n, p - 1.0)).toArray();
  }

  /**
   * Solves it.
   *
   * @param alpha &gt; 0
   * @return &lambda;; empty if there are no such weights. |&lambda;<sub>i</sub><sup>1/&alpha;</sup>
   *     (G&lambda;)<sub>i</sub> &minus; 1| &le; 1e-10
   */
  static double[] solve(Gram gram, double alpha) {
    Gram unit = gram.inUnitOfLongest();
    double[] v = unit.perNorm(new FairEquation(unit, alpha).solve());
    double scale = FastMath.pow(gram.norms()[0] / unit.norms()[0], -2.0 * alpha / (1.0 + alpha));
    Arrays.setAll(v, i -> v[i] * scale);
    return v;
  }

  private double[] solve() {
    // what it were if the gradients were orthogonal
    double[] v = Arrays.stream(q).map(c -> FastMath.pow(c, 1.0 / (1.0 + p))).toArray();
    double[] best = v;
    double least = Double.POSITIVE_INFINITY;
    int idle = 0;
    for (int i = 0; i < STEPS && idle < 3; i++) {
      double[] share = Gram.times(cosines, v);
      double residual = residual(v, share);
      idle = residual < 0.5 * least || residual > SOLVED ? 0 : idle + 1;
      if (residual < least) {
        best = v;
        least = residual;
      }
      if (residual <= EXACT) {
        break;
      }
      v = next(v, share);
      if (v.length == 0) {
        break;
      }
    }
    return least <= SOLVED && isSharp(best) ? best : new double[0];
  }

  /** Whether what is left of opposite gradients is more than rounding. */
  private boolean isSharp(double[] v) {
    for (int i = 0; i < size; i++) {
      double terms = 0.0;
      for (int j = 0; j < size; j++) {
        terms += FastMath.abs(cosines[i][j]) * v[j];
      }
      if (terms > CANCELLED * q[i] * FastMath.pow(v[i], -p)) {
        return false;
      }
    }
    return true;
  }

  /** max |(Kv)_i v_i^p / q_i − 1|. */
  private double residual(double[] v, double[] share) {
    double largest = 0.0;
    for (int i = 0; i < size; i++) {
      largest = FastMath.max(largest, FastMath.abs(share[i] * FastMath.pow(v[i], p) / q[i] - 1.0));
    }
    return largest;
  }

  /** One step; in units of v, in which the Hessian is vKv + p q v^(1−p). */
  private double[] next(double[] v, double[] share) {
    double[][] hessian = new double[size][size];
    double[] descent = new double[size];
    for (int i = 0; i < size; i++) {
      double pull = q[i] * FastMath.pow(v[i], 1.0 - p);
      descent[i] = pull - v[i] * share[i];
      for (int j = 0; j < size; j++) {
        hessian[i][j] = v[i] * cosines[i][j] * v[j];
      }
      hessian[i][i] += p * pull;
    }
    double[] d = Cholesky.solve(hessian, descent);
    if (d.length == 0) {
      return d;
    }
    double step = step(d, FastMath.sqrt(FastMath.max(0.0, Gram.dot(descent, d))));
    double[] next = v.clone();
    Arrays.setAll(next, i -> v[i] * (1.0 + step * d[i]));
    return next;
  }

  private double step(double[] d, double decrement) {
    double lowest = Arrays.stream(d).min().orElseThrow();
    double largest = Arrays.stream(d).map(Math::abs).max().orElseThrow();
    double step = 1.0;
    if (p == 1.0) {
      step = decrement > 0.25 ? 1.0 / (1.0 + decrement) : 1.0;
    } else if (largest > 0.1) {
      double reach = (1.0 + p) * largest;
      step = FastMath.log1p(reach) / reach;
    }
    return step * lowest < -0.9 ? -0.9 / lowest : step;
  }
}
