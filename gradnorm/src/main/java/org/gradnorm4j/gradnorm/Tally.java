package org.gradnorm4j.gradnorm;

import java.util.Arrays;

/**
 * A sum and the number of values in it, by task. Immutable by convention, as {@link GradNormState}.
 *
 * @param sums weighted or not
 * @param counts 0 for a task of which there is nothing yet
 */
record Tally(double[] sums, int[] counts) {
  Tally {
    if (sums.length != counts.length || !Arrays.stream(counts).allMatch(count -> count >= 0)) {
      throw new IllegalArgumentException("sums and counts are none of an average");
    }
  }

  static Tally empty(int tasks) {
    return new Tally(new double[tasks], new int[tasks]);
  }

  Tally copy() {
    return new Tally(sums.clone(), counts.clone());
  }
}
