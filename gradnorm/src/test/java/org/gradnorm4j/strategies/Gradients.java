package org.gradnorm4j.strategies;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;

/** Steps made of gradients, and the weights a strategy gives them. */
final class Gradients {
  /** J = [[−4, 1, 1], [6, 1, 1]], the example of the Jacobian descent paper. */
  static final double[][] EXAMPLE = {{-4, 1, 1}, {6, 1, 1}};

  private Gradients() {}

  static double[][] gram(double[][] gradients) {
    double[][] gram = new double[gradients.length][gradients.length];
    for (int i = 0; i < gram.length; i++) {
      for (int j = 0; j < gram.length; j++) {
        gram[i][j] = Gram.dot(gradients[i], gradients[j]);
      }
    }
    return gram;
  }

  static Tasks tasks(int size) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      names.add("t" + i);
    }
    return Tasks.of(names);
  }

  static StepMeasurement step(double[][] gradients, double... losses) {
    double[][] gram = gram(gradients);
    double[] norms = new double[gram.length];
    Arrays.setAll(norms, i -> Math.sqrt(gram[i][i]));
    double[] ones = new double[gram.length];
    Arrays.fill(ones, 1.0);
    return StepMeasurement.of(tasks(gram.length))
        .losses(losses.length == 0 ? ones : losses)
        .gradientNorms(norms)
        .lossWeights(ones)
        .gram(gram)
        .build();
  }

  /** The weights of the first step. */
  static <S extends Record> double[] weights(LossWeighting<S> weighting, StepMeasurement step) {
    Decision<S> first = weighting.init(step.tasks());
    return weighting.decide(first.state(), first.lossWeights(), step).lossWeights();
  }

  static double[] weights(LossWeighting<?> weighting, double[][] gradients) {
    return weights(weighting, step(gradients));
  }

  /** Σ λ_i g_i. */
  static double[] combined(double[][] gradients, double[] weights) {
    double[] sum = new double[gradients[0].length];
    for (int i = 0; i < weights.length; i++) {
      for (int k = 0; k < sum.length; k++) {
        sum[k] += weights[i] * gradients[i][k];
      }
    }
    return sum;
  }

  /**
   * Gradients of any kind: 2 to 100 tasks, of any rank, with and without a common direction, of any
   * scale, some of different scales, equal, or nearly opposite.
   */
  static double[][] random(Random random) {
    int pick = random.nextInt(40);
    int size = pick == 0 ? 100 : 2 + random.nextInt(pick < 8 ? 40 : 10);
    double[][] gradients = new double[size][1 + random.nextInt(2 * size)];
    double common = 0.7 * random.nextInt(3);
    double scale = Math.pow(10, random.nextInt(31) - 15);
    int kind = random.nextInt(5);
    for (int i = 0; i < size; i++) {
      double own =
          switch (kind) {
            case 0 -> Math.pow(10, random.nextInt(31) - 15);
            case 1 -> Math.exp(2 * random.nextGaussian());
            default -> 1.0;
          };
      Arrays.setAll(gradients[i], k -> scale * own * (common + random.nextGaussian()));
      if (kind >= 3 && i > 0 && random.nextInt(3) == 0) {
        double[] like = gradients[random.nextInt(i)];
        double by = kind == 3 ? 1.0 : -1.0 - random.nextInt(2) * 1e-9 * random.nextGaussian();
        gradients[i] = Arrays.stream(like).map(g -> g * by).toArray();
      }
    }
    return gradients;
  }
}
