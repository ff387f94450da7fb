package org.gradnorm4j.balancer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.core.parallel.ParallelTraining;
import org.gradnorm4j.history.Row;
import org.gradnorm4j.strategies.EqualWeights;
import org.gradnorm4j.strategies.FixedWeights;
import org.gradnorm4j.testing.Networks;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.Quantity;
import org.gradnorm4j.weighting.SkipCause;
import org.gradnorm4j.weighting.Timing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.TestMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** Strategies whose weights act in the step that was measured, through the facade. */
class SameStepTest {
  private static final String[] TASKS = {"a", "b", "c"};

  /** c_i = 1 / n_i, but the first task is left out; counts its steps. */
  private record Inverse(boolean headsWeighted) implements LossWeighting<Inverse.State> {
    record State(int steps) {}

    @Override
    public String id() {
      return "inverse";
    }

    @Override
    public String name() {
      return "Inverse norms";
    }

    @Override
    public Record settings() {
      return this;
    }

    @Override
    public Map<String, String> describe() {
      return Map.of();
    }

    @Override
    public Set<Need> needs() {
      return Set.of(Need.GRADIENT_NORMS);
    }

    @Override
    public Timing timing() {
      return Timing.SAME_STEP;
    }

    @Override
    public List<Quantity> quantities() {
      return List.of();
    }

    @Override
    public Class<State> stateType() {
      return State.class;
    }

    @Override
    public Decision<State> init(Tasks tasks) {
      return Decision.of(new State(0), tasks.configuredLossWeights());
    }

    @Override
    public Decision<State> decide(State state, double[] lossWeights, StepMeasurement step) {
      double[] weights = Arrays.stream(step.gradientNorms()).map(n -> 1.0 / n).toArray();
      weights[0] = 0.0;
      return Decision.of(new State(state.steps() + 1), weights);
    }

    @Override
    public void check(State state, double[] lossWeights, Tasks tasks) {
      // any number of steps
    }
  }

  private static MultiDataSet batch(int seed) {
    Nd4j.getRandom().setSeed(seed + 1);
    INDArray x = Nd4j.randn(DataType.DOUBLE, 8, 4);
    INDArray y = Nd4j.randn(DataType.DOUBLE, 8, 2).addi(1.0);
    return new MultiDataSet(
        new INDArray[] {x}, new INDArray[] {y, y.mul(-3), y.add(x.sum(true, 1))});
  }

  private static INDArray gradient(ComputationGraph net, MultiDataSet batch) {
    net.setInputs(batch.getFeatures());
    net.setLabels(batch.getLabels());
    net.computeGradientAndScore();
    return net.gradient().gradient().dup();
  }

  /** Oracle: the plain gradients of the heads, and those of networks with one task each. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void trunk_getsTheCombinedGradient_heads_theirOwnOrWeighted(boolean heads) {
    ComputationGraph plain = Networks.network(TASKS);
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer balancer = LossBalancer.of(new Inverse(heads)).attach(net);
    gradient(net, batch(0));
    double[] norms = balancer.lastStep().orElseThrow().measurement().gradientNorms();
    double[] weights = {0.0, 1.0 / norms[1], 1.0 / norms[2]};
    assertThat(balancer.lastStep().orElseThrow().measurement().lossWeights()).isEqualTo(weights);
    assertThat(balancer.lossWeights().values()).containsExactly(weights[0], weights[1], weights[2]);
    assertThat(balancer.lastStep().orElseThrow().values(Quantity.WEIGHTED_GRADIENT_NORM))
        .containsExactly(new double[] {0, 1, 1}, within(1e-12));

    gradient(plain, batch(0));
    for (int task = 0; task < 3; task++) {
      String name = TASKS[task] + "_W";
      INDArray expected = plain.gradient().getGradientFor(name).mul(heads ? weights[task] : 1.0);
      assertThat(net.gradient().getGradientFor(name).sub(expected).norm2Number().doubleValue())
          .as(name)
          .isLessThan(1e-12);
    }
    INDArray trunk = net.gradient().getGradientFor("trunk_W");
    INDArray expected = trunk.like();
    for (int task = 1; task < 3; task++) {
      ComputationGraph alone = Networks.network(TASKS);
      MultiDataSet batch = batch(0);
      for (int other = 0; other < 3; other++) {
        if (other != task) { // no error, no gradient
          batch.getLabels()[other] = alone.output(batch.getFeatures(0))[other];
        }
      }
      gradient(alone, batch);
      expected.addi(alone.gradient().getGradientFor("trunk_W").mul(weights[task]));
    }
    assertThat(trunk.sub(expected).norm2Number().doubleValue()).isLessThan(1e-11);
  }

  @Test
  void history_hasTheWeightsOfTheStepItself() {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer balancer = LossBalancer.of(new Inverse(false)).attach(net);
    for (int step = 0; step < 5; step++) {
      net.fit(batch(step));
    }
    List<Row> rows = balancer.history().rows().toList();
    assertThat(rows).hasSize(15);
    for (Row row : rows) {
      double expected = row.task().equals("a") ? 0.0 : 1.0 / row.gradientNorm();
      assertThat(row.lossWeight()).isEqualTo(expected);
    }
    assertThat(balancer.history().settings())
        .containsEntry("weights act", "in the step that was measured");
  }

  /** In the next step, a task that is left out keeps a weight to come back by. */
  @Test
  void inTheNextStep_weightsStandBeforeTheLosses() {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer balancer =
        LossBalancer.builder(new Inverse(false)).timing(Timing.NEXT_STEP).build().attach(net);
    net.fit(batch(0));
    BalancedStep first = balancer.lastStep().orElseThrow();
    assertThat(first.measurement().lossWeights()).containsOnly(1.0);
    double[] next = first.nextLossWeights();
    assertThat(next[1]).isEqualTo(1.0 / first.measurement().gradientNorms()[1]);
    assertThat(next[0]).isEqualTo(1e-12 * (next[1] + next[2]));
    net.fit(batch(1));
    assertThat(balancer.lastStep().orElseThrow().measurement().lossWeights()).isEqualTo(next);
    assertThat(balancer.skips().get("a").values()).containsOnly(0);
  }

