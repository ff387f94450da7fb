package org.gradnorm4j.examples;

import java.util.Set;
import picocli.CommandLine.Option;

/** The options of a command that trains on a composite loss. */
final class CompositeOptions extends TrainingOptions {
  @Option(
      names = "--balancer",
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "NAME",
      defaultValue = "static,gradnorm",
      description = BALANCER)
  private Set<CompositeBalancer> balancers;

  CompositeOptions(double alpha, double learningRate, int batch) {
    super(alpha, learningRate, batch);
  }

  @Override
  Set<CompositeBalancer> balancers() {
    return balancers;
  }
}
