package org.gradnorm4j.examples;

import java.util.Locale;

/** How the weights of a composite loss' terms are chosen. */
enum CompositeBalancer implements Balancer {
  /** As configured, always: plain Deeplearning4j. */
  STATIC,
  /** By GradNorm, beginning as configured. */
  GRADNORM;

  @Override
  public boolean isGradNorm() {
    return this == GRADNORM;
  }

  /** The name on the command line and in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
