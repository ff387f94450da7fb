package org.gradnorm4j.strategies;

import org.apache.commons.math3.util.FastMath;

/**
 * Random numbers from a state of one long: SplitMix64 (Steele, Lea and Flood, <i>Fast Splittable
 * Pseudorandom Number Generators</i>, OOPSLA 2014). To be made anew from a state, used, and thrown
 * away.
 */
final class SplitMix {
  private long state;

  /** Numbers that follow from a state. */
  SplitMix(State state) {
    this.state = state.generator;
  }

  /**
   * Of a strategy that draws numbers: all that one step draws follows from it. Two runs with the
   * same seed draw the same, and so does one that was saved and resumed.
   *
   * @param generator any number; the seed before the first step
   */
  record State(long generator) {
    /** That of the next step, whatever this one draws. */
    State next() {
      return new State(new SplitMix(this).nextLong());
    }
  }

  long nextLong() {
    state += 0x9e3779b97f4a7c15L;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /** Uniform in [0, 1). */
  double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }

  /** Standard normal, by Box and Muller. */
  double nextGaussian() {
    double radius = FastMath.sqrt(-2.0 * FastMath.log(1.0 - nextDouble()));
    return radius * FastMath.cos(2.0 * FastMath.PI * nextDouble());
  }

  /** A permutation of 0 … size − 1, each with the same probability. */
  int[] permutation(int size) {
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      int j = (int) (nextDouble() * (i + 1));
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
