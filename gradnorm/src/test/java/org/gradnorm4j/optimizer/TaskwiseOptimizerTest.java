package org.gradnorm4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.gradnorm4j.testing.Updaters;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.learning.config.IUpdater;

class TaskwiseOptimizerTest {

  static Stream<IUpdater> updaters() {
    return Updaters.all();
  }

  /** Each task against an optimiser of its own that sees only its gradients. */
  @ParameterizedTest
  @MethodSource("updaters")
  void everyUpdater_keepsEachTasksMomentsApart(IUpdater updater) {
    WeightOptimizer plain = WeightOptimizer.of(updater);
    TaskwiseOptimizer optimizer = new TaskwiseOptimizer(plain);
    int tasks = 4;
    double[] state = optimizer.init(tasks);
    int[] counts = new int[tasks];
    double[][] alone = new double[tasks][];
    Arrays.setAll(alone, i -> plain.init(1));
    Random random = new Random(1);
    for (int t = 0; t < 60; t++) {
      double[] gradient = random.doubles(tasks, -2, 2).toArray();
      boolean[] moving = new boolean[tasks];
      for (int i = 0; i < tasks; i++) {
        moving[i] = random.nextInt(3) > 0;
      }
      TaskwiseOptimizer.Step step = optimizer.step(state, counts, gradient, moving, 0);
      for (int i = 0; i < tasks; i++) {
        if (!moving[i]) {
          assertThat(step.delta()[i]).isZero();
          continue;
        }
        WeightOptimizer.Step own = plain.step(alone[i], new double[] {gradient[i]}, counts[i], 0);
        alone[i] = own.state();
        assertThat(step.delta()[i]).isCloseTo(own.delta()[0], within(1e-14));
      }
      state = step.state();
      counts = step.counts();
    }
  }
}
