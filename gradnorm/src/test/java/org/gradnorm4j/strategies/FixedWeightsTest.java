package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.testing.Networks;
import org.junit.jupiter.api.Test;

class FixedWeightsTest {

  @Test
  void weights_areThoseOfTheTasksByName() {
    assertThat(
            FixedWeights.of(Map.of("b", 2.0, "a", -0.5))
                .init(Tasks.of(List.of("a", "b")))
                .lossWeights())
        .containsExactly(-0.5, 2.0);
  }

  @Test
  void otherTasks_areRefusedAtAttach_andTheNetworkStaysPlain() {
    ComputationGraph net = Networks.network("a", "b");
    LossBalancer balancer = LossBalancer.of(FixedWeights.of(Map.of("a", 1.0)));
    assertThatThrownBy(() -> balancer.attach(net))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "there are loss weights for the tasks [a], but the network has the tasks [a, b]. Give one for each of them");
    assertThat(balancer.isAttached()).isFalse();
    LossBalancer.of(EqualWeights.create()).attach(net).detach(); // not attached by the first
  }

  @Test
  void impossibleWeights_areRefusedByName() {
    assertThatThrownBy(() -> FixedWeights.of(null))
        .hasMessage("lossWeights (null) must have a weight for each task");
    assertThatThrownBy(() -> FixedWeights.of(Map.of()))
        .hasMessage("lossWeights ({}) must have a weight for each task");
    for (Double bad : new Double[] {0.0, Double.NaN, Double.NEGATIVE_INFINITY, null}) {
      Map<String, Double> weights = new HashMap<>();
      weights.put("a", bad);
      assertThatThrownBy(() -> FixedWeights.of(weights))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "loss weight of 'a' ("
                  + bad
                  + ") must be finite and not 0. Use a small weight instead, such as 1e-6");
    }
  }
}
