package org.gradnorm4j.gradnorm;

import java.util.List;
import org.gradnorm4j.weighting.LossWeightings;
import org.gradnorm4j.weighting.LossWeightings.Format;

/** GradNorm by its id: for files and command lines. */
public final class GradNormCatalog implements LossWeightings.Catalog {
  /** For the service loader. */
  public GradNormCatalog() {}

  @Override
  public List<Format<?>> formats() {
    return List.of(
        new Format<>(
            GradNormWeighting.ID,
            GradNormSettings.class,
            GradNormWeighting::new,
            () -> GradNorm.builder().build().weighting()));
  }
}
