package org.gradnorm4j.strategies;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.Quantity;

/**
 * Constant weights chosen by hand, by a grid search, or as the mean of a run of another strategy
 * ({@code balancer.staticWeights()} prints them as such code). Each step is measured and recorded.
 *
 * <pre>
 *   λ_i(t) = w_i
 * </pre>
 *
 * <p>Their sum is theirs: a larger one acts as a larger learning rate of the network.
 *
 * <pre>{@code
 * LossBalancer.of(FixedWeights.of(Map.of("depth", 1.3, "normals", 0.7))).attach(net);
 * }</pre>
 */
public final class FixedWeights implements LossWeighting<FixedWeights.State> {
  static final String ID = "fixed-weights";

  private final Settings settings;

  FixedWeights(Settings settings) {
    this.settings = settings;
  }

  /**
   * Weights by task.
   *
   * @param lossWeights w<sub>i</sub> of every task, finite and not 0; copied
   * @return the strategy
   * @throws IllegalArgumentException if null, empty, or a weight is null, infinite, NaN or 0.
   *     Whether they are those of the network's tasks is checked by {@code attach}
   */
  public static FixedWeights of(Map<String, Double> lossWeights) {
    return new FixedWeights(
        new Settings(
            Arguments.given(lossWeights, "lossWeights", "must have a weight for each task")));
  }

  /** Nothing to remember. */
  record State() {}

  /**
   * The weights.
   *
   * @param lossWeights by task
   */
  record Settings(Map<String, Double> lossWeights) {
    Settings {
      Arguments.check(
          !lossWeights.isEmpty(), "lossWeights", lossWeights, "must have a weight for each task");
      lossWeights =
          ByTask.checked(
              lossWeights,
              "loss weight",
              w -> w != 0.0,
              "must be finite and not 0. Use a small weight instead, such as 1e-6");
    }
  }

  @Override
  public String id() {
    return ID;
  }

  @Override
  public String name() {
    return "Fixed weights";
  }

  @Override
  public Record settings() {
    return settings;
  }

  @Override
  public Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>();
    settings.lossWeights.forEach((task, weight) -> all.put(task + ": weight", weight.toString()));
    return all;
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
    return Decision.of(new State(), weights(tasks));
  }

  private double[] weights(Tasks tasks) {
    ByTask.checkTasks(settings.lossWeights, "loss weights", tasks);
    return tasks.names().stream().mapToDouble(settings.lossWeights::get).toArray();
  }

  @Override
  public Decision<State> decide(State state, double[] lossWeights, StepMeasurement step) {
    return Decision.of(state, lossWeights);
  }

  @Override
  public void check(State state, double[] lossWeights, Tasks tasks) {
    weights(tasks); // refuses other tasks
  }
}
