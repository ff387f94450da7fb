package org.gradnorm4j.balancer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.weighting.SkipCause;

/**
 * What is remembered for every strategy. Immutable by convention: nobody writes into the array.
 *
 * @param steps measured steps so far, without the skipped ones
 * @param lossWeights λ_i of the next step, by task
 * @param frozen whether they are to stay
 * @param skips by task
 */
record BalancerState(int steps, double[] lossWeights, boolean frozen, List<SkipCounts> skips) {
  BalancerState {
    if (steps < 0) {
      throw new IllegalArgumentException("steps (" + steps + ") must be >= 0");
    }
    if (!Arrays.stream(lossWeights).allMatch(Double::isFinite)) {
      throw new IllegalArgumentException(
          "lossWeights (" + Arrays.toString(lossWeights) + ") must be finite");
    }
    if (skips.size() != lossWeights.length) {
      throw new IllegalArgumentException("skips must be by task");
    }
    skips = List.copyOf(skips);
  }

  static BalancerState first(double[] lossWeights) {
    return new BalancerState(
        0, lossWeights, false, Collections.nCopies(lossWeights.length, SkipCounts.NONE));
  }

  BalancerState withWeights(double[] weights) {
    return new BalancerState(steps, weights, frozen, skips);
  }

  BalancerState frozen(boolean freeze) {
    return new BalancerState(steps, lossWeights, freeze, skips);
  }

  /** After a step that was decided on. */
  BalancerState decided(double[] weights) {
    return new BalancerState(steps + 1, weights, frozen, skips);
  }

  /** After a step that was skipped. */
  BalancerState skipped(List<String> tasks, Map<String, Set<SkipCause>> causes) {
    List<SkipCounts> more = new ArrayList<>(skips);
    causes.forEach(
        (task, why) -> {
          int i = tasks.indexOf(task);
          more.set(i, more.get(i).plus(why));
        });
    return new BalancerState(steps, lossWeights, frozen, more);
  }
}
