package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.balancer.LossBalancerCheckpoint;
import org.gradnorm4j.balancer.LossBalancerLogListener;
import org.gradnorm4j.core.parallel.ParallelTraining;
import org.gradnorm4j.history.Row;
import org.gradnorm4j.report.Report;
import org.gradnorm4j.testing.LogLines;
import org.gradnorm4j.testing.Networks;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.LossWeightings;
import org.gradnorm4j.weighting.Quantity;
import org.gradnorm4j.weighting.Timing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.TestMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** What a user gets is the same for every strategy, by the same code. */
class EveryStrategyTest {
  private static final String[] TASKS = {"a", "b", "c"};

  /** A balancer not attached yet; each call gives another. */
  interface Balancer {
    LossBalancer make();
  }

  /** All that are known by name, and those that have no default. */
  private static Stream<Balancer> balancers() {
    Stream<Balancer> byName =
        LossWeightings.ids().stream()
            .filter(id -> !id.equals(FixedWeights.ID) && !id.equals(Stch.ID))
            .map(id -> named(() -> LossBalancer.of(LossWeightings.named(id))));
    return Stream.concat(
        byName,
        Stream.of(
            named(() -> LossBalancer.of(Stch.create(0.5))),
            named(
                () ->
                    LossBalancer.builder(FixedWeights.of(Map.of("a", 0.5, "b", 2.0, "c", 1.0)))
                        .sharedLayer("trunk")
                        .build())));
  }

  private static Balancer named(Balancer balancer) {
    String name = balancer.make().weighting().name();
    return new Balancer() {
      @Override
      public LossBalancer make() {
        return balancer.make();
      }

      @Override
      public String toString() {
        return name;
      }
    };
  }

  private static MultiDataSet batch(int seed) {
    Nd4j.getRandom().setSeed(seed + 1);
    INDArray x = Nd4j.randn(DataType.DOUBLE, 8, 4);
    INDArray y = Nd4j.randn(DataType.DOUBLE, 8, 2).addi(1.0);
    return new MultiDataSet(
        new INDArray[] {x}, new INDArray[] {y, y.mul(-3), y.add(x.sum(true, 1))});
  }

  private static void train(ComputationGraph net, int steps) {
    for (int i = 0; i < steps; i++) {
      net.fit(batch(net.getIterationCount()));
    }
  }

  @ParameterizedTest
  @MethodSource("balancers")
  void history_hasTheSameFirstColumns_andTheStrategysOwn(Balancer balancer, @TempDir Path folder)
      throws Exception {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer attached = balancer.make().attach(net);
    train(net, 20);
    attached.history().writeCsv(folder.resolve("history.csv"));
    List<String> lines = Files.readAllLines(folder.resolve("history.csv"));
    List<String> expected =
        new ArrayList<>(
            List.of(
                "iteration",
                "epoch",
                "task",
                "loss",
                "loss_weight",
                "gradient_norm",
                "weighted_gradient_norm"));
    attached.weighting().quantities().forEach(quantity -> expected.add(quantity.id()));
    expected.addAll(List.of("present", "skipped", "steps", "gradient_share"));
    assertThat(lines.get(0).split(",")).containsExactlyElementsOf(expected);
    assertThat(lines).hasSize(1 + 20 * TASKS.length);
    Row last = attached.history().rows().reduce((row, next) -> next).orElseThrow();
    assertThat(last.weightedGradientNorm())
        .isEqualTo(Math.abs(last.lossWeight()) * last.gradientNorm())
        .isNotNegative();
    for (Quantity quantity : attached.weighting().quantities()) {
      assertThat(last.value(quantity)).as(quantity.id()).isFinite();
    }
  }

  @ParameterizedTest
  @MethodSource("balancers")
  void report_hasAChartOfEachQuantity(Balancer balancer, @TempDir Path folder) throws Exception {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer attached = balancer.make().attach(net);
    train(net, 20);
    Report.of(attached.history()).write(folder.resolve("report.html"));
    String page = Files.readString(folder.resolve("report.html"));
    assertThat(page).contains(attached.weighting().name(), "id=\"loss-weight\"");
    for (Quantity quantity : attached.weighting().quantities()) {
      String chart = quantity.drawnWith().orElse(quantity).id().replace('_', '-');
      assertThat(page).contains("<figure id=\"" + chart + "\">");
    }
  }

