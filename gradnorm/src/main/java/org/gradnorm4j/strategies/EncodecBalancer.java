package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Need;

/**
 * The loss balancer of EnCodec (D&eacute;fossez et al., <i>High Fidelity Neural Audio
 * Compression</i>, 2022, arXiv 2210.13438, section on the balancer). Each task has the share of the
 * step that it is given, whatever the length of its gradient.
 *
 * <pre>
 *   λ_i = R · w_i/Σw / m_i
 *   m_i = Σ_k β^(t−k) n_i(k) / Σ_k β^(t−k), over the steps k ≤ t in which task i was present
 *
 *   n_i  ‖g_i‖
 *   w_i  share of task i, > 0, 1 by default
 *   R    length of all shares together, > 0; 1 by default
 *   β    decay, 0 to below 1; 0.999 by default
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. Weighted gradients have
 * the lengths R &middot; w<sub>i</sub>/&Sigma;w on average; where a gradient vanishes, its weight
 * grows.
 *
 * <p><b>Note:</b> norms are those on the shared layer's weights; the paper takes the gradient at
 * the output of the network. A gradient of 0 does not count in the mean.
 */
public final class EncodecBalancer extends StepStrategy<EncodecBalancer.State> {
  static final String ID = "encodec";

  private final Settings settings;

  EncodecBalancer(Settings settings) {
    super(ID, "EnCodec balancer", Set.of(Need.GRADIENT_NORMS), settings, State.NONE);
    this.settings = settings;
  }

  /**
   * With equal shares, &beta; = 0.999 and R = 1.
   *
   * @return the strategy
   */
  public static EncodecBalancer create() {
    return new EncodecBalancer(new Settings(Map.of(), 0.999, 1.0, WeightScale.AS_PUBLISHED));
  }

  /**
   * With shares.
   *
   * @param shares w by task, &gt; 0 and finite; none for equal ones; copied
   * @return the strategy
   * @throws IllegalArgumentException if null, or one is outside
   */
  public EncodecBalancer withShares(Map<String, Double> shares) {
    return new EncodecBalancer(
        new Settings(shares, settings.decay, settings.length, settings.scale));
  }

  /**
   * With another average.
   *
   * @param decay &beta;, 0 to below 1; 0 takes the norms of the step alone
   * @return the strategy
   * @throws IllegalArgumentException if it is outside
   */
  public EncodecBalancer withDecay(double decay) {
    return new EncodecBalancer(
        new Settings(settings.shares, decay, settings.length, settings.scale));
  }

  /**
   * With another length.
   *
   * @param length R, &gt; 0 and finite
   * @return the strategy
   * @throws IllegalArgumentException if it is not
   */
  public EncodecBalancer withLength(double length) {
    return new EncodecBalancer(
        new Settings(settings.shares, settings.decay, length, settings.scale));
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public EncodecBalancer with(WeightScale scale) {
    return new EncodecBalancer(
        new Settings(settings.shares, settings.decay, settings.length, scale));
  }

  /** Settings, as in the factories. */
  record Settings(Map<String, Double> shares, double decay, double length, WeightScale scale)
      implements StrategySettings {
    Settings {
      shares = ByTask.checked(shares, "share", w -> w > 0.0, "must be > 0 and finite");
      Arguments.check(decay >= 0.0 && decay < 1.0, "decay", decay, "must be 0 to below 1");
      Arguments.positive(length, "length");
    }

    @Override
    public Map<String, String> describe() {
      Map<String, String> all = new LinkedHashMap<>();
      all.put("decay", Double.toString(decay));
      all.put("length", Double.toString(length));
      if (!shares.isEmpty()) {
        all.put("shares", shares.toString());
      }
      return all;
    }
  }

  /**
   * Means of norms by task of the network; empty before the first step.
   *
   * @param means m; 0 where there is none yet
   * @param counts Σ β^(t−k)
   */
  record State(double[] means, double[] counts) {
    static final State NONE = new State(new double[0], new double[0]);

    State {
      if (counts.length != means.length
          || !Arrays.stream(means).allMatch(mean -> mean >= 0.0 && Double.isFinite(mean))
          || !Arrays.stream(counts).allMatch(count -> count >= 0.0 && Double.isFinite(count))) {
        throw new IllegalArgumentException("means of norms are none that can have been reached");
      }
    }
  }

  @Override
  void checkSettings(Tasks tasks) {
    ByTask.checkTasks(settings.shares, "shares", tasks);
  }

  @Override
  void checkState(State state, List<String> tasks) {
    Arguments.check(
        state.means.length == 0 || state.means.length == tasks.size(),
        "means of norms",
        state.means.length,
        "must be one per task " + tasks);
  }

  @Override
  double[] weigh(State state, Deciding step) {
    double[] means = after(state, step).means;
    double[] weights = ByTask.of(settings.shares, step, 1.0);
    double sum = Arrays.stream(weights).sum();
    Arrays.setAll(weights, k -> settings.length * weights[k] / sum / means[step.tasks()[k]]);
    return weights;
  }

  @Override
  State after(State state, Deciding step) {
    int size = step.step().taskNames().size();
    double[] means = Arrays.copyOf(state.means, size);
    double[] counts = Arrays.copyOf(state.counts, size);
    double[] norms = step.norms();
    for (int k = 0; k < norms.length; k++) {
      int i = step.tasks()[k];
      counts[i] = settings.decay * counts[i] + 1.0;
      means[i] += (norms[k] - means[i]) / counts[i];
    }
    return new State(means, counts);
  }
}
