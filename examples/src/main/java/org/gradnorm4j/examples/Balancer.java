package org.gradnorm4j.examples;

/** How the loss weights are chosen. Its text is the name on the command line and in files. */
sealed interface Balancer permits MultiTaskBalancer, CompositeBalancer {

  /** Whether GradNorm moves the weights. */
  boolean isGradNorm();
}
