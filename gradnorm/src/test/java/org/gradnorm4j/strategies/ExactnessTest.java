package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.gradnorm4j.gradnorm.TestSize;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Optimality conditions instead of trust in iterations, over random Gram matrices of every kind:
 * {@link Gradients#random}. G is normalised by its trace.
 */
@Tag(TestSize.EXHAUSTIVE)
class ExactnessTest {
  private static final double KKT = 1e-10;

  private final int trials = TestSize.of(500, 10_000);
  private Random random;

  @BeforeEach
  void seed() {
    random = new Random(20);
  }

  private static double[][] normalised(double[][] gradients) {
    double[][] gram = Gradients.gram(gradients);
    double trace = 0.0;
    for (int i = 0; i < gram.length; i++) {
      trace += gram[i][i];
    }
    for (double[] row : gram) {
      for (int j = 0; j < row.length; j++) {
        row[j] /= trace;
      }
    }
    return gram;
  }

  /** λ ≥ 0, Σλ = 1, Gλ ≥ λᵀGλ, equal where λ > 0: the natural residual min(λ, Gλ − λᵀGλ). */
  @Test
  void simplexQp_isOptimal() {
    for (int trial = 0; trial < trials; trial++) {
      double[][] gradients = Gradients.random(random);
      double[][] gram = normalised(gradients);
      double[] w = SimplexQp.solve(Gram.of(Gradients.gram(gradients)));
      double[] slopes = Gram.times(gram, w);
      double value = Gram.dot(w, slopes);
      double residual = Math.abs(Arrays.stream(w).sum() - 1.0);
      for (int i = 0; i < w.length; i++) {
        residual = Math.max(residual, Math.abs(Math.min(w[i], slopes[i] - value)));
      }
      assertThat(residual).as("trial %d, T = %d", trial, w.length).isLessThanOrEqualTo(KKT);
    }
  }

  /** v ≥ u, Gv ≥ 0, one of them equal: the natural residual min(v − u, Gv). */
  @Test
  void lowerBoundQp_isOptimal() {
    for (int trial = 0; trial < trials; trial++) {
      double[][] gradients = Gradients.random(random);
      double[][] gram = normalised(gradients);
      LowerBoundQp program = new LowerBoundQp(Gram.of(Gradients.gram(gradients)));
      int size = gram.length;
      double[] mean = new double[size];
      Arrays.fill(mean, 1.0 / size);
      double[] one = new double[size];
      one[random.nextInt(size)] = 1.0 / size;
      for (double[] u : new double[][] {mean, one}) {
        double[] v = program.solve(u);
        double[] slopes = Gram.times(gram, v);
        for (int i = 0; i < size; i++) {
          assertThat(Math.abs(Math.min(v[i] - u[i], slopes[i])))
              .as("trial %d, T = %d", trial, size)
              .isLessThanOrEqualTo(KKT);
        }
      }
    }
  }

  /**
   * d = Σ λ_i g_i is at most c‖g₀‖ from g₀, and no direction that is has a larger least gain m: λ ≥
   * e, Gλ ≥ m, equal where λ > e, and ‖d − g₀‖ = c‖g₀‖, unless m is nearly 0 as no step helps all.
   */
  @Test
  void caGrad_isOptimal() {
    int onRadius = 0;
    for (int trial = 0; trial < trials; trial++) {
      double[][] gradients = Gradients.random(random);
      double[][] gram = normalised(gradients);
      int size = gram.length;
      double[] mean = new double[size];
      Arrays.fill(mean, 1.0 / size);
      double radius = 0.5 * Math.sqrt(Math.max(0, Gram.dot(mean, Gram.times(gram, mean))));
      double[] y = Gradients.weights(CaGrad.create(), gradients);
      double[] slopes = Gram.times(gram, y);
      double least = Arrays.stream(slopes).min().orElseThrow();
      Arrays.setAll(y, i -> y[i] - mean[i]);
      for (int i = 0; i < size; i++) {
        assertThat(Math.abs(Math.min(y[i], slopes[i] - least)))
            .as("trial %d, T = %d", trial, size)
            .isLessThanOrEqualTo(KKT);
      }
      double length = Math.sqrt(Math.max(0, Gram.dot(y, Gram.times(gram, y))));
      double rounding = 1e-8 + 1e-5 * radius; // of a square root of a difference
      assertThat(length).as("trial %d", trial).isLessThanOrEqualTo(radius + rounding);
      if (length < radius - rounding) {
        assertThat(least).as("trial %d", trial).isBetween(-KKT, 1e-4);
      } else {
        onRadius++;
      }
    }
    assertThat(onRadius).isGreaterThan(trials / 4);
  }

  /** λ_i (Gλ)_i = 1, wherever the gradients are not within 1e-3 of a combination that is 0. */
  @Test
  void nash_solvesItsEquation() {
    int solved = 0;
    for (int trial = 0; trial < trials; trial++) {
      double[][] gradients = Gradients.random(random);
      double[][] gram = Gradients.gram(gradients);
      Gram parts = Gram.of(gram);
      double[] weights = FairEquation.solve(parts, 1.0);
      if (weights.length > 0) {
        solved++;
        double[] gains = Gram.times(gram, weights);
        for (int i = 0; i < weights.length; i++) {
          assertThat(Math.abs(weights[i] * gains[i] - 1.0))
              .as("trial %d", trial)
              .isLessThanOrEqualTo(1e-9);
        }
      } else {
        assertThat(shortestOfUnits(parts)).as("trial %d", trial).isLessThan(3e-3);
      }
    }
    assertThat(solved).isGreaterThan(trials / 2);
  }

  private static double shortestOfUnits(Gram gram) {
    double[] ones = new double[gram.size()];
    Arrays.fill(ones, 1.0);
    Gram units = new Gram(ones, gram.cosines());
    return units.norm(SimplexQp.solve(units));
  }

  /** λ_i^(1/α) (Gλ)_i = 1, for gradients of lengths within a factor of 100 and little conflict. */
  @Test
  void fairGrad_solvesItsEquation() {
    for (int trial = 0; trial < trials; trial++) {
      int size = 2 + random.nextInt(trial % 50 == 0 ? 99 : 20);
      double[][] gradients = new double[size][2 * size];
      for (double[] gradient : gradients) {
        double length = Math.pow(10, random.nextDouble() * 2 - 1);
        Arrays.setAll(gradient, k -> length * (0.3 + random.nextGaussian()));
      }
      double[][] gram = Gradients.gram(gradients);
      for (double alpha : new double[] {0.3, 0.5, 2.0, 10.0}) {
        double[] weights = FairEquation.solve(Gram.of(gram), alpha);
        assertThat(weights).as("trial %d, alpha %s", trial, alpha).hasSize(size);
        double[] gains = Gram.times(gram, weights);
        for (int i = 0; i < size; i++) {
          assertThat(Math.abs(Math.pow(weights[i], 1 / alpha) * gains[i] - 1.0))
              .isLessThanOrEqualTo(1e-9);
        }
      }
    }
  }

  /** No exception, nothing that is not finite, from any of those that see the Gram matrix. */
  @Test
  void everything_givesFiniteWeights() {
    for (int trial = 0; trial < trials; trial++) {
      double[][] gradients = Gradients.random(random);
      for (StepStrategy<?> strategy :
          new StepStrategy<?>[] {
            Mgda.create(),
            CaGrad.create(),
            NashMtl.create(),
            FairGrad.create(),
            PcGrad.create(),
            AlignedMtl.create(),
            UpGrad.create(),
            DualProj.create(),
            ImtlG.create(),
            ConFig.create()
          }) {
        assertThat(Gradients.weights(strategy, gradients))
            .as("%s, trial %d", strategy.name(), trial)
            .doesNotContain(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
      }
    }
  }
}