  @ParameterizedTest
  @MethodSource("balancers")
  void log_hasALineForEachTask(Balancer balancer) {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer attached = balancer.make().attach(net);
    net.setListeners(new LossBalancerLogListener(attached, 1));
    try (LogLines log = new LogLines(LossBalancerLogListener.class)) {
      train(net, 1);
      assertThat(log.of(Level.INFO))
          .hasSize(2 + TASKS.length)
          .anyMatch(line -> line.startsWith("  a "));
    }
  }

  /** 50 steps, a checkpoint, 50 more from it: every bit that 100 steps without a break give. */
  @ParameterizedTest
  @MethodSource("balancers")
  void checkpoint_resumesBitForBit(Balancer balancer, @TempDir Path folder) throws Exception {
    ComputationGraph whole = Networks.network(TASKS);
    LossBalancer without = balancer.make().attach(whole);
    train(whole, 100);

    ComputationGraph half = Networks.network(TASKS);
    LossBalancer first = balancer.make().attach(half);
    half.setListeners(LossBalancerCheckpoint.builder(first, folder).everyIterations(50).build());
    train(half, 50);

    Path last = LossBalancerCheckpoint.last(folder).orElseThrow();
    ComputationGraph net = ModelSerializer.restoreComputationGraph(last.toFile(), true);
    LossBalancer resumed = LossBalancer.restoreFromModel(last).attach(net);
    assertThat(resumed.weighting().id()).isEqualTo(without.weighting().id());
    train(net, 50);

    assertThat(net.params().toDoubleVector()).isEqualTo(whole.params().toDoubleVector());
    assertThat(net.getUpdater().getUpdaterStateViewArray().toDoubleVector())
        .isEqualTo(whole.getUpdater().getUpdaterStateViewArray().toDoubleVector());
    assertThat(resumed.lossWeights()).isEqualTo(without.lossWeights());
    assertThat(resumed.lastStep()).isEqualTo(without.lastStep());
    assertThat(resumed.history().rows())
        .containsExactlyElementsOf(without.history().rows().toList());
    assertThat(resumed.history().rows()).hasSize(100 * TASKS.length);
  }

  @ParameterizedTest
  @MethodSource("balancers")
  void savedState_isRestored(Balancer balancer, @TempDir Path folder) throws Exception {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer attached = balancer.make().attach(net);
    train(net, 5);
    attached.save(folder.resolve("state.json"));
    LossBalancer restored = LossBalancer.restore(folder.resolve("state.json"));
    assertThat(restored.lossWeights()).isEqualTo(attached.lossWeights());
    assertThat(restored.lastStep()).isEqualTo(attached.lastStep());
    assertThat(restored.weighting().settings()).isEqualTo(attached.weighting().settings());
    restored.save(folder.resolve("again.json"));
    assertThat(folder.resolve("again.json")).hasSameBinaryContentAs(folder.resolve("state.json"));
  }

  /** Two workers: one step for each round, every minibatch in one of them. */
  @ParameterizedTest
  @MethodSource("balancers")
  void twoWorkers_makeOneStepForEachRound(Balancer balancer) {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer attached =
        LossBalancer.builder(balancer.make().weighting())
            .timing(Timing.NEXT_STEP)
            .build()
            .attach(net);
    ParallelWrapper wrapper =
        new ParallelWrapper.Builder<>(net).workers(2).averagingFrequency(1).build();
    ParallelTraining.attach(wrapper);
    MultiDataSet[] batches = new MultiDataSet[20];
    Arrays.setAll(batches, EveryStrategyTest::batch);
    wrapper.fit(new TestMultiDataSetIterator(1, batches));
    assertThat(attached.history().size()).isEqualTo(10);
    BalancedStep last = attached.lastStep().orElseThrow();
    assertThat(last.measurement().batchSize()).isEqualTo(16);
    assertThat(last.skipped()).isFalse();
    if (attached.weighting() instanceof EqualWeights
        || attached.weighting() instanceof FixedWeights) {
      assertThat(last.nextLossWeights()).isEqualTo(last.measurement().lossWeights());
    }
  }

  /** The baseline is no other training than plain Deeplearning4j's. */
  @Test
  void equalWeights_trainBitForBitAsWithoutABalancer() {
    ComputationGraph plain = Networks.network(TASKS);
    train(plain, 50);
    ComputationGraph net = Networks.network(TASKS);
    try (LossBalancer balancer = LossBalancer.of(EqualWeights.create()).attach(net)) {
      train(net, 50);
      assertThat(balancer.history().size()).isEqualTo(50);
    }
    assertThat(net.params().toDoubleVector()).isEqualTo(plain.params().toDoubleVector());
  }
}
