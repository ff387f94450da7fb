package org.gradnorm4j.strategies;

import java.util.Map;

/** What all settings of this package have in common. Implemented by records, for files. */
interface StrategySettings {
  /** Settings by name, to be read. */
  default Map<String, String> describe() {
    return Map.of();
  }

  /** What the weights add up to. */
  default WeightScale scale() {
    return WeightScale.AS_PUBLISHED;
  }

  /** Nothing to set but the scale. */
  record ScaleOnly(WeightScale scale) implements StrategySettings {
    static final ScaleOnly DEFAULT = new ScaleOnly(WeightScale.AS_PUBLISHED);
  }
}
