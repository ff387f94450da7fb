package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.NonFinitePolicy;
import org.gradnorm4j.weighting.SkipCause;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/** A fit that ends at a value that is not finite, in a network. */
class NonFinitePolicyTest {

  private static INDArray updaterState(ComputationGraph net) {
    return net.getUpdater().getUpdaterStateViewArray();
  }

  /** The oracle: a network that never saw the bad minibatch. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void thrown_theNetworkIsAsBefore_andGoesOn(boolean features) {
    ComputationGraph net = TrainingProcess.network();
    ComputationGraph twin = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().onNonFinite(NonFinitePolicy.THROW).build().attach(net);
    GradNorm twinNorm = GradNorm.builder().build().attach(twin);
    TrainingProcess.train(net, 4);
    TrainingProcess.train(twin, 4);
    INDArray parameters = net.params().dup();
    INDArray moments = updaterState(net).dup();
    var weights = gradNorm.lossWeights();

    MultiDataSet bad = TrainingProcess.batch(4);
    if (features) {
      bad.getFeatures(0).putScalar(0, Float.NaN);
    } else {
      bad.getLabels(1).putScalar(0, Float.POSITIVE_INFINITY);
    }
    for (int time = 1; time <= 2; time++) {
      assertThatThrownBy(() -> net.fit(bad))
          .isInstanceOf(ArithmeticException.class)
          .hasMessageStartingWith("not finite in iteration 4: {")
          .hasMessageContaining("b=[LOSS")
          .hasMessageContaining("The parameters have not changed");
      assertThat(net.params().toFloatVector()).isEqualTo(parameters.toFloatVector());
      assertThat(updaterState(net).toFloatVector()).isEqualTo(moments.toFloatVector());
      assertThat(net.getIterationCount()).isEqualTo(4);
      assertThat(gradNorm.lossWeights()).isEqualTo(weights);
      assertThat(gradNorm.lastStep().orElseThrow().skipped()).isTrue();
      assertThat(gradNorm.skips().get("b")).containsEntry(SkipCause.LOSS, time);
    }

    TrainingProcess.train(net, 6);
    TrainingProcess.train(twin, 6);
    assertThat(net.params().toFloatVector()).isEqualTo(twin.params().toFloatVector());
    assertThat(updaterState(net).toFloatVector()).isEqualTo(updaterState(twin).toFloatVector());
    assertThat(gradNorm.lossWeights()).isEqualTo(twinNorm.lossWeights()).isNotEqualTo(weights);
    assertThat(gradNorm.lastStep()).isEqualTo(twinNorm.lastStep());
  }
}