  @Test
  void nextStepStrategy_cannotActInTheSame() {
    assertThatThrownBy(() -> LossBalancer.builder(EqualWeights.create()).timing(Timing.SAME_STEP))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "timing (SAME_STEP) must be NEXT_STEP: Equal weights decides for the next step");
  }

  @Test
  void stepThatIsNotFinite_keepsTheLastWeights_andIsCounted() {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer balancer = LossBalancer.of(new Inverse(false)).attach(net);
    net.fit(batch(0));
    Map<String, Double> weights = balancer.lossWeights();
    MultiDataSet bad = batch(1);
    bad.getLabels()[1].putScalar(0, Double.NaN);
    net.fit(bad);
    assertThat(balancer.lossWeights()).isEqualTo(weights);
    assertThat(balancer.skips().get("b")).containsEntry(SkipCause.GRADIENT_NORM, 1);
    assertThat(balancer.lastStep().orElseThrow().skipped()).isTrue();
  }

  @Test
  void frozenWeights_andStepsBetween_combineWithTheLastOnes() {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer balancer =
        LossBalancer.builder(new Inverse(false)).measureEvery(3).build().attach(net);
    net.fit(batch(0));
    double[] weights = balancer.lastStep().orElseThrow().nextLossWeights();
    assertThat(trunkWeight(net, batch(1), weights)).isLessThan(1e-11);
    assertThat(balancer.history().size()).isEqualTo(1);
    balancer.freeze();
    for (int step = 2; step < 6; step++) {
      assertThat(trunkWeight(net, batch(step), weights)).isLessThan(1e-11);
    }
    assertThat(balancer.history().size()).isEqualTo(1);
    balancer.unfreeze();
    for (int step = 6; step < 9; step++) {
      net.fit(batch(step));
    }
    assertThat(balancer.history().size()).isEqualTo(2);
  }

  /** How far the trunk's gradient is from the one with these weights before the losses. */
  private static double trunkWeight(ComputationGraph net, MultiDataSet batch, double[] weights) {
    gradient(net, batch);
    INDArray actual = net.gradient().getGradientFor("trunk_W").dup();
    ComputationGraph twin = Networks.network(TASKS);
    twin.setParams(net.params().dup());
    double[] next = weights.clone();
    next[0] = 1e-300; // as good as left out
    try (LossBalancer fixed =
        LossBalancer.of(FixedWeights.of(Map.of("a", next[0], "b", next[1], "c", next[2])))
            .attach(twin)) {
      gradient(twin, batch);
      assertThat(fixed.isAttached()).isTrue();
    }
    return actual.sub(twin.gradient().getGradientFor("trunk_W")).norm2Number().doubleValue();
  }

  @Test
  void detached_theNetworkIsPlain_andGoesOnWhenAttachedAgain() {
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer balancer = LossBalancer.of(new Inverse(false)).attach(net);
    net.fit(batch(0));
    balancer.detach();
    ComputationGraph plain = Networks.network(TASKS);
    plain.setParams(net.params().dup());
    assertThat(gradient(net, batch(1)).toDoubleVector())
        .isEqualTo(gradient(plain, batch(1)).toDoubleVector());
    balancer.attach(net);
    net.fit(batch(2));
    assertThat(balancer.history().size()).isEqualTo(2);
  }

  @Test
  void underAParallelWrapper_itIsRefused_withTheRemedy_whichWorks() {
    MultiDataSet[] batches = new MultiDataSet[4];
    Arrays.setAll(batches, SameStepTest::batch);
    ComputationGraph net = Networks.network(TASKS);
    LossBalancer same = LossBalancer.of(new Inverse(false)).attach(net);
    ParallelWrapper wrapper = new ParallelWrapper.Builder<>(net).workers(2).build();
    ParallelTraining.attach(wrapper);
    assertThatThrownBy(() -> wrapper.fit(new TestMultiDataSetIterator(1, batches)))
        .hasStackTraceContaining("timing(Timing.NEXT_STEP)");
    same.detach();

    ComputationGraph again = Networks.network(TASKS);
    LossBalancer next =
        LossBalancer.builder(new Inverse(false)).timing(Timing.NEXT_STEP).build().attach(again);
    ParallelWrapper working = new ParallelWrapper.Builder<>(again).workers(2).build();
    ParallelTraining.attach(working);
    working.fit(new TestMultiDataSetIterator(1, batches));
    assertThat(next.history().size()).isEqualTo(2);
  }
}
