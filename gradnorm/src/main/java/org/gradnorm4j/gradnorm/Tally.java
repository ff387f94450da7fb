package org.gradnorm4j.gradnorm;

/**
 * A sum and the number of values in it, by task. Immutable by convention, as {@link GradNormState}.
 *
 * @param sums weighted or not
 * @param counts 0 for a task of which there is nothing yet
 */
record Tally(double[] sums, int[] counts) {

  static Tally empty(int tasks) {
    return new Tally(new double[tasks], new int[tasks]);
  }

  Tally copy() {
    return new Tally(sums.clone(), counts.clone());
  }
}
