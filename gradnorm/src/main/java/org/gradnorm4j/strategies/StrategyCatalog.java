package org.gradnorm4j.strategies;

import java.util.List;
import org.gradnorm4j.weighting.LossWeightings;
import org.gradnorm4j.weighting.LossWeightings.Format;

/** The strategies of this package, for files. */
public final class StrategyCatalog implements LossWeightings.Catalog {
  /** For the service loader. */
  public StrategyCatalog() {}

  @Override
  public List<Format<?>> formats() {
    return List.of(
        new Format<>(
            EqualWeights.ID, EqualWeights.Settings.class, settings -> EqualWeights.create()),
        new Format<>(FixedWeights.ID, FixedWeights.Settings.class, FixedWeights::new),
        new Format<>(
            UncertaintyWeighting.ID,
            UncertaintyWeighting.Settings.class,
            UncertaintyWeighting::new));
  }
}
