package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.gradnorm.Rules.names;

import ch.qos.logback.classic.Level;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.balancer.NonFinitePolicy;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.Row;
import org.gradnorm4j.persist.StateFile;
import org.gradnorm4j.testing.LogLines;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** A run that is steered: weights to begin with, and settings that change while it goes on. */
class SettingsChangeTest {

  private static GradNorm trained(GradNormBuilder settings, int steps) {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = settings.build().attach(net);
    TrainingProcess.train(net, steps);
    return gradNorm;
  }

  @Test
  void initialLossWeights_areBegunWith_andTheirSumStays() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm =
        GradNorm.builder().initialLossWeights(Map.of("a", 20.0, "c", 0.5)).build().attach(net);
    assertThat(gradNorm.lossWeights())
        .containsExactly(Map.entry("a", 20.0), Map.entry("b", 1.0), Map.entry("c", 0.5));
    TrainingProcess.train(net, 1);
    StepMeasurement first = gradNorm.lastStep().orElseThrow().measurement();
    assertThat(first.lossWeights()).containsExactly(20, 1, 0.5);
    TrainingProcess.train(net, 10);
    assertThat(gradNorm.lossWeights().values().stream().mapToDouble(w -> w).sum())
        .isCloseTo(21.5, within(1e-12));
    assertThat(gradNorm.lossWeights().get("a")).isNotEqualTo(20.0);
    assertThat(gradNorm.history().settings()).containsEntry("a: initial loss weight", "20.0");
  }

  @Test
  void initialLossWeights_thatCannotBe_areRefused() {
    GradNormBuilder outside =
        GradNorm.builder().weightLimits(0.1, 1.5).initialLossWeights(Map.of("b", 2.0));
    assertThatThrownBy(() -> outside.build().attach(TrainingProcess.network()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "task 'b': initial loss weight (2.0) must be within its limits [0.1, 1.5]. Change either: initialLossWeights(...), weightLimits(...)");
    assertThatThrownBy(
            () ->
                GradNorm.builder()
                    .initialLossWeights(Map.of("x", 2.0))
                    .build()
                    .attach(TrainingProcess.network()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("there are settings for task 'x', but the network has the tasks [a, b, c]");
    for (double bad : new double[] {0.0, -1.0, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> GradNorm.builder().initialLossWeights(Map.of("a", bad)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("initial loss weight (" + bad + ") must be > 0 and finite");
    }
    Map<String, Double> gap = new HashMap<>();
    gap.put("a", null);
    assertThatThrownBy(() -> GradNorm.builder().initialLossWeights(gap))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "initialLossWeights of 'a' (null) must have a weight for each task that it names");
  }

  /** The oracle: a rule with the new settings, on the state that there was. */
  @Test
  void change_takesEffectFromTheNextStep_onTheStateThereIs() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    TrainingProcess.train(net, 10);
    Map<String, Double> weights = gradNorm.lossWeights();
    double[] initial = initialLosses(gradNorm);
    Rules.Rule before = Rules.of(GradNorm.builder(), TrainingProcess.TASKS);
    Rules.Rule after =
        Rules.of(
            GradNorm.builder().alpha(0.2).lossWeightUpdater(new Adam(0.1)), TrainingProcess.TASKS);

    assertThat(gradNorm.change(settings -> settings.alpha(0.2).lossWeightUpdater(new Adam(0.1))))
        .isSameAs(gradNorm);
    assertThat(gradNorm.lossWeights()).isEqualTo(weights);
    assertThat(gradNorm.history().size()).isEqualTo(10);
    TrainingProcess.train(net, 5);
    assertThat(initialLosses(gradNorm)).isEqualTo(initial);

    // All again from the measurements alone.
    ComputationGraph twin = TrainingProcess.network();
    DryRun<GradNormState> state = before.init(Rules.ones(3));
    GradNorm replayed = GradNorm.builder().build().attach(twin);
    for (int t = 0; t < 15; t++) {
      if (t == 10) {
        replayed.change(settings -> settings.alpha(0.2).lossWeightUpdater(new Adam(0.1)));
      }
      TrainingProcess.train(twin, 1);
      StepMeasurement measurement = replayed.lastStep().orElseThrow().measurement();
      state = (t < 10 ? before : after).update(state, measurement);
    }
    assertThat(gradNorm.lossWeights().values())
        .containsExactly(state.lossWeights()[0], state.lossWeights()[1], state.lossWeights()[2]);
  }

  @Test
  void change_isToldInSettingsAndLog_andSaved(@TempDir Path folder) throws Exception {
    GradNorm gradNorm = trained(GradNorm.builder(), 4);
    try (LogLines log = new LogLines(LossBalancer.class)) {
      gradNorm.change(settings -> settings.alpha(0.5));
      gradNorm.change(settings -> settings.weightLimits("a", 0.2, 2.0));
      assertThat(log.of(Level.INFO))
          .containsExactly(
              "settings changed: [iteration 4: alpha 1.5 -> 0.5]",
              "settings changed: [iteration 4: a: minimum weight none -> 0.2, iteration 4: a: maximum weight none -> 2.0]");
    }
    assertThat(gradNorm.history().settings())
        .containsEntry("alpha", "0.5")
        .containsEntry(
            "changed",
            "iteration 4: alpha 1.5 -> 0.5; iteration 4: a: minimum weight none -> 0.2; iteration 4: a: maximum weight none -> 2.0");
    Path file = folder.resolve("state.json");
    gradNorm.save(file);
    GradNorm restored = GradNorm.restore(file);
    assertThat(restored.history().settings()).isEqualTo(gradNorm.history().settings());
    // and steered again before it is attached
    restored.change(settings -> settings.alpha(0.1)).attach(TrainingProcess.network());
    assertThat(restored.lossWeights()).isEqualTo(gradNorm.lossWeights());
    assertThat(restored.history().settings()).containsEntry("alpha", "0.1");
  }

  @Test
  void whatTheRunWasMeasuredWith_cannotChange() {
    GradNorm gradNorm = trained(GradNorm.builder(), 3);
    Map<String, Consumer<GradNormBuilder>> refused =
        Map.of(
            "sharedLayer", settings -> settings.sharedLayer("trunk"),
            "lossScale", settings -> settings.lossScale(LossScale.LABELS),
            "initialLoss", settings -> settings.initialLoss("a", InitialLoss.of(3)),
            "lossShift", settings -> settings.lossShift("a", 1),
            "lossFloor", settings -> settings.lossFloor("b", 1),
            "initialLossWeights", settings -> settings.initialLossWeights(Map.of("a", 2.0)));
    refused.forEach(
        (name, change) ->
            assertThatThrownBy(() -> gradNorm.change(change))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(name + " (")
                .hasMessageContaining("cannot change to")
                .hasMessageContaining("reset()"));
    assertThatThrownBy(() -> gradNorm.change(settings -> settings.pin("a", 5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Lower them: pin(...)");
    assertThatThrownBy(() -> gradNorm.change(settings -> settings.prior("x", 5)))
        .hasMessageContaining("there are settings for task 'x'");
    assertThat(gradNorm.history().settings()).doesNotContainKey("changed");
    GradNorm fresh = GradNorm.builder().build(); // before it has begun, anything can
    refused.values().forEach(fresh::change);
    fresh.attach(TrainingProcess.network());
    assertThat(fresh.lossWeights()).containsEntry("a", 2.0);
  }

  @Test
  void newLimitsAndPins_bringTheWeightsWithinThem_inTheNetworkToo() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    TrainingProcess.train(net, 5);
    gradNorm.change(settings -> settings.pin("b", 0.25));
    double[] weights =
        gradNorm.lossWeights().values().stream().mapToDouble(Double::doubleValue).toArray();
    assertThat(weights[1]).isEqualTo(0.25);
    assertThat(weights[0] + weights[1] + weights[2]).isCloseTo(3, within(1e-12));
    TrainingProcess.train(net, 1);
    assertThat(gradNorm.lastStep().orElseThrow().measurement().lossWeights())
        .containsExactly(weights);
  }

  /** Moments of one kind of updater mean nothing to another. */
  @Test
  void updaterOfAnotherKind_beginsWithItsOwnMoments_smoothingWithItsOwnAverages() throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().smoothing(0.9).build().attach(net);
    TrainingProcess.train(net, 5);
    gradNorm.change(settings -> settings.lossWeightUpdater(new Sgd(0.01)).smoothing(0.5));
    GradNormState state = saved(gradNorm);
    assertThat(state.optimizer()).isEmpty();
    assertThat(state.updates()).containsOnly(0);
    assertThat(state.averageNorms().counts()).containsOnly(0);
    assertThat(state.lastKnown()).containsOnly(0);
    assertThat(state.initialLosses().counts()).containsOnly(1);
    TrainingProcess.train(net, 5);
    assertThat(gradNorm.lastStep().orElseThrow().skipped()).isFalse();
    assertThat(saved(gradNorm).lastKnown()[0]).isEqualTo(10);
  }

  private static GradNormState saved(GradNorm gradNorm) {
    try {
      Path file = Files.createTempFile("state", ".json");
      gradNorm.save(file);
      byte[] bytes = Files.readAllBytes(file);
      Files.delete(file);
      return StateFile.read(new ByteArrayInputStream(bytes), "state")
          .part("state", GradNormState.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static double[] initialLosses(GradNorm gradNorm) {
    return InitialLosses.values(saved(gradNorm).initialLosses());
  }

  /** From every 10th step to every 3rd: not after what was left of the 10. */
  @Test
  void measureEvery_smaller_doesNotWaitForTheOldInterval() {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().measureEvery(10).build().attach(net);
    TrainingProcess.train(net, 2); // measured: 0; the next would be 10
    gradNorm.change(settings -> settings.measureEvery(3));
    TrainingProcess.train(net, 6);
    assertThat(gradNorm.history().rows().mapToInt(Row::iteration).distinct())
        .containsExactly(0, 4, 7);
  }

  @Test
  void negativeWeight_cannotGoOnMultiplicatively() {
    GradNormBuilder adding = GradNorm.builder().weightUpdate(WeightUpdate.ADDITIVE);
    GradNormSettings additive = adding.weighting().settings();
    GradNormSettings other = GradNorm.builder().weighting().settings();
    GradNormState state = Rules.of(adding, names(2)).init(Rules.ones(2)).state();
    double[] weights = {-0.1, 2.1};
    SettingsChange change = new SettingsChange(additive, other, List.of(names(2)));
    change.check();
    assertThatThrownBy(() -> change.apply(state, weights))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "task 'task0': loss weight (-0.1) must be > 0 to be updated multiplicatively. Wait until it is, or pin it");
    GradNormSettings pinned = GradNorm.builder().pin("task0", 0.5).weighting().settings();
    SettingsChange pinning = new SettingsChange(additive, pinned, List.of(names(2)));
    assertThat(pinning.apply(state, weights).lossWeights()).containsExactly(0.5, 1.5);
  }

  /** Every setting is the same after a change that changes nothing. */
  @Test
  void settings_allPassThroughTheBuilder() {
    List<GradNormBuilder> builders = new ArrayList<>(TrainingProcess.settings().values());
    builders.add(
        GradNorm.builder()
            .sharedLayer("x", "y")
            .taskWindow(7)
            .pin("a", 1)
            .lossFloor("a", 1)
            .initialLossWeights(Map.of("b", 2.0))
            .onNonFinite(NonFinitePolicy.THROW)
            .history(History.lastSteps(9)));
    for (GradNormBuilder builder : builders) {
      GradNormSettings settings = builder.weighting().settings();
      GradNormBuilder again = new GradNormBuilder(settings, builder.balancer());
      assertThat(again.weighting().settings()).isEqualTo(settings);
      assertThat(again.balancer()).isEqualTo(builder.balancer());
    }
  }
}
