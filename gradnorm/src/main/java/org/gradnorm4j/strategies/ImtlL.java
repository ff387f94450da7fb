package org.gradnorm4j.strategies;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.commons.math3.util.FastMath;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.Quantity;

/**
 * Impartial multi-task learning by losses (Liu et al., <i>Towards Impartial Multi-task
 * Learning</i>, ICLR 2021, section 3.2). The weights are learned, so that all weighted losses tend
 * to 1.
 *
 * <pre>
 *   L(θ, s) = Σ_i exp(s_i) L_i(θ) − s_i
 *   λ_i     = exp(s_i),   s_i(0) = log λ_i(0)
 *
 *   L_i  loss of task i, mean over the minibatch
 *   s_i  log weight of task i, any real number
 * </pre>
 *
 * <p>For the next step, on heads and shared layers alike. Nothing holds &Sigma; &lambda;: where a
 * loss is small, the weight becomes large. A task without labels in a minibatch keeps its
 * s<sub>i</sub>.
 *
 * <p>With s for &minus;s this is {@link UncertaintyWeighting} in the form that is built here, and
 * trains a network to the same numbers. The paper comes to it without an assumption on the tasks'
 * noise.
 *
 * <p><b>Note:</b> the paper trains s with the network's own optimiser; here it has one of its own.
 * In the paper's full method the shared layers are combined by {@link ImtlG} instead, and only the
 * heads have these weights.
 */
public final class ImtlL implements LossWeighting<UncertaintyWeighting.State> {
  /** The log weights s<sub>i</sub> after the step. */
  public static final Quantity LOG_WEIGHT = Quantity.perTask("log_weight", "Log weights", "s");

  static final String ID = "imtl-l";

  private final UncertaintyWeighting mirror;

  ImtlL(UncertaintyWeighting.Settings settings) {
    mirror = new UncertaintyWeighting(settings);
  }

  /**
   * With Adam of learning rate 0.025, as GradNorm's default is.
   *
   * @return the strategy
   */
  public static ImtlL create() {
    return with(WeightOptimizer.adam(0.025));
  }

  /**
   * With any optimiser of s.
   *
   * @param optimizer such as {@code WeightOptimizer.of(new Adam(0.01))}
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public static ImtlL with(WeightOptimizer optimizer) {
    return new ImtlL(UncertaintyWeighting.Settings.of(optimizer));
  }

  @Override
  public String id() {
    return ID;
  }

  @Override
  public String name() {
    return "IMTL-L";
  }

  @Override
  public Record settings() {
    return mirror.settings();
  }

  @Override
  public Map<String, String> describe() {
    return mirror.describe();
  }

  @Override
  public Set<Need> needs() {
    return mirror.needs();
  }

  @Override
  public List<Quantity> quantities() {
    return List.of(LOG_WEIGHT);
  }

  @Override
  public Class<UncertaintyWeighting.State> stateType() {
    return mirror.stateType();
  }

  @Override
  public Decision<UncertaintyWeighting.State> init(Tasks tasks) {
    return mirror.init(tasks);
  }

  @Override
  public Decision<UncertaintyWeighting.State> decide(
      UncertaintyWeighting.State state, double[] lossWeights, StepMeasurement step) {
    Decision<UncertaintyWeighting.State> decision = mirror.decide(state, lossWeights, step);
    if (!decision.unusable().isEmpty()) {
      return decision;
    }
    double[] logs = decision.lossWeights();
    for (int i = 0; i < logs.length; i++) {
      logs[i] = FastMath.log(logs[i]);
    }
    return Decision.of(decision.state(), decision.lossWeights()).with(LOG_WEIGHT, logs);
  }

  @Override
  public void check(UncertaintyWeighting.State state, double[] lossWeights, Tasks tasks) {
    mirror.check(state, lossWeights, tasks);
  }

  @Override
  public Decision<UncertaintyWeighting.State> adopt(
      LossWeighting<UncertaintyWeighting.State> before,
      UncertaintyWeighting.State state,
      double[] lossWeights,
      Tasks tasks) {
    return mirror.adopt(((ImtlL) before).mirror, state, lossWeights, tasks);
  }
}
