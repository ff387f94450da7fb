package org.gradnorm4j.strategies;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.Quantity;

/**
 * The weights that the network has configured, 1 for a plain output, in every step: the network
 * trains to the last bit as without a balancer, and each step is measured and recorded. The
 * baseline to compare others with, and the way to look at gradient norms.
 *
 * <pre>
 *   λ_i(t) = λ_i(0)
 * </pre>
 */
public final class EqualWeights implements LossWeighting<EqualWeights.State> {
  static final String ID = "equal-weights";

  private EqualWeights() {}

  /**
   * The strategy; it has no settings.
   *
   * @return equal weights
   */
  public static EqualWeights create() {
    return new EqualWeights();
  }

  /** Nothing to remember. */
  record State() {}

  /** No settings. */
  record Settings() {}

  @Override
  public String id() {
    return ID;
  }

  @Override
  public String name() {
    return "Equal weights";
  }

  @Override
  public Record settings() {
    return new Settings();
  }

  @Override
  public Map<String, String> describe() {
    return Map.of();
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
    return Decision.of(new State(), tasks.configuredLossWeights());
  }

  @Override
  public Decision<State> decide(State state, double[] lossWeights, StepMeasurement step) {
    return Decision.of(state, lossWeights);
  }

  @Override
  public void check(State state, double[] lossWeights, Tasks tasks) {
    // any weights may have been configured
  }
}
