package org.gradnorm4j.examples;

import java.util.Locale;

/** How the loss weights are chosen. */
enum Balancer {
  /** All 1, always: plain Deeplearning4j. */
  EQUAL,
  /** By GradNorm. */
  GRADNORM;

  /** The name on the command line and in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
