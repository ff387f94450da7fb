package org.gradnorm4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.gradnorm4j.testing.Updaters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class UpdaterOptimizerTest {

  static Stream<IUpdater> updaters() {
    return Updaters.all();
  }

  /** One updater that lives through all steps, as DL4J keeps it, is the oracle. */
  @ParameterizedTest
  @MethodSource("updaters")
  void steps_areThoseOfTheUpdaterKeptByDl4j(IUpdater configuration) {
    int tasks = 3;
    UpdaterOptimizer optimizer = new UpdaterOptimizer(configuration);
    double[] state = optimizer.init(tasks);
    INDArray view =
        state.length == 0 ? null : Nd4j.zeros(DataType.DOUBLE, new long[] {1, state.length});
    GradientUpdater<?> kept = configuration.instantiate(view, true);
    for (int t = 0; t < 20; t++) {
      double[] gradient = {Math.sin(t), 3 - t, 0.01 * t};
      INDArray expected = Nd4j.create(gradient, new long[] {1, tasks}, DataType.DOUBLE);
      kept.applyUpdater(expected, t, 0);
      WeightOptimizer.Step step = optimizer.step(state, gradient, t, 0);
      assertThat(step.delta()).isEqualTo(expected.toDoubleVector());
      assertThat(gradient[1]).isEqualTo(3 - t);
      state = step.state();
    }
  }

  /**
   * Adam's first step is the learning rate times the sign of the gradient (Kingma & Ba, sec. 2.1).
   */
  @Test
  void adamsFirstStep_isTheLearningRate() {
    UpdaterOptimizer adam = new UpdaterOptimizer(new Adam(0.025));
    double[] delta = adam.step(adam.init(2), new double[] {5, -0.3}, 0, 0).delta();
    assertThat(delta[0]).isCloseTo(0.025, within(1e-7));
    assertThat(delta[1]).isCloseTo(-0.025, within(1e-7));
  }

  @Test
  void learningRateSchedules_areFollowed() {
    IUpdater byIteration = new Sgd(new MapSchedule(ScheduleType.ITERATION, Map.of(0, 1.0, 5, 0.5)));
    IUpdater byEpoch = new Sgd(new MapSchedule(ScheduleType.EPOCH, Map.of(0, 1.0, 2, 0.25)));
    double[] none = {};
    double[] gradient = {1.0};
    assertThat(new UpdaterOptimizer(byIteration).step(none, gradient, 4, 0).delta())
        .containsExactly(1.0);
    assertThat(new UpdaterOptimizer(byIteration).step(none, gradient, 5, 0).delta())
        .containsExactly(0.5);
    assertThat(new UpdaterOptimizer(byEpoch).step(none, gradient, 9, 2).delta())
        .containsExactly(0.25);
  }

  /** The plain ones against ND4J's, over schedules, zeros and sizes far apart. */
  @Test
  void adamAndSgdOnPlainDoubles_areNd4js() {
    for (IUpdater updater :
        List.of(
            new Adam(0.025),
            Adam.builder()
                .learningRateSchedule(new ExponentialSchedule(ScheduleType.ITERATION, 0.1, 0.9))
                .beta1(0.7)
                .beta2(0.9)
                .epsilon(1e-6)
                .build(),
            new Sgd(0.3))) {
      WeightOptimizer plain = WeightOptimizer.of(updater);
      WeightOptimizer nd4j = new UpdaterOptimizer(updater);
      assertThat(plain).isNotInstanceOf(UpdaterOptimizer.class);
      double[] plainState = plain.init(3);
      double[] nd4jState = nd4j.init(3);
      java.util.Random random = new java.util.Random(1);
      for (int step = 0; step < 200; step++) {
        double[] gradient = {random.nextGaussian(), step % 5 == 0 ? 0 : 1e-9, 1e6 * step};
        WeightOptimizer.Step actual = plain.step(plainState, gradient, step, step / 10);
        WeightOptimizer.Step expected = nd4j.step(nd4jState, gradient, step, step / 10);
        plainState = actual.state();
        nd4jState = expected.state();
        for (int i = 0; i < 3; i++) {
          assertThat(actual.delta()[i])
              .isCloseTo(expected.delta()[i], within(1e-13 * Math.abs(expected.delta()[i])));
        }
      }
    }
    assertThat(WeightOptimizer.of(new Nesterovs(0.1))).isInstanceOf(UpdaterOptimizer.class);
  }
}
