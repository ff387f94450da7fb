package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WeightLimitsTest {

  /**
   * The oracle tries every way of which weights are at their minimum, at their maximum, or free: of
   * those where the free ones, in the proportions of the raw, fit the sum and the limits, the one
   * closest by Σ λ log(λ/raw).
   */
  private static double[] bruteForce(double[] raw, double[] min, double[] max, double total) {
    int n = raw.length;
    double[] best = null;
    double least = Double.POSITIVE_INFINITY;
    for (int code = 0; code < Math.pow(3, n); code++) {
      double[] weights = new double[n];
      double left = total;
      double free = 0.0;
      for (int i = 0, digits = code; i < n; i++, digits /= 3) {
        weights[i] = digits % 3 == 0 ? min[i] : digits % 3 == 1 ? max[i] : Double.NaN;
        left -= Double.isNaN(weights[i]) ? 0.0 : weights[i];
        free += Double.isNaN(weights[i]) ? raw[i] : 0.0;
      }
      double divergence = 0.0;
      double sum = 0.0;
      boolean inside = true;
      for (int i = 0; i < n; i++) {
        weights[i] = Double.isNaN(weights[i]) ? raw[i] * left / free : weights[i];
        inside &= weights[i] >= min[i] - 1e-12 && weights[i] <= max[i] + 1e-12;
        divergence += weights[i] * Math.log(weights[i] / raw[i]);
        sum += weights[i];
      }
      if (inside && Math.abs(sum - total) < 1e-9 && divergence < least) {
        least = divergence;
        best = weights;
      }
    }
    return best;
  }

  @Test
  void rescaledWeights_areTheClosestWithinTheLimits() {
    Random random = new Random(11);
    int limited = 0;
    for (int round = 0; round < 3000; round++) {
      int n = 2 + random.nextInt(5);
      double[] raw = random.doubles(n, -9, 3).map(Math::exp).toArray();
      double[] min = random.doubles(n, 0.001, 0.9).toArray();
      double[] max = Arrays.stream(min).map(m -> m + 2 * random.nextDouble()).toArray();
      double least = Arrays.stream(min).sum();
      double most = Arrays.stream(max).sum();
      double total = least + (most - least) * random.nextDouble();
      boolean[] moving = new boolean[n];
      Arrays.fill(moving, true);
      double[] actual = new WeightLimits(min, max, total).rescale(raw, moving, raw);
      double[] expected = bruteForce(raw, min, max, total);
      assertThat(actual).containsExactly(expected, within(1e-9));
      for (int i = 0; i < n; i++) {
        limited += actual[i] == min[i] || actual[i] == max[i] ? 1 : 0;
      }
    }
    assertThat(limited).isGreaterThan(3000);
  }

  /**
   * Raw weights of both signs, with and without limits. The oracle tries every way of which are at
   * a limit: of those where the free ones, raw + c |raw|, fit the sum and the limits, the one
   * closest by Σ (λ − raw)² / |raw|.
   */
  @Test
  void weightsOfBothSigns_areTheClosestWithinTheLimits() {
    Random random = new Random(12);
    int negative = 0;
    int limited = 0;
    for (int round = 0; round < 3000; round++) {
      int n = 2 + random.nextInt(5);
      double[] raw = random.doubles(n, -9, 3).map(Math::exp).toArray();
      double[] inside = random.doubles(n, -2, 3).toArray(); // so that there is a solution
      double[] min = new double[n];
      double[] max = new double[n];
      for (int i = 0; i < n; i++) {
        raw[i] *= random.nextInt(3) == 0 ? -1 : 1;
        boolean free = random.nextInt(3) == 0;
        min[i] = free ? Double.NEGATIVE_INFINITY : inside[i] - random.nextDouble();
        max[i] = free ? Double.POSITIVE_INFINITY : inside[i] + random.nextDouble();
      }
      double total = Arrays.stream(inside).sum();
      boolean[] moving = new boolean[n];
      Arrays.fill(moving, true);
      double[] actual = new WeightLimits(min, max, total).rescale(raw, moving, raw);
      double[] expected = closest(raw, min, max, total);
      assertThat(actual).containsExactly(expected, within(1e-8));
      for (int i = 0; i < n; i++) {
        negative += actual[i] < 0 ? 1 : 0;
        limited += actual[i] == min[i] || actual[i] == max[i] ? 1 : 0;
      }
    }
    assertThat(negative).isGreaterThan(2000);
    assertThat(limited).isGreaterThan(2000);
  }

  private static double[] closest(double[] raw, double[] min, double[] max, double total) {
    int n = raw.length;
    double[] best = null;
    double least = Double.POSITIVE_INFINITY;
    for (int code = 0; code < Math.pow(3, n); code++) {
      double[] weights = new double[n];
      double left = total;
      double size = 0.0;
      for (int i = 0, digits = code; i < n; i++, digits /= 3) {
        weights[i] = digits % 3 == 0 ? min[i] : digits % 3 == 1 ? max[i] : Double.NaN;
        boolean free = Double.isNaN(weights[i]);
        left -= free ? raw[i] : weights[i];
        size += free ? Math.abs(raw[i]) : 0.0;
      }
      double distance = 0.0;
      double sum = 0.0;
      boolean inside = true;
      for (int i = 0; i < n; i++) {
        weights[i] =
            Double.isNaN(weights[i]) ? raw[i] + left / size * Math.abs(raw[i]) : weights[i];
        inside &= weights[i] >= min[i] - 1e-12 && weights[i] <= max[i] + 1e-12;
        distance += (weights[i] - raw[i]) * (weights[i] - raw[i]) / Math.abs(raw[i]);
        sum += weights[i];
      }
      if (inside && Math.abs(sum - total) < 1e-9 && distance < least) {
        least = distance;
        best = weights;
      }
    }
    return best;
  }

  /** A common factor would be 1.2 / (0.5 − 0.49) = 120, and the weights (−58.8, 60, 1.8). */
  @Test
  void weightsThatCancel_areNotBlownUp() {
    double[] min = {Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.5};
    double[] max = {Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, 1.8};
    double[] raw = {-0.49, 0.5, 1};
    boolean[] moving = {true, true, true};
    double c = 1.19 / 0.99; // (3 − 1.8 − 0.01) / (0.49 + 0.5)
    assertThat(new WeightLimits(min, max, 3.0).rescale(raw, moving, raw))
        .containsExactly(new double[] {-0.49 + c * 0.49, 0.5 + c * 0.5, 1.8}, within(1e-14));
  }

  @Test
  void rawWeightsOfNothing_shareEqually() {
    double[] free = {Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.5};
    double[] none = {Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, 1.0};
    boolean[] moving = {true, true, true};
    WeightLimits limits = new WeightLimits(free, none, 3.0);
    assertThat(limits.rescale(new double[3], moving, new double[3])).containsExactly(1, 1, 1);
    assertThat(limits.rescale(new double[] {0, 0, 9}, moving, new double[3]))
        .containsExactly(1, 1, 1);
  }

  /** Arithmetic that overflows ends, too; the rule skips what comes out. */
  @Test
  void nan_doesNotLoop() {
    double[] min = {0.1, 0.1, 0.1};
    double[] max = {2, 2, 2};
    double[] raw = {Double.NaN, 1, 5};
    boolean[] moving = {true, true, true};
    assertThat(new WeightLimits(min, max, 3.0).rescale(raw, moving, raw)).hasSize(3);
  }

  @Test
  void weightsThatDoNotMove_areLeft_theOthersShareTheRest() {
    WeightLimits limits =
        new WeightLimits(new double[] {0.1, 0.1, 0.1}, new double[] {2, 2, 2}, 3.0);
    double[] weights = {0.7, 1.2, 1.1};
    double[] moved =
        limits.rescale(new double[] {1, 9, 3}, new boolean[] {true, false, true}, weights);
    assertThat(moved[1]).isEqualTo(1.2);
    assertThat(moved[0]).isCloseTo(1.8 / 4, within(1e-15)); // 3 − 1.2 in the proportion 1 : 3
    assertThat(moved[2]).isCloseTo(1.8 * 3 / 4, within(1e-15));
  }

  private static TaskSettings limits(double min, double max) {
    return TaskSettings.NONE.withLimits(min, max);
  }

  @Test
  void limitsThatNoWeightsMeet_areRefused() {
    assertThatThrownBy(
            () ->
                WeightLimits.of(
                    List.of(limits(1.1, 2), limits(1.1, 2)), WeightUpdate.MULTIPLICATIVE, 2.0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "loss weights have to sum to 2.0, but pinned and minimum weights make 2.2. Lower them: pin(...), weightLimits(...)");
    assertThatThrownBy(
            () ->
                WeightLimits.of(
                    List.of(limits(0.1, 0.5), limits(0.1, 0.5)), WeightUpdate.MULTIPLICATIVE, 2.0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("pinned and maximum weights make 1.0. Raise them");
    assertThatThrownBy(
            () ->
                WeightLimits.of(
                    List.of(TaskSettings.NONE.withPin(2.5), TaskSettings.NONE),
                    WeightUpdate.MULTIPLICATIVE,
                    2.0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("pinned and minimum weights make 2.5");
    assertThatThrownBy(() -> GradNorm.builder().weightLimits(0.5, 0.4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maximum weight (0.4) must be >= the minimum weight (0.5)");
    assertThatThrownBy(() -> GradNorm.builder().pin("a", 0.0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("pinned weight (0.0) must be > 0");
  }

  /** A weight that is not limited must have something left. */
  @Test
  void pinsThatLeaveNothing_areRefused() {
    List<TaskSettings> tasks = List.of(TaskSettings.NONE.withPin(2.0), TaskSettings.NONE);
    for (WeightUpdate update : WeightUpdate.values()) {
      assertThatThrownBy(() -> WeightLimits.of(tasks, update, 2.0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("Lower them: pin(...)");
    }
  }

  @Test
  void start_isAsConfigured_unlessTheLimitsSayOtherwise() {
    List<TaskSettings> none = List.of(TaskSettings.NONE, TaskSettings.NONE);
    double[] configured = {1.0, 0.1};
    assertThat(WeightLimits.of(none, WeightUpdate.MULTIPLICATIVE, 1.1).nearest(configured))
        .containsExactly(1.0, 0.1);
    List<TaskSettings> pinned = List.of(TaskSettings.NONE.withPin(0.5), TaskSettings.NONE);
    assertThat(
            WeightLimits.of(pinned, WeightUpdate.MULTIPLICATIVE, 2.0).nearest(new double[] {1, 1}))
        .containsExactly(0.5, 1.5);
    List<TaskSettings> all =
        List.of(TaskSettings.NONE.withPin(0.5), TaskSettings.NONE.withPin(0.7));
    double total = WeightLimits.total(all, 2.0);
    assertThat(total).isEqualTo(1.2);
    assertThat(
            WeightLimits.of(all, WeightUpdate.MULTIPLICATIVE, total).nearest(new double[] {1, 1}))
        .containsExactly(0.5, 0.7);
  }
}
