package org.gradnorm4j.examples;

import java.util.EnumSet;
import java.util.Set;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.strategies.UncertaintyWeighting;
import org.gradnorm4j.weighting.LossWeighting;
import picocli.CommandLine.Option;

/** The options of a command that trains a network with several outputs. */
final class MultiTaskOptions extends TrainingOptions {
  @Option(
      names = "--balancer",
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "NAME",
      defaultValue = "equal,gradnorm",
      description = BALANCER)
  private Set<MultiTaskBalancer> balancers;

  MultiTaskOptions(double alpha, double learningRate, int batch) {
    super(alpha, learningRate, batch);
  }

  /** As if all had been asked for. */
  void useAllBalancers() {
    balancers = EnumSet.allOf(MultiTaskBalancer.class);
  }

  @Override
  Set<MultiTaskBalancer> balancers() {
    return balancers;
  }

  @Override
  LossWeighting<?> strategy(Balancer balancer) {
    return balancer == MultiTaskBalancer.UNCERTAINTY
        ? UncertaintyWeighting.with(WeightOptimizer.of(weightUpdater()))
        : super.strategy(balancer);
  }
}
