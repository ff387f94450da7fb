package org.gradnorm4j.weighting;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;

/**
 * A strategy that chooses the loss weights &lambda;<sub>i</sub> of L = &Sigma; &lambda;<sub>i</sub>
 * L<sub>i</sub>, step by step: a pure function from state, weights and measurement to state and
 * weights. All that it remembers is in an explicit, immutable state, a record that can be written
 * to a file. {@code LossBalancer} attaches any of them to a network.
 *
 * <pre>
 *   (s(0), λ(0))     = init(tasks)
 *   (s(t+1), λ(t+1)) = decide(s(t), λ(t), measurement of step t)
 * </pre>
 *
 * <p>The step that was measured was trained with &lambda;(t); &lambda;(t+1) is for the next one, as
 * in Algorithm 1 of GradNorm (Chen et al., ICML 2018).
 *
 * <p>An instance has its settings and nothing else, and may be used by several threads. Methods
 * modify none of their arguments; arrays are by task, in the order of the network's.
 *
 * <p>To be found again when a file is read, a strategy needs a line in a {@link
 * LossWeightings.Catalog}.
 *
 * @param <S> the state: a record of numbers, strings, enums, arrays and records of these. Its
 *     compact constructor refuses what cannot be
 */
public interface LossWeighting<S extends Record> {

  /**
   * The name of the strategy in files.
   *
   * @return such as {@code gradnorm}; never changes
   */
  String id();

  /**
   * The name of the strategy for people.
   *
   * @return such as "GradNorm"
   */
  String name();

  /**
   * What makes this instance again: {@link LossWeightings.Format#create} gets it back.
   *
   * @return a record of the same kinds of values as a state
   */
  Record settings();

  /**
   * The settings to be read, in a report: the main ones in any case, others if they are not the
   * default.
   *
   * @return value by name, in the order of reading
   */
  Map<String, String> describe();

  /**
   * What this decides by.
   *
   * @return any of them; none for weights that do not move
   */
  Set<Need> needs();

  /**
   * Which step the weights are for, as published.
   *
   * @return the next one by default
   */
  default Timing timing() {
    return Timing.NEXT_STEP;
  }

  /**
   * Whether the heads are weighted too, where the weights act in the same step. In the next step
   * they always are.
   *
   * @return false by default: only the shared layers' gradients are combined
   */
  default boolean headsWeighted() {
    return false;
  }

  /**
   * What is reported of each step, beside losses, weights and norms, which always are.
   *
   * @return in the order of the columns of a file
   */
  List<Quantity> quantities();

  /**
   * The type of the state, for files.
   *
   * @return its class
   */
  Class<S> stateType();

  /**
   * State and weights before the first step.
   *
   * @param tasks those of the network
   * @return without quantities
   * @throws IllegalArgumentException if the settings do not fit the tasks; names task and remedy
   */
  Decision<S> init(Tasks tasks);

  /**
   * State and weights after a step.
   *
   * @param state after the step before
   * @param lossWeights &lambda; now: those of the step, if nobody has set others since
   * @param step all values of the {@link #needs()} are finite where a task is present
   * @return with all {@link #quantities()} that the step has
   * @throws IllegalStateException if the step shows something that this cannot work with, such as a
   *     negative loss; names task and remedy. It ends the fit
   */
  Decision<S> decide(S state, double[] lossWeights, StepMeasurement step);

  /**
   * The weights closest to some that the settings allow, as limits or a fixed sum.
   *
   * @param state of the run
   * @param lossWeights finite
   * @param tasks those of the network
   * @return within all limits; by default the same
   */
  default double[] nearestAllowed(S state, double[] lossWeights, Tasks tasks) {
    return lossWeights.clone();
  }

  /**
   * Refuses a state, read from a file, that this cannot have reached.
   *
   * @param state of any length and value
   * @param lossWeights of the length of the tasks, finite
   * @param tasks their names; nothing else of them is known
   * @throws IllegalArgumentException names what is wrong
   */
  void check(S state, double[] lossWeights, Tasks tasks);

  /**
   * State and weights with which these settings go on in a run that was begun with others.
   *
   * @param before the same strategy, with other settings
   * @param state of the run
   * @param lossWeights of the run
   * @param tasks those of the network
   * @return by default the same, if the settings are
   * @throws IllegalArgumentException if a setting cannot change in a run that has begun; names it
   *     and the remedy
   */
  default Decision<S> adopt(LossWeighting<S> before, S state, double[] lossWeights, Tasks tasks) {
    if (!settings().equals(before.settings())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s (%s) cannot change to %s in a run that has begun. Detach and call reset() first, or build another balancer",
              name(),
              before.describe(),
              describe()));
    }
    return Decision.of(state, lossWeights);
  }
}
