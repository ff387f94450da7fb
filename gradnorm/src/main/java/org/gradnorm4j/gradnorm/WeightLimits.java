package org.gradnorm4j.gradnorm;

import java.util.List;

/**
 * Where loss weights may be: min_i ≤ λ_i ≤ max_i, and Σ λ_i as at the start. A pinned task has
 * min_i = max_i.
 *
 * @param min −∞ for none
 * @param max +∞ for none
 * @param total Σ λ_i
 */
record WeightLimits(double[] min, double[] max, double total) {
  /** How far sums may be apart by rounding, relative to them. */
  private static final double ROUNDING = 1e-12;

  /**
   * For the tasks of a network.
   *
   * @param total Σ λ_i
   * @param smallest the least of a weight for which nothing else is set, as a share of Σ λ
   * @throws IllegalArgumentException if no weights are within these limits; says which
   */
  static WeightLimits of(List<TaskSettings> tasks, double total, double smallest) {
    int count = tasks.size();
    double[] min = new double[count];
    double[] max = new double[count];
    for (int i = 0; i < count; i++) {
      TaskSettings task = tasks.get(i);
      min[i] = task.minWeight() == null ? smallest * total : task.minWeight();
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

  /** Σ λ_i: as configured or, if no weight may move, that of the pins. */
  static double total(List<TaskSettings> tasks, double[] configured) {
    boolean allPinned = tasks.stream().allMatch(task -> task.pin() != null);
    double total = 0.0;
    for (int i = 0; i < configured.length; i++) {
      total += allPinned ? tasks.get(i).pin() : configured[i];
    }
    return total;
  }

  private void checkFeasible() {
    double least = 0.0;
    double most = 0.0;
    for (int i = 0; i < min.length; i++) {
      least += Math.max(0.0, min[i]);
      most += max[i];
    }
    if (least > total * (1.0 + ROUNDING)) {
      throw new IllegalArgumentException(
          "loss weights have to sum to %s, but pinned and minimum weights make %s. Lower them: pin(...), weightLimits(...)"
              .formatted(total, least));
    }
    if (most < total * (1.0 - ROUNDING)) {
      throw new IllegalArgumentException(
          "loss weights have to sum to %s, but pinned and maximum weights make %s. Raise them: pin(...), weightLimits(...)"
              .formatted(total, most));
    }
  }

  boolean isPinned(int task) {
    return min[task] == max[task];
  }

  /** A proportion for {@link #rescale}. */
  double clip(double weight, int task) {
    return min[task] >= 0.0 ? Math.max(weight, 0.0) : weight;
  }

  /**
   * The configured weights or, if they are outside of the limits, what is in them in proportion.
   */
  double[] start(double[] configured) {
    boolean[] moving = new boolean[configured.length];
    double[] weights = configured.clone();
    boolean inside = true;
    for (int i = 0; i < weights.length; i++) {
      moving[i] = !isPinned(i);
      inside &= weights[i] >= min[i] && weights[i] <= max[i];
      weights[i] = moving[i] ? weights[i] : min[i];
    }
    return inside ? weights : rescale(weights, moving, weights);
  }

  /**
   * The weights in the proportions of the raw ones that sum to what the others leave, within the
   * limits: λ_i = min(max(c raw_i, min_i), max_i) with the one c for which Σ λ_i = total. They are
   * the closest to the raw ones by Σ λ log(λ / raw).
   *
   * <p>If c without limits breaks them, those on the side that is broken more, in sum, are at their
   * limit in the solution as well (Bitran and Hax, Management Science 27, 1981); the rest is solved
   * again.
   *
   * @param raw proportions, &ge; 0 where there are limits
   * @param moving which weights are asked for; the others stay
   * @param weights the others
   */
  double[] rescale(double[] raw, boolean[] moving, double[] weights) {
    double[] result = weights.clone();
    boolean[] free = moving.clone();
    double left = total;
    for (int i = 0; i < raw.length; i++) {
      left -= moving[i] ? 0.0 : weights[i];
    }
    while (true) {
      double sum = 0.0;
      int count = 0;
      for (int i = 0; i < raw.length; i++) {
        sum += free[i] ? raw[i] : 0.0;
        count += free[i] ? 1 : 0;
      }
      double above = 0.0;
      double below = 0.0;
      for (int i = 0; i < raw.length; i++) {
        if (free[i]) {
          result[i] = sum > 0.0 ? raw[i] * left / sum : left / count;
          above += Math.max(0.0, result[i] - max[i]);
          below += Math.max(0.0, min[i] - result[i]);
        }
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
  }
}
