package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.EnumSet;
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
 * Dynamic weight average (Liu, Johns and Davison, <i>End-to-End Multi-Task Learning with
 * Attention</i>, CVPR 2019, eq. 7). Once an epoch, more weight to tasks whose loss falls more
 * slowly.
 *
 * <pre>
 *   λ(t) = T · softmax(r / τ),  r_i = L̄_i(t−1) / L̄_i(t−2)
 *
 *   t     epoch; in the first two λ stays as it is
 *   L̄_i  mean of loss i over the steps of an epoch in which the task was present
 *   τ     temperature, > 0; 2 by default
 * </pre>
 *
 * <p>For the next steps, on heads and shared layers alike. &Sigma; &lambda; = T over the tasks that
 * have both means. Since r is close to 1, the weights hardly leave 1: a factor of two between the
 * rates of two tasks gives weights of 1.12 and 0.88. A mean loss of 0 gives no rate, and the task
 * keeps its weight; a negative loss is refused.
 *
 * <p><b>Note:</b> that an epoch is over shows in the first step of the next, which is still trained
 * with the weights of before. Every measured step counts the same, whatever its minibatch.
 */
public final class DynamicWeightAverage implements LossWeighting<DynamicWeightAverage.State> {
  /** The rates r<sub>i</sub> of the last two epochs; 1 where there is none. */
  public static final Quantity RATE = Quantity.perTask("loss_rate", "Rates of the losses", "r");

  static final String ID = "dwa";

  private final Settings settings;

  DynamicWeightAverage(Settings settings) {
    this.settings = settings;
  }

  /**
   * With &tau; = 2.
   *
   * @return the strategy
   */
  public static DynamicWeightAverage create() {
    return new DynamicWeightAverage(new Settings(2.0));
  }

  /**
   * With another temperature.
   *
   * @param temperature &tau;, &gt; 0 and finite; the larger, the closer to equal weights
   * @return the strategy
   * @throws IllegalArgumentException if it is not
   */
  public DynamicWeightAverage withTemperature(double temperature) {
    return new DynamicWeightAverage(new Settings(temperature));
  }

  /** Settings, as in the factories. */
  record Settings(double temperature) {
    Settings {
      Arguments.positive(temperature, "temperature");
    }
  }

  /**
   * Mean losses by task, NaN where there is none.
   *
   * @param epoch that is being averaged; -1 before the first step
   * @param steps averaged so far, by task
   * @param means of this epoch so far
   * @param last of the epoch before
   * @param beforeLast of the one before that
   */
  record State(int epoch, int[] steps, double[] means, double[] last, double[] beforeLast) {
    State {
      if (steps.length != means.length
          || last.length != means.length
          || beforeLast.length != means.length
          || Arrays.stream(steps).anyMatch(count -> count < 0)) {
        throw new IllegalArgumentException("mean losses are none that can have been reached");
      }
    }

    static State first(int tasks) {
      double[] none = new double[tasks];
      Arrays.fill(none, Double.NaN);
      return new State(-1, new int[tasks], new double[tasks], none, none);
    }

    /** A task that was absent all epoch keeps its means. */
    State nextEpoch(int next) {
      double[] newLast = last.clone();
      double[] newBefore = beforeLast.clone();
      for (int i = 0; i < means.length; i++) {
        if (steps[i] > 0) {
          newBefore[i] = last[i];
          newLast[i] = means[i];
        }
      }
      return new State(next, new int[means.length], new double[means.length], newLast, newBefore);
    }

    /** r; NaN where there is none. */
    double[] rates() {
      double[] rates = last.clone();
      for (int i = 0; i < rates.length; i++) {
        double rate = last[i] / beforeLast[i];
        rates[i] = beforeLast[i] > 0.0 && Double.isFinite(rate) ? rate : Double.NaN;
      }
      return rates;
    }

    State plus(StepMeasurement step) {
      int[] newSteps = steps.clone();
      double[] newMeans = means.clone();
      boolean[] present = step.present();
      double[] losses = step.losses();
      for (int i = 0; i < losses.length; i++) {
        if (present[i]) {
          Deciding.positive(losses[i], step.taskNames().get(i)); // refuses a negative one
          newSteps[i]++;
          newMeans[i] += (losses[i] - newMeans[i]) / newSteps[i];
        }
      }
      return new State(epoch, newSteps, newMeans, last, beforeLast);
    }
  }

  @Override
  public String id() {
    return ID;
  }

  @Override
  public String name() {
    return "DWA";
  }

  @Override
  public Record settings() {
    return settings;
  }

  @Override
  public Map<String, String> describe() {
    return Map.of("temperature", Double.toString(settings.temperature));
  }

  @Override
  public Set<Need> needs() {
    return EnumSet.of(Need.LOSSES);
  }

  @Override
  public List<Quantity> quantities() {
    return List.of(RATE);
  }

  @Override
  public Class<State> stateType() {
    return State.class;
  }

  @Override
  public Decision<State> init(Tasks tasks) {
    return Decision.of(State.first(tasks.size()), tasks.configuredLossWeights());
  }

  @Override
  public Decision<State> decide(State state, double[] lossWeights, StepMeasurement step) {
    boolean over = step.epoch() != state.epoch;
    State next = over ? state.nextEpoch(step.epoch()) : state;
    double[] rates = next.rates();
    double[] weights = over ? weights(lossWeights, rates) : lossWeights;
    Arrays.setAll(rates, i -> Double.isNaN(rates[i]) ? 1.0 : rates[i]);
    return Decision.of(next.plus(step), weights).with(RATE, rates);
  }

  private double[] weights(double[] lossWeights, double[] rates) {
    int[] known = IntStream.range(0, rates.length).filter(i -> !Double.isNaN(rates[i])).toArray();
    double[] next = lossWeights.clone();
    if (known.length > 1) {
      double[] weights =
          Softmax.timesTasks(
              Arrays.stream(known).mapToDouble(i -> rates[i] / settings.temperature).toArray());
      for (int k = 0; k < known.length; k++) {
        next[known[k]] = weights[k];
      }
    }
    return next;
  }

  @Override
  public void check(State state, double[] lossWeights, Tasks tasks) {
    if (state.means.length != tasks.size()) {
      throw new IllegalArgumentException("mean losses must be one per task " + tasks.names());
    }
  }

  /** The temperature may change at any time. */
  @Override
  public Decision<State> adopt(
      LossWeighting<State> before, State state, double[] lossWeights, Tasks tasks) {
    return Decision.of(state, lossWeights);
  }
}
