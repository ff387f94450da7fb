package org.gradnorm4j.weighting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.strategies.CaGrad;
import org.gradnorm4j.strategies.ConFig;
import org.gradnorm4j.strategies.DbMtl;
import org.gradnorm4j.strategies.DualProj;
import org.gradnorm4j.strategies.FairGrad;
import org.gradnorm4j.strategies.FixedWeights;
import org.gradnorm4j.strategies.ImtlG;
import org.gradnorm4j.strategies.Mgda;
import org.gradnorm4j.strategies.NashMtl;
import org.gradnorm4j.strategies.PcGrad;
import org.gradnorm4j.strategies.Stch;
import org.gradnorm4j.strategies.UpGrad;
import org.gradnorm4j.strategies.WeightScale;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** All strategies, with what each states of its scale, and a few that must not pass. */
class LossWeightingConformanceTest {

  private static LossWeightingConformance kit(String id) {
    return switch (id) {
      case "stch" -> LossWeightingConformance.of(Stch.create(0.1));
      case "fixed-weights" ->
          LossWeightingConformance.of(
                  names -> {
                    Map<String, Double> weights = new HashMap<>();
                    names.forEach(name -> weights.put(name, 0.1 + name.hashCode() % 7));
                    return FixedWeights.of(weights);
                  })
              .ownInitialWeights();
      default -> LossWeightingConformance.of(LossWeightings.named(id));
    };
  }

  /** What is stated in the strategies' javadoc. */
  private static LossWeightingConformance stated(String id) {
    LossWeightingConformance kit = kit(id);
    return switch (id) {
      case "gradnorm" -> kit.sum(tasks -> tasks).ownInitialWeights().movesAbsent();
      case "rlw" -> kit.random().sum(tasks -> tasks).gradientDegree(0);
      case "dwa" -> kit.sum(tasks -> tasks).gradientDegree(0).movesAbsent();
      case "uw-so", "equal-weights", "relobralo" -> kit.sum(tasks -> tasks).gradientDegree(0);
      case "uncertainty-weighting", "imtl-l", "gls", "stch", "fixed-weights" ->
          kit.gradientDegree(0);
      case "mgda" -> kit.sum(tasks -> 1.0).gradientDegree(0);
      case "pcgrad" -> kit.random().gradientDegree(0);
      case "nash-mtl" -> kit.gradientDegree(-1);
      case "fairgrad" -> kit.gradientDegree(-4.0 / 3.0); // -2α/(1 + α)
      case "imtl-g", "config", "cagrad", "aligned-mtl", "upgrad", "dualproj", "db-mtl" ->
          kit.gradientDegree(0);
      default -> throw new AssertionError(id + " states nothing here");
    };
  }

  @TestFactory
  Stream<DynamicTest> everyStrategy_conforms() {
    List<String> ids = LossWeightings.ids();
    assertThat(ids).hasSizeGreaterThanOrEqualTo(22);
    return ids.stream().map(id -> DynamicTest.dynamicTest(id, () -> stated(id).check()));
  }

  @TestFactory
  Stream<DynamicTest> onSumOfTasks_everyStrategyHasIt() {
    WeightScale sum = WeightScale.SUM_OF_TASKS;
    return Stream.of(
            Mgda.create().with(sum),
            UpGrad.create().with(sum),
            DualProj.create().with(sum),
            ImtlG.create().with(sum),
            ConFig.create().with(sum),
            CaGrad.create().with(sum),
            NashMtl.create().with(sum),
            FairGrad.create().with(sum),
            DbMtl.create().with(sum),
            Stch.create(0.1).with(sum))
        .map(
            weighting ->
                DynamicTest.dynamicTest(
                    weighting.name(),
                    () ->
                        LossWeightingConformance.of(weighting)
                            .sum(tasks -> tasks)
                            .gradientDegree(0)
                            .check()));
  }

  @Test
  void pcGradOnSumOfTasks_conforms() {
    LossWeightingConformance.of(PcGrad.create().withSeed(7).with(WeightScale.SUM_OF_TASKS))
        .random()
        .sum(tasks -> tasks)
        .check();
  }

  @Test
  void whatDoesNotHold_isFound() {
    List<String> found = new ArrayList<>();
    Map<String, LossWeightingConformance> wrong = new LinkedHashMap<>();
    wrong.put("sum", LossWeightingConformance.of(Mgda.create()).sum(tasks -> tasks));
    wrong.put("degree", LossWeightingConformance.of(NashMtl.create()).gradientDegree(0));
    wrong.put("order", LossWeightingConformance.of(PcGrad.create()));
    wrong.put("state", LossWeightingConformance.of(new Counting()));
    wrong.forEach(
        (what, kit) ->
            assertThatThrownBy(kit::check)
                .as(what)
                .isInstanceOf(AssertionError.class)
                .satisfies(error -> found.add(what + ": " + error.getMessage())));
    assertThat(found.get(0))
        .contains("MGDA, 2 tasks: has weights of sum")
        .contains("2.0 is stated");
    assertThat(found.get(3))
        .isEqualTo("state: Counting, 1 tasks, step 0: modifies the state it is given");
  }

  /** Writes into its state. */
  private static final class Counting implements LossWeighting<Counting.State> {
    record State(double[] count) {}

    record Settings() {}

    @Override
    public String id() {
      return "counting";
    }

    @Override
    public String name() {
      return "Counting";
    }

    @Override
    public Record settings() {
      return new Settings();
    }

    @Override
    public Map<String, String> describe() {
      return new TreeMap<>();
    }

    @Override
    public Set<Need> needs() {
      return Set.of();
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
      return Decision.of(new State(new double[1]), tasks.configuredLossWeights());
    }

    @Override
    public Decision<State> decide(State state, double[] lossWeights, StepMeasurement step) {
      state.count()[0]++;
      return Decision.of(state, lossWeights);
    }

    @Override
    public void check(State state, double[] lossWeights, Tasks tasks) {}
  }
}
