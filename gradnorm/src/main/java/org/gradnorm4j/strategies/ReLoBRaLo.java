package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.Need;
import org.gradnorm4j.weighting.Quantity;

/**
 * Relative loss balancing with random lookback (Bischof and Kraus, <i>Multi-Objective Loss
 * Balancing for Physics-Informed Deep Learning</i>, 2021, arXiv 2110.09813). More weight to tasks
 * whose loss has fallen less, since the step before and, at random, since the beginning.
 *
 * <pre>
 *   λ(t) = α (ρ λ(t−1) + (1 − ρ) λ̂(t; 0)) + (1 − α) λ̂(t; t−1)
 *   λ̂(t; t') = T · softmax(L(t) / (τ L(t')))
 *
 *   α  memory, 0 to 1; 0.999 by default
 *   ρ  1 with the probability E ρ, 0.999 by default, else 0: then the beginning is looked back to
 *   τ  temperature, > 0; 1 by default
 * </pre>
 *
 * <p>For the next step, on heads and shared layers alike. &Sigma; &lambda; tends to T, over the
 * tasks that have a loss to compare with. A task's L(0) is its first loss above 0; in a step
 * without labels it keeps its weight and losses. A negative loss is refused.
 *
 * <p><b>Note:</b> &rho; follows from a seed and the number of steps, so that a run can be repeated
 * and resumed.
 */
public final class ReLoBRaLo implements LossWeighting<ReLoBRaLo.State> {
  static final String ID = "relobralo";

  private final Settings settings;

  ReLoBRaLo(Settings settings) {
    this.settings = settings;
  }

  /**
   * With &alpha; = 0.999, E&rho; = 0.999, &tau; = 1 and seed 0.
   *
   * @return the strategy
   */
  public static ReLoBRaLo create() {
    return new ReLoBRaLo(new Settings(0.999, 0.999, 1.0, 0L));
  }

  /**
   * With another memory.
   *
   * @param alpha &alpha;, 0 to 1
   * @return the strategy
   * @throws IllegalArgumentException if it is outside
   */
  public ReLoBRaLo withAlpha(double alpha) {
    return new ReLoBRaLo(
        new Settings(alpha, settings.expectedRho, settings.temperature, settings.seed));
  }

  /**
   * With another lookback.
   *
   * @param expectedRho E&rho;, 0 to 1; 1 never looks back to the beginning
   * @return the strategy
   * @throws IllegalArgumentException if it is outside
   */
  public ReLoBRaLo withExpectedRho(double expectedRho) {
    return new ReLoBRaLo(
        new Settings(settings.alpha, expectedRho, settings.temperature, settings.seed));
  }

  /**
   * With another temperature.
   *
   * @param temperature &tau;, &gt; 0 and finite; the larger, the closer to equal weights
   * @return the strategy
   * @throws IllegalArgumentException if it is not
   */
  public ReLoBRaLo withTemperature(double temperature) {
    return new ReLoBRaLo(
        new Settings(settings.alpha, settings.expectedRho, temperature, settings.seed));
  }

  /**
   * With other random numbers.
   *
   * @param seed any number
   * @return the strategy
   */
  public ReLoBRaLo withSeed(long seed) {
    return new ReLoBRaLo(
        new Settings(settings.alpha, settings.expectedRho, settings.temperature, seed));
  }

  /** Settings, as in the factories. */
  record Settings(double alpha, double expectedRho, double temperature, long seed) {
    Settings {
      Arguments.check(alpha >= 0.0 && alpha <= 1.0, "alpha", alpha, "must be 0 to 1");
      Arguments.check(
          expectedRho >= 0.0 && expectedRho <= 1.0, "expectedRho", expectedRho, "must be 0 to 1");
      Arguments.positive(temperature, "temperature");
    }
  }

  /**
   * Losses to compare with, by task, 0 where there is none yet.
   *
   * @param first L(0)
   * @param last L(t−1)
   * @param draws state of the random numbers
   */
  record State(double[] first, double[] last, SplitMix.State draws) {
    State {
      if (first.length != last.length
          || !Arrays.stream(first).allMatch(loss -> loss >= 0.0 && Double.isFinite(loss))
          || !Arrays.stream(last).allMatch(loss -> loss >= 0.0 && Double.isFinite(loss))) {
        throw new IllegalArgumentException("losses are none that can have been measured");
      }
    }
  }

  @Override
  public String id() {
    return ID;
  }

  @Override
  public String name() {
    return "ReLoBRaLo";
  }

  @Override
  public Record settings() {
    return settings;
  }

  @Override
  public Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("alpha", Double.toString(settings.alpha));
    all.put("expected rho", Double.toString(settings.expectedRho));
    all.put("temperature", Double.toString(settings.temperature));
    return all;
  }

  @Override
  public Set<Need> needs() {
    return EnumSet.of(Need.LOSSES);
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
    int size = tasks.size();
    return Decision.of(
        new State(new double[size], new double[size], new SplitMix.State(settings.seed)),
        tasks.configuredLossWeights());
  }

  @Override
  public Decision<State> decide(State state, double[] lossWeights, StepMeasurement step) {
    double[] losses = step.losses();
    boolean[] present = step.present();
    double[] first = state.first.clone();
    double[] last = state.last.clone();
    for (int i = 0; i < losses.length; i++) {
      if (present[i] && Deciding.positive(losses[i], step.taskNames().get(i))) {
        last[i] = losses[i];
        first[i] = first[i] > 0.0 ? first[i] : losses[i];
      }
    }
    double rho = new SplitMix(state.draws).nextDouble() < settings.expectedRho ? 1.0 : 0.0;
    int[] known =
        IntStream.range(0, losses.length).filter(i -> present[i] && state.first[i] > 0.0).toArray();
    double[] next = lossWeights.clone();
    if (known.length > 1) {
      double[] sinceFirst = relative(losses, state.first, known);
      double[] sinceLast = relative(losses, state.last, known);
      for (int k = 0; k < known.length; k++) {
        double before = rho * next[known[k]] + (1.0 - rho) * sinceFirst[k];
        next[known[k]] = settings.alpha * before + (1.0 - settings.alpha) * sinceLast[k];
      }
    }
    return Decision.of(new State(first, last, state.draws.next()), next);
  }

  /** λ̂ of these tasks. */
  private double[] relative(double[] losses, double[] reference, int[] tasks) {
    return Softmax.timesTasks(
        Arrays.stream(tasks)
            .mapToDouble(i -> losses[i] / reference[i] / settings.temperature)
            .toArray());
  }

  @Override
  public void check(State state, double[] lossWeights, Tasks tasks) {
    if (state.first.length != tasks.size()) {
      throw new IllegalArgumentException("losses must be one per task " + tasks.names());
    }
  }

  /** Memory, lookback and temperature may change at any time; the seed is that of the beginning. */
  @Override
  public Decision<State> adopt(
      LossWeighting<State> before, State state, double[] lossWeights, Tasks tasks) {
    return Decision.of(state, lossWeights);
  }
}
