package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.commons.math3.stat.StatUtils;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.Quantity;

/** GradNorm as a {@link LossWeighting}: its settings, and {@link GradNormRule} for the tasks. */
final class GradNormWeighting implements LossWeighting<GradNormState> {
  static final String ID = "gradnorm";

  private final GradNormSettings settings;

  /** The last one that was made: it depends on nothing but its arguments. */
  private volatile GradNormRule rule;

  GradNormWeighting(GradNormSettings settings) {
    this.settings = settings;
  }

  private GradNormRule rule(Tasks tasks, double total) {
    GradNormRule last = rule;
    if (last == null || last.tasks() != tasks || last.totalWeight() != total) {
      last = new GradNormRule(settings, tasks, total);
      rule = last;
    }
    return last;
  }

  @Override
  public String id() {
    return ID;
  }

  @Override
  public String name() {
    return "GradNorm";
  }

  @Override
  public GradNormSettings settings() {
    return settings;
  }

  @Override
  public Map<String, String> describe() {
    return settings.describe();
  }

  @Override
  public Set<Need> needs() {
    return EnumSet.of(Need.LOSSES, Need.GRADIENT_NORMS);
  }

  @Override
  public List<Quantity> quantities() {
    return List.of(
        GradNorm.TARGET_GRADIENT_NORM,
        GradNorm.RELATIVE_INVERSE_TRAINING_RATE,
        GradNorm.LOSS_RATIO,
        GradNorm.GRADIENT_LOSS);
  }

  @Override
  public Class<GradNormState> stateType() {
    return GradNormState.class;
  }

  @Override
  public Decision<GradNormState> init(Tasks tasks) {
    double[] weights = settings.initialLossWeights(tasks.names(), tasks.configuredLossWeights());
    double total = WeightLimits.total(settings.of(tasks.names()), StatUtils.sum(weights));
    return rule(tasks, total).init(weights);
  }

  @Override
  public Decision<GradNormState> decide(
      GradNormState state, double[] lossWeights, StepMeasurement step) {
    return rule(step.tasks(), state.totalWeight()).decide(state, lossWeights, step);
  }

  @Override
  public double[] nearestAllowed(GradNormState state, double[] lossWeights, Tasks tasks) {
    return limits(state.totalWeight(), tasks).nearest(lossWeights);
  }

  private WeightLimits limits(double total, Tasks tasks) {
    return WeightLimits.of(settings.of(tasks.names()), settings.weightUpdate(), total);
  }

  @Override
  public void check(GradNormState state, double[] lossWeights, Tasks tasks) {
    int count = tasks.size();
    require(state.updates().length == count, "updates");
    require(
        state.optimizer().length == settings.lossWeightUpdater().init(count).length, "optimizer");
    for (Tally tally :
        List.of(state.initialLosses(), state.averageLosses(), state.averageNorms())) {
      require(Arrays.stream(tally.sums()).allMatch(Double::isFinite), "averages");
    }
    double sum = 0.0;
    double size = 0.0;
    for (double weight : lossWeights) {
      require(weight != 0.0, "lossWeights");
      sum += weight;
      size += Math.abs(weight);
    }
    require(Math.abs(sum - state.totalWeight()) <= 1e-9 * size, "lossWeights");
    require(limits(state.totalWeight(), tasks).contain(lossWeights), "lossWeights");
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s do not fit the settings and the tasks", what));
    }
  }

  @Override
  public Decision<GradNormState> adopt(
      LossWeighting<GradNormState> before, GradNormState state, double[] lossWeights, Tasks tasks) {
    SettingsChange change =
        new SettingsChange(((GradNormWeighting) before).settings, settings, tasks.names());
    change.check();
    return change.apply(state, lossWeights);
  }
}
