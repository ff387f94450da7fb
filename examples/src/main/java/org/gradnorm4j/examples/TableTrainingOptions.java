package org.gradnorm4j.examples;

import java.util.EnumSet;
import java.util.Set;

/** The options of a command that always compares equal weights with GradNorm. */
final class TableTrainingOptions extends TrainingOptions {

  TableTrainingOptions(double alpha, double learningRate, int batch) {
    super(alpha, learningRate, batch);
  }

  @Override
  Set<MultiTaskBalancer> balancers() {
    return EnumSet.of(MultiTaskBalancer.EQUAL, MultiTaskBalancer.GRADNORM);
  }
}
