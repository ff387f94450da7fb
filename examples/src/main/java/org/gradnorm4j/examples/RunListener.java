package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Follows one run. */
interface RunListener {

  /** One that does nothing. */
  static RunListener none() {
    return new RunListener() {};
  }

  /**
   * Called before the first step, and after each.
   *
   * @param step steps done; 0 before the first
   * @param learner only to be read
   */
  default void afterStep(int step, Learner learner) {}

  /** Writes what it has found, after the run; the files written. */
  default List<Path> write(RunFiles files, Balancer balancer) throws IOException {
    return List.of();
  }
}
