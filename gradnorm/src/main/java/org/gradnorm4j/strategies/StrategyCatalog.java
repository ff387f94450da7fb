package org.gradnorm4j.strategies;

import java.util.List;
import org.gradnorm4j.strategies.StrategySettings.ScaleOnly;
import org.gradnorm4j.weighting.LossWeightings;
import org.gradnorm4j.weighting.LossWeightings.Format;

/** The strategies of this package, by id: for files and command lines. */
public final class StrategyCatalog implements LossWeightings.Catalog {
  private static final List<Format<?>> FORMATS =
      List.of(
          new Format<>(
              EqualWeights.ID,
              EqualWeights.Settings.class,
              settings -> EqualWeights.create(),
              EqualWeights::create),
          new Format<>(FixedWeights.ID, FixedWeights.Settings.class, FixedWeights::new),
          // by losses
          new Format<>(
              RandomWeights.ID,
              RandomWeights.Settings.class,
              RandomWeights::new,
              RandomWeights::create),
          new Format<>(
              DynamicWeightAverage.ID,
              DynamicWeightAverage.Settings.class,
              DynamicWeightAverage::new,
              DynamicWeightAverage::create),
          new Format<>(
              UncertaintyWeighting.ID,
              UncertaintyWeighting.Settings.class,
              UncertaintyWeighting::new,
              UncertaintyWeighting::create),
          new Format<>(UwSo.ID, UwSo.Settings.class, UwSo::new, UwSo::create),
          new Format<>(
              GeometricLoss.ID, ScaleOnly.class, GeometricLoss::new, GeometricLoss::create),
          new Format<>(ImtlL.ID, UncertaintyWeighting.Settings.class, ImtlL::new, ImtlL::create),
          new Format<>(Stch.ID, Stch.Settings.class, Stch::new),
          new Format<>(ReLoBRaLo.ID, ReLoBRaLo.Settings.class, ReLoBRaLo::new, ReLoBRaLo::create),
          // by gradients
          new Format<>(DbMtl.ID, ScaleOnly.class, DbMtl::new, DbMtl::create),
          new Format<>(ImtlG.ID, ScaleOnly.class, ImtlG::new, ImtlG::create),
          new Format<>(Mgda.ID, ScaleOnly.class, Mgda::new, Mgda::create),
          new Format<>(CaGrad.ID, CaGrad.Settings.class, CaGrad::new, CaGrad::create),
          new Format<>(NashMtl.ID, ScaleOnly.class, NashMtl::new, NashMtl::create),
          new Format<>(FairGrad.ID, FairGrad.Settings.class, FairGrad::new, FairGrad::create),
          new Format<>(PcGrad.ID, PcGrad.Settings.class, PcGrad::new, PcGrad::create),
          new Format<>(
              AlignedMtl.ID, AlignedMtl.Settings.class, AlignedMtl::new, AlignedMtl::create),
          new Format<>(UpGrad.ID, ScaleOnly.class, UpGrad::new, UpGrad::create),
          new Format<>(DualProj.ID, ScaleOnly.class, DualProj::new, DualProj::create),
          new Format<>(ConFig.ID, ScaleOnly.class, ConFig::new, ConFig::create));

  /** For the service loader. */
  public StrategyCatalog() {}

  @Override
  public List<Format<?>> formats() {
    return FORMATS;
  }
}
