package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.commons.math3.util.FastMath;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.optimizer.TaskwiseOptimizer;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.Quantity;

/**
 * Uncertainty weighting (Kendall, Gal and Cipolla, <i>Multi-Task Learning Using Uncertainty to
 * Weigh Losses for Scene Geometry and Semantics</i>, CVPR 2018, section 3.2). The noise of each
 * task, s<sub>i</sub> = log &sigma;<sub>i</sub>&sup2;, is learned together with the network.
 *
 * <pre>
 *   L(θ, s)  = Σ_i exp(−s_i) L_i(θ) + s_i
 *   λ_i      = exp(−s_i),   s_i(0) = −log λ_i(0)
 *   ∂L/∂s_i = 1 − exp(−s_i) L_i
 *
 *   L_i  loss of task i, mean over the minibatch
 *   s_i  log variance of task i, any real number
 * </pre>
 *
 * <p>The paper has two forms, both with &frac12;s<sub>i</sub>: &lambda;<sub>i</sub> =
 * &frac12;exp(&minus;s<sub>i</sub>) for regression by squared errors, and exp(&minus;s<sub>i</sub>)
 * for classification by cross-entropy. This is twice the first, for every task. The second differs
 * from it by a constant in s<sub>i</sub>: its weights tend to 1/(2L) where these tend to 1/L.
 * Nothing keeps &Sigma; &lambda;<sub>i</sub> at T: where the loss is small, the weight becomes
 * large.
 *
 * <p><b>Note:</b> the paper trains s with the network's own optimiser; here it has one of its own.
 * &lambda; of the next step follows from this step's losses. A task without labels in a minibatch
 * keeps its s<sub>i</sub>. A network whose configured weights are not 1 begins with those.
 */
public final class UncertaintyWeighting implements LossWeighting<UncertaintyWeighting.State> {
  /** The log variances s<sub>i</sub> after the step. */
  public static final Quantity LOG_VARIANCE =
      Quantity.perTask("log_variance", "Log variances", "s");

  static final String ID = "uncertainty-weighting";

  private final Settings settings;

  UncertaintyWeighting(Settings settings) {
    this.settings = settings;
  }

  /**
   * With Adam of learning rate 0.025, as GradNorm's default is.
   *
   * @return the strategy
   */
  public static UncertaintyWeighting create() {
    return with(WeightOptimizer.adam(0.025));
  }

  /**
   * With any optimiser of s.
   *
   * @param optimizer such as {@code WeightOptimizer.of(new Adam(0.01))}
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public static UncertaintyWeighting with(WeightOptimizer optimizer) {
    return new UncertaintyWeighting(Settings.of(optimizer));
  }

  /**
   * What is learned.
   *
   * @param logVariances s_i
   * @param updates by task, how many steps of the optimiser it has taken
   * @param optimizer the optimiser's state
   */
  record State(double[] logVariances, int[] updates, double[] optimizer) {
    State {
      if (updates.length != logVariances.length
          || !Arrays.stream(logVariances).allMatch(Double::isFinite)
          || !Arrays.stream(updates).allMatch(count -> count >= 0)
          || !Arrays.stream(optimizer).allMatch(Double::isFinite)) {
        throw new IllegalArgumentException("log variances are none that can have been learned");
      }
    }
  }

  /**
   * The settings.
   *
   * @param optimizer of s
   */
  record Settings(WeightOptimizer optimizer) {
    static Settings of(WeightOptimizer optimizer) {
      return new Settings(
          Arguments.given(optimizer, "optimizer", "must be one, as WeightOptimizer.of(...)"));
    }
  }

  @Override
  public String id() {
    return ID;
  }

  @Override
  public String name() {
    return "Uncertainty weighting";
  }

  @Override
  public Record settings() {
    return settings;
  }

  @Override
  public Map<String, String> describe() {
    return Map.of("optimizer", settings.optimizer.toString());
  }

  @Override
  public Set<Need> needs() {
    return EnumSet.of(Need.LOSSES);
  }

  @Override
  public List<Quantity> quantities() {
    return List.of(LOG_VARIANCE);
  }

  @Override
  public Class<State> stateType() {
    return State.class;
  }

  @Override
  public Decision<State> init(Tasks tasks) {
    double[] weights = tasks.configuredLossWeights();
    for (int i = 0; i < weights.length; i++) {
      Arguments.check(
          weights[i] > 0.0,
          "configured weight of task '" + tasks.names().get(i) + "'",
          weights[i],
          "must be > 0, uncertainty weighting begins at its logarithm");
    }
    double[] logVariances =
        Arrays.stream(weights).map(w -> w == 1.0 ? 0.0 : -FastMath.log(w)).toArray();
    return Decision.of(
        new State(logVariances, new int[tasks.size()], settings.optimizer.init(tasks.size())),
        weights);
  }

  @Override
  public Decision<State> decide(State state, double[] lossWeights, StepMeasurement step) {
    double[] s = state.logVariances();
    double[] losses = step.losses();
    double[] gradient = new double[s.length];
    for (int i = 0; i < s.length; i++) {
      gradient[i] = 1.0 - FastMath.exp(-s[i]) * losses[i]; // ∂L/∂s_i
    }
    TaskwiseOptimizer.Step taken =
        new TaskwiseOptimizer(settings.optimizer)
            .step(state.optimizer(), state.updates(), gradient, step.present(), step.epoch());
    double[] next = new double[s.length];
    double[] weights = new double[s.length];
    for (int i = 0; i < s.length; i++) {
      next[i] = s[i] - taken.delta()[i];
      weights[i] = FastMath.exp(-next[i]);
    }
    if (!Arrays.stream(next).allMatch(Double::isFinite)
        || !Arrays.stream(taken.state()).allMatch(Double::isFinite)) {
      return Decision.skip(state, lossWeights, step.taskNames());
    }
    return Decision.of(new State(next, taken.counts(), taken.state()), weights)
        .with(LOG_VARIANCE, next);
  }

  @Override
  public void check(State state, double[] lossWeights, Tasks tasks) {
    int count = tasks.size();
    if (state.logVariances().length != count
        || state.optimizer().length != settings.optimizer.init(count).length) {
      throw new IllegalArgumentException("log variances do not fit the tasks and the optimizer");
    }
  }

  /** Another optimiser of the same kind goes on with the moments; of another, begins anew. */
  @Override
  public Decision<State> adopt(
      LossWeighting<State> before, State state, double[] lossWeights, Tasks tasks) {
    boolean same = settings.optimizer.isOfKind(((UncertaintyWeighting) before).settings.optimizer);
    int count = tasks.size();
    return Decision.of(
        same
            ? state
            : new State(state.logVariances(), new int[count], settings.optimizer.init(count)),
        lossWeights);
  }
}
