package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import java.nio.file.Path;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.history.History;
import org.gradnorm4j.testing.LogLines;
import org.gradnorm4j.testing.Networks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.learning.config.Nadam;

/** A GradNorm that meets a second network: goes on, and says so, or begins anew. */
class AttachAgainTest {

  @Test
  void anotherNetwork_getsTheRunOfTheFirst_andTheLogSaysSo(@TempDir Path folder) throws Exception {
    ComputationGraph first = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build();
    try (LogLines log = new LogLines(LossBalancer.class)) {
      gradNorm.attach(first);
      TrainingProcess.train(first, 5);
      gradNorm.detach();
      gradNorm.attach(first); // the same: nothing to say
      gradNorm.detach();
      assertThat(log.of(Level.WARN)).isEmpty();
      Map<String, Double> weights = gradNorm.lossWeights();
      gradNorm.attach(TrainingProcess.network());
      assertThat(gradNorm.lossWeights()).isEqualTo(weights);
      assertThat(log.of(Level.WARN))
          .singleElement()
          .asString()
          .startsWith(
              "attached to another network than before: it begins with the loss weights {a=")
          .contains("of 5 steps of the other")
          .contains("reset()");
      gradNorm.save(folder.resolve("state.json")); // a restored one has no network before it
      GradNorm.restore(folder.resolve("state.json")).attach(TrainingProcess.network());
      assertThat(log.of(Level.WARN)).hasSize(1);
    }
  }

  /** The oracle: a GradNorm that was never used before. */
  @Test
  void resetWhileDetached_theNextNetworkIsTheFirst() {
    ComputationGraph first = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(first);
    TrainingProcess.train(first, 5);
    gradNorm.freeze();
    gradNorm.detach();
    gradNorm.reset();
    assertThat(gradNorm.lastStep()).isEmpty();
    try (LogLines log = new LogLines(LossBalancer.class)) {
      ComputationGraph other = Networks.network("x", "y"); // other tasks, even
      gradNorm.attach(other);
      assertThat(gradNorm.lossWeights()).isEqualTo(Map.of("x", 1.0, "y", 1.0));
      gradNorm.detach();
      gradNorm.reset();
      assertThat(log.of(Level.WARN)).isEmpty();
    }
    assertSameAsNew(gradNorm.attach(TrainingProcess.network()), GradNorm.builder());
  }

  @Test
  void resetWhileAttached_beginsAnewWithTheNextStep() {
    ComputationGraph net = TrainingProcess.network();
    GradNormBuilder settings =
        GradNorm.builder().measureEvery(2).initialLossWeights(Map.of("a", 2.0));
    GradNorm gradNorm = settings.build().attach(net);
    TrainingProcess.train(net, 5);
    gradNorm.freeze(2);
    gradNorm.change(changes -> changes.alpha(0.1));
    History before = gradNorm.history();
    gradNorm.reset();
    assertThat(gradNorm.lossWeights()).isEqualTo(Map.of("a", 2.0, "b", 1.0, "c", 1.0));
    assertThat(gradNorm.lastStep()).isEmpty();
    assertThat(gradNorm.history().size()).isZero();
    assertThat(before.size()).isEqualTo(3);
    assertThat(gradNorm.history().settings())
        .containsEntry("alpha", "0.1")
        .doesNotContainKey("changed");
    TrainingProcess.train(net, 3); // iterations 5 and 7 are measured
    assertThat(gradNorm.history().size()).isEqualTo(2);
    assertThat(gradNorm.history().rows().findFirst().orElseThrow().lossWeight()).isEqualTo(2.0);
  }

  private static void assertSameAsNew(GradNorm gradNorm, GradNormBuilder settings) {
    ComputationGraph twin = TrainingProcess.network();
    GradNorm fresh = settings.build().attach(twin);
    TrainingProcess.train(twin, 4);
    gradNorm.detach();
    ComputationGraph net = TrainingProcess.network();
    gradNorm.reset();
    gradNorm.attach(net);
    TrainingProcess.train(net, 4);
    assertThat(gradNorm.lastStep()).isEqualTo(fresh.lastStep());
    assertThat(net.params().toFloatVector()).isEqualTo(twin.params().toFloatVector());
  }

  /** A reader on another thread never finds half of a run. */
  @Test
  void reset_whileAnotherThreadReads() throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    var failure = new java.util.concurrent.atomic.AtomicReference<RuntimeException>();
    var done = new java.util.concurrent.atomic.AtomicBoolean();
    Thread reader =
        new Thread(
            () -> {
              while (!done.get()) {
                try {
                  gradNorm.lossWeights();
                  gradNorm.skips();
                  gradNorm.history().size();
                } catch (RuntimeException e) {
                  failure.set(e);
                }
              }
            });
    reader.start();
    for (int t = 0; t < 50; t++) {
      TrainingProcess.train(net, 1);
      gradNorm.reset();
    }
    done.set(true);
    reader.join();
    assertThat(failure.get()).isNull();
  }

  /** What makes a setting count for less than it says is logged, once a run. */
  @Test
  void noticesAreLoggedOnce() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm.builder().lossWeightUpdater(new Nadam(0.1)).build().attach(net);
    try (LogLines log = new LogLines(LossBalancer.class)) {
      TrainingProcess.train(net, 5);
      assertThat(log.of(Level.WARN))
          .singleElement()
          .asString()
          .startsWith("lossWeightUpdater (Nadam(")
          .contains("asked in iteration 0 for a larger step of a loss weight than is taken")
          .endsWith("Use a smaller learning rate");
    }
    ComputationGraph alone = TrainingProcess.network();
    GradNorm.builder().taskWindow(2).build().attach(alone);
    try (LogLines log = new LogLines(LossBalancer.class)) {
      for (int t = 0; t < 5; t++) {
        var batch = TrainingProcess.batch(t);
        batch.setLabelsMaskArray(
            0, org.nd4j.linalg.factory.Nd4j.zeros(org.nd4j.linalg.api.buffer.DataType.FLOAT, 8, 1));
        batch.setLabelsMaskArray(
            2, org.nd4j.linalg.factory.Nd4j.zeros(org.nd4j.linalg.api.buffer.DataType.FLOAT, 8, 1));
        alone.fit(batch);
      }
      assertThat(log.of(Level.WARN))
          .containsExactly(
              "iteration 1 has labels of one task, and no other task had any within the last 2 measured steps: the loss weights stay as they are. Mix the tasks' minibatches, set a larger taskWindow(...), or a measureEvery(...) that meets all of them");
    }
  }
}
