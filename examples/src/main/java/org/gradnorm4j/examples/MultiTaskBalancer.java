package org.gradnorm4j.examples;

import java.util.Locale;

/** How the loss weights of a network with several outputs are chosen. */
enum MultiTaskBalancer implements Balancer {
  /** All 1, always: plain Deeplearning4j. */
  EQUAL,
  /** By uncertainty weighting. */
  UNCERTAINTY,
  /** By GradNorm. */
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
