package org.gradnorm4j.examples;

/**
 * How long to train, and how often to tell about it.
 *
 * @param batchSize examples in a step; the last step of an epoch takes what is left
 * @param steps steps in all
 * @param reportEvery steps between two progress lines
 */
record Schedule(int batchSize, int steps, int reportEvery) {

  static int stepsPerEpoch(int examples, int batchSize) {
    return (examples + batchSize - 1) / batchSize;
  }

  Schedule atMost(int limit) {
    return new Schedule(batchSize, Math.min(limit, steps), reportEvery);
  }

  boolean reportsAfter(int step) {
    return step % reportEvery == 0 || step == steps;
  }
}
