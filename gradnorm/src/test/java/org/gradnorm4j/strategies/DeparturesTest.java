package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.strategies.Gradients.EXAMPLE;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.gradnorm4j.core.StepMeasurement;
import org.junit.jupiter.api.Test;

/**
 * Where public implementations depart from their papers: each test is passed by the paper's
 * equation, and would fail by the departure. docs/strategies.md has the table.
 */
class DeparturesTest {

  /** Frank and Wolfe's iterations, stopped early, leave MGDA with weights that are not optimal. */
  @Test
  void mgda_isOptimalWithNearlyEqualGradients() {
    double[][] gradients = {{1, 0, 0}, {1, 1e-4, 0}, {1, 0, 1e-4}, {-1, 1e-3, 1e-3}};
    double[] w = Gradients.weights(Mgda.create(), gradients);
    double[] slopes = Gram.times(Gradients.gram(gradients), w);
    double value = Gram.dot(w, slopes);
    for (int i = 0; i < w.length; i++) {
      assertThat(Math.min(w[i], slopes[i] - value)).isCloseTo(0.0, within(1e-14));
    }
  }

  /** Clamped to [0.001, 0.999], a task that is in the other's way keeps a weight. */
  @Test
  void mgda_givesAWeightOf0() {
    assertThat(Gradients.weights(Mgda.create(), new double[][] {{1, 0}, {2, 1}}))
        .containsExactly(1.0, 0.0);
  }

  /** Multiplied by T, as if it were a sum of losses. */
  @Test
  void mgda_sumsTo1() {
    assertThat(Arrays.stream(Gradients.weights(Mgda.create(), EXAMPLE)).sum())
        .isCloseTo(1.0, within(1e-15));
  }

  /** Divided by 1 + c², or 1 + c: then d is not on the circle around g₀. */
  @Test
  void caGrad_isOnItsCircle() {
    double[] d = Gradients.combined(EXAMPLE, Gradients.weights(CaGrad.create(), EXAMPLE));
    double[] mean = Gradients.combined(EXAMPLE, new double[] {0.5, 0.5});
    double distance = 0.0;
    for (int k = 0; k < d.length; k++) {
      distance += (d[k] - mean[k]) * (d[k] - mean[k]);
    }
    assertThat(Math.sqrt(distance)).isCloseTo(0.5 * Math.sqrt(Gram.dot(mean, mean)), within(1e-12));
  }

  /** Convex programs stopped early, every few steps: λ_i (Gλ)_i is 1 to a percent or so. */
  @Test
  void nash_isSolvedInEveryStep() {
    double[] weights = Gradients.weights(NashMtl.create(), EXAMPLE);
    double[] gains = Gram.times(Gradients.gram(EXAMPLE), weights);
    assertThat(weights[0] * gains[0]).isCloseTo(1.0, within(1e-13));
    assertThat(weights[1] * gains[1]).isCloseTo(1.0, within(1e-13));
  }

  /** Weights of 1e-4 for long gradients stall the training at a learning rate for weights of 1. */
  @Test
  void nash_canBePutOnTheScaleOfEqualWeights() {
    double[][] gradients = {{-4e4, 1e4, 1e4}, {6e4, 1e4, 1e4}};
    assertThat(Arrays.stream(Gradients.weights(NashMtl.create(), gradients)).max().orElse(1))
        .isLessThan(1e-4);
    assertThat(
            Arrays.stream(
                    Gradients.weights(NashMtl.create().with(WeightScale.SUM_OF_TASKS), gradients))
                .sum())
        .isCloseTo(2.0, within(1e-14));
  }

  /** A loop that includes j = i, or averages: for two tasks the paper's is twice UPGrad's. */
  @Test
  void pcGrad_sumsOverOtherTasksOnly() {
    double[] pc = Gradients.weights(PcGrad.create(), EXAMPLE);
    double[] up = Gradients.weights(UpGrad.create(), EXAMPLE);
    assertThat(pc).containsExactly(new double[] {2 * up[0], 2 * up[1]}, within(1e-12));
  }

  /** One order for all i: then one shuffle decides all, and there are 3! = 6 results, not more. */
  @Test
  void pcGrad_drawsAnOrderForEachTask() {
    double[][] gradients = {{1, 0.2, 0}, {-1, 0.5, 0.3}, {-0.2, -0.9, 0.4}, {0.1, -0.3, -1}};
    long results =
        LongStream.range(0, 2_000)
            .mapToObj(
                seed ->
                    Arrays.toString(
                        Arrays.stream(Gradients.weights(PcGrad.create().withSeed(seed), gradients))
                            .map(w -> Math.rint(w * 1e9))
                            .toArray()))
            .distinct()
            .count();
    assertThat(results).isGreaterThan(24); // 4! orders, if it were one for all
  }

  /** 1e-4 added to the diagonal of the normalised G: 1.1109 in place of 10/9. */
  @Test
  void upGrad_isNotRegularised() {
    assertThat(Gradients.weights(UpGrad.create(), EXAMPLE)[0]).isCloseTo(10.0 / 9, within(1e-14));
  }

  /** Two equal tasks: a smallest eigenvalue of rounding would shrink every step to nothing. */
  @Test
  void alignedMtl_survivesEqualTasks() {
    double[][] gradients = {{1, 2, 3}, {1, 2, 3 + 1e-12}, {-2, 1, 0}};
    double[] d = Gradients.combined(gradients, Gradients.weights(AlignedMtl.create(), gradients));
    assertThat(Math.sqrt(Gram.dot(d, d))).isGreaterThan(0.1);
  }

  /** Weights that sum to 1: a learning rate T times smaller than that of equal weights. */
  @Test
  void randomWeights_sumToT() {
    double[] weights =
        Gradients.weights(RandomWeights.create(), new double[][] {{1}, {2}, {3}, {4}, {5}});
    assertThat(Arrays.stream(weights).sum()).isCloseTo(5.0, within(1e-14));
  }

  /** exp(1/L) overflows for L < 1/709: NaN weights. */
  @Test
  void uwSo_doesNotOverflow() {
    StepMeasurement step = Gradients.step(EXAMPLE, 1e-4, 1.1e-4);
    assertThat(Gradients.weights(UwSo.create(), step)[0]).isCloseTo(2.0, within(1e-12));
  }

  /** The product of 100 losses of 1e-4 is 0: its root would give weights of 0. */
  @Test
  void geometricLoss_doesNotUnderflow() {
    double[][] gradients = new double[100][1];
    double[] losses = new double[100];
    for (int i = 0; i < 100; i++) {
      gradients[i][0] = 1.0;
      losses[i] = 1e-4;
    }
    assertThat(Gradients.weights(GeometricLoss.create(), Gradients.step(gradients, losses))[0])
        .isCloseTo(0.01, within(1e-12));
  }

  /** The weights that are applied are those that are reported: elsewhere 1 whatever is applied. */
  @Test
  void dbMtl_reportsItsWeights() {
    assertThat(Gradients.weights(DbMtl.create(), Gradients.step(EXAMPLE, 1, 2))[1])
        .isCloseTo(Math.sqrt(18.0 / 38), within(1e-12));
  }

  /** A sum of v that is negative turns the step around: all tasks ascend. */
  @Test
  void imtlG_neverTurnsAround() {
    double[][] gradients = {{1, 0.1}, {100, -20}, {1.1, 0.11001}};
    double[] weights = Gradients.weights(ImtlG.create(), gradients);
    double[] d = Gradients.combined(gradients, weights);
    for (double[] gradient : gradients) {
      assertThat(Gram.dot(gradient, d)).isPositive();
    }
  }
}
