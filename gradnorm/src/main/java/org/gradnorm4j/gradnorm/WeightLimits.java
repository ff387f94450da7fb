package org.gradnorm4j.gradnorm;

import java.util.List;
import java.util.Locale;

/**
 * Where loss weights may be: min_i ≤ λ_i ≤ max_i, and Σ λ_i as at the start. A pinned task has
 * min_i = max_i.
 *
 * @param min −∞ for none
 * @param max +∞ for none
 * @param total Σ λ_i
 */
record WeightLimits(double[] min, double[] max, double total) {
  /**
   * The smallest share of Σ λ a weight is allowed in a multiplicative update. Far below anything
   * that matters to training, far above what a float gradient can no longer hold.
   */
  static final double MIN_SHARE = 1e-12;

  /** How far sums may be apart by rounding, relative to them. Less than {@link #MIN_SHARE}. */
  private static final double ROUNDING = 1e-13;

  /**
   * For the tasks of a network.
   *
   * @param total Σ λ_i, &gt; 0
   * @throws IllegalArgumentException if no weights are within these limits; says which
   */
  static WeightLimits of(List<TaskSettings> tasks, WeightUpdate weightUpdate, double total) {
    double smallest =
        weightUpdate == WeightUpdate.MULTIPLICATIVE ? MIN_SHARE * total : Double.NEGATIVE_INFINITY;
    int count = tasks.size();
    double[] min = new double[count];
    double[] max = new double[count];
    for (int i = 0; i < count; i++) {
      TaskSettings task = tasks.get(i);
      min[i] = task.minWeight() == null ? smallest : task.minWeight();
      max[i] = task.maxWeight() == null ? Double.POSITIVE_INFINITY : task.maxWeight();
      if (task.pin() != null) {
        min[i] = task.pin();
        max[i] = task.pin();
      }
    }
    WeightLimits limits = new WeightLimits(min, max, total);
    limits.checkFeasible();
    return limits;
  }

  /** Σ λ_i: as before or, if no weight may move, that of the pins. */
  static double total(List<TaskSettings> tasks, double before) {
    boolean allPinned = tasks.stream().allMatch(task -> task.pin() != null);
    return allPinned ? tasks.stream().mapToDouble(TaskSettings::pin).sum() : before;
  }

  /** A weight without limits has to have something left, too. */
  private void checkFeasible() {
    double least = 0.0;
    double most = 0.0;
    for (int i = 0; i < min.length; i++) {
      least += Math.max(MIN_SHARE * total, min[i]);
      most += max[i];
    }
    if (least > total * (1.0 + ROUNDING)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "loss weights have to sum to %s, but pinned and minimum weights make %s. Lower them: pin(...), weightLimits(...)",
              total,
              least));
    }
    if (most < total * (1.0 - ROUNDING)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "loss weights have to sum to %s, but pinned and maximum weights make %s. Raise them: pin(...), weightLimits(...)",
              total,
              most));
    }
  }

  boolean isPinned(int task) {
    return min[task] == max[task];
  }

  boolean contain(double[] weights) {
    boolean inside = true;
    for (int i = 0; i < weights.length; i++) {
      inside &= weights[i] >= min[i] && weights[i] <= max[i];
    }
    return inside;
  }

  /** Weights that sum to the total or, if they are outside of the limits, the closest in them. */
  double[] nearest(double[] weights) {
    boolean[] moving = new boolean[weights.length];
    double[] result = weights.clone();
    for (int i = 0; i < weights.length; i++) {
      moving[i] = !isPinned(i);
      result[i] = moving[i] ? weights[i] : min[i];
    }
    return contain(weights) ? result : rescale(result, moving, result);
  }

  /**
   * Brings raw weights to what the others leave of the total, within the limits. With s_i = |raw_i|
   *
   * <pre>
   *   λ_i = min(max(raw_i + c s_i, min_i), max_i)    with the one c for which Σ λ_i = total
   * </pre>
   *
   * the point closest to the raw weights by Σ (λ_i − raw_i)² / s_i. Where all raw weights are
   * positive this is the paper's scaling of them by a common factor, clipped (and closest by Σ λ
   * log(λ / raw) as well). Unlike a factor, c exists whatever their signs and sum.
   *
   * <p>If c without limits breaks them, those on the side that is broken more, in sum, are at their
   * limit in the solution as well (Bitran and Hax, Management Science 27, 1981); the rest is solved
   * again. Each round settles a weight at least.
   *
   * @param raw finite; not modified
   * @param moving which weights are asked for; the others stay
   * @param weights the others; not modified
   */
  double[] rescale(double[] raw, boolean[] moving, double[] weights) {
    double[] result = weights.clone();
    boolean[] free = moving.clone();
    double left = total;
    for (int i = 0; i < raw.length; i++) {
      left -= moving[i] ? 0.0 : weights[i];
    }
    for (int round = 0; round < raw.length; round++) {
      spread(left, raw, free, result);
      double above = 0.0;
      double below = 0.0;
      for (int i = 0; i < raw.length; i++) {
        above += free[i] ? Math.max(0.0, result[i] - max[i]) : 0.0;
        below += free[i] ? Math.max(0.0, min[i] - result[i]) : 0.0;
      }
      if (above == 0.0 && below == 0.0) {
        return result;
      }
      for (int i = 0; i < raw.length; i++) {
        if (free[i] && (above >= below ? result[i] > max[i] : result[i] < min[i])) {
          result[i] = above >= below ? max[i] : min[i];
          left -= result[i];
          free[i] = false;
        }
      }
    }
    return result;
  }

  /** The solution without limits; a plain product where all raw weights are positive. */
  private static void spread(double left, double[] raw, boolean[] free, double[] result) {
    double size = 0.0; // Σ s
    double missing = 0.0; // Σ (s − raw)
    int count = 0;
    for (int i = 0; i < raw.length; i++) {
      size += free[i] ? Math.abs(raw[i]) : 0.0;
      missing += free[i] ? Math.abs(raw[i]) - raw[i] : 0.0;
      count += free[i] ? 1 : 0;
    }
    for (int i = 0; i < raw.length; i++) {
      if (free[i]) {
        double s = Math.abs(raw[i]);
        result[i] = size > 0.0 ? s * (left + missing) / size - (s - raw[i]) : left / count;
      }
    }
  }
}
