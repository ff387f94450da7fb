package org.gradnorm4j.gradnorm;

import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.LossWeightings;

/** Makes GradNorm's strategy when a file is read. */
public final class GradNormProvider implements LossWeightings.Provider<GradNormSettings> {
  /** For the service loader. */
  public GradNormProvider() {}

  @Override
  public String id() {
    return GradNormWeighting.ID;
  }

  @Override
  public Class<GradNormSettings> settingsType() {
    return GradNormSettings.class;
  }

  @Override
  public LossWeighting<?> create(GradNormSettings settings) {
    return new GradNormWeighting(settings);
  }
}
