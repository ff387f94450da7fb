package org.gradnorm4j.balancer;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.weighting.SkipCause;

/**
 * How many steps were skipped for a task, by {@link SkipCause}.
 *
 * @param loss &ge; 0
 * @param gradientNorm &ge; 0
 * @param weightUpdate &ge; 0
 */
record SkipCounts(int loss, int gradientNorm, int weightUpdate) {
  static final SkipCounts NONE = new SkipCounts(0, 0, 0);

  SkipCounts {
    if (loss < 0 || gradientNorm < 0 || weightUpdate < 0) {
      throw new IllegalArgumentException("counts of skipped steps must be >= 0");
    }
  }

  SkipCounts plus(Set<SkipCause> causes) {
    return new SkipCounts(
        loss + (causes.contains(SkipCause.LOSS) ? 1 : 0),
        gradientNorm + (causes.contains(SkipCause.GRADIENT_NORM) ? 1 : 0),
        weightUpdate + (causes.contains(SkipCause.WEIGHT_UPDATE) ? 1 : 0));
  }

  /** With every cause; unmodifiable. */
  Map<SkipCause, Integer> byCause() {
    Map<SkipCause, Integer> counts = new EnumMap<>(SkipCause.class);
    counts.put(SkipCause.LOSS, loss);
    counts.put(SkipCause.GRADIENT_NORM, gradientNorm);
    counts.put(SkipCause.WEIGHT_UPDATE, weightUpdate);
    return Collections.unmodifiableMap(counts);
  }
}
