package org.gradnorm4j.examples;

import java.util.Locale;

/** The ways to train that a table is tried with. */
enum TableMethod {
  /** One network for all tasks, all loss weights 1. */
  EQUAL,
  /** One network for all tasks, loss weights by GradNorm. */
  GRADNORM,
  /** A network for each task. */
  ALONE;

  /** The name on the console and in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
