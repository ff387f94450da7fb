package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.BalancedStep;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Against an independent implementation of GradNorm, of another library, in double precision, by
 * the textbook: automatic differentiation through the gradient norms.
 */
class GoldenTrajectoryTest {
  private static final Offset<Double> ROUNDING = within(1e-12);
  private static final GoldenTrajectory GOLDEN = GoldenTrajectory.read();

  private static double[] part(double[] step, int which) {
    return Arrays.copyOfRange(step, 3 * which, 3 * which + 3);
  }

  /** The rule alone, on the losses and norms of the other implementation. */
  @ParameterizedTest
  @EnumSource(WeightUpdate.class)
  void rule_follows(WeightUpdate update) {
    List<String> tasks = List.of(GoldenTrajectory.TASKS);
    Rules.Rule rule =
        Rules.of(GradNorm.builder().weightUpdate(update), tasks.toArray(String[]::new));
    DryRun<GradNormState> state = rule.init(Rules.ones(3));
    assertThat(GOLDEN.size(update)).isEqualTo(20);
    for (int t = 0; t < GOLDEN.size(update); t++) {
      double[] golden = GOLDEN.step(update, t);
      StepMeasurement measurement =
          StepMeasurement.of(tasks)
              .at(t, 0)
              .batchSize(8)
              .losses(part(golden, 2))
              .gradientNorms(part(golden, 1))
              .lossWeights(state.lossWeights())
              .build();
      state = rule.update(state, measurement);
      assertThat(state.lossWeights()).as("step %d", t).containsExactly(part(golden, 0), ROUNDING);
    }
  }

  /** All of it: the network's own training, attached. */
  @ParameterizedTest
  @EnumSource(WeightUpdate.class)
  void attachedTraining_follows(WeightUpdate update) {
    ComputationGraph net = GOLDEN.network();
    GradNorm gradNorm = GradNorm.builder().weightUpdate(update).build().attach(net);
    assertThat(gradNorm.history().settings()).containsEntry("shared layer", "d2");
    for (int t = 0; t < GOLDEN.size(update); t++) {
      net.fit(GOLDEN.batch(t));
      double[] golden = GOLDEN.step(update, t);
      BalancedStep step = gradNorm.lastStep().orElseThrow();
      assertThat(step.nextLossWeights()).as("λ %d", t).containsExactly(part(golden, 0), ROUNDING);
      assertThat(relative(step.measurement().gradientNorms(), part(golden, 1)))
          .as("norms %d", t)
          .isLessThanOrEqualTo(1e-12);
      assertThat(relative(step.measurement().losses(), part(golden, 2)))
          .as("losses %d", t)
          .isLessThanOrEqualTo(1e-12);
    }
    double[] parameters = GOLDEN.parameters(update);
    assertThat(net.params().sumNumber().doubleValue()).isCloseTo(parameters[0], ROUNDING);
    assertThat(net.params().norm2Number().doubleValue()).isCloseTo(parameters[1], ROUNDING);
  }

  private static double relative(double[] actual, double[] expected) {
    double most = 0.0;
    for (int i = 0; i < expected.length; i++) {
      most = Math.max(most, Math.abs(actual[i] - expected[i]) / Math.abs(expected[i]));
    }
    return most;
  }
}
