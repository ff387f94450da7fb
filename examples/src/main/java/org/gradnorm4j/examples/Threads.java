package org.gradnorm4j.examples;

import org.nd4j.linalg.factory.Nd4j;

/**
 * How many threads ND4J's operations and OpenBLAS use. By default both take all processors, for
 * operations of microseconds too: most of the time then goes into waiting for each other.
 */
final class Threads {
  private Threads() {}

  /** From now on, in the whole JVM; at most as many as there were when ND4J was loaded. */
  static void use(int threads) {
    Nd4j.getEnvironment().setMaxMasterThreads(threads);
    Nd4j.factory().blas().setMaxThreads(threads);
  }
}
