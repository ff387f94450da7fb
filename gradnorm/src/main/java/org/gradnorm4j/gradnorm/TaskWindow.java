package org.gradnorm4j.gradnorm;

/**
 * Which tasks can be compared in a step: those whose last loss and norm are of one of the last
 * measured steps. A task is known from a step with labels of it and a gradient that is not zero; a
 * step that shows a gradient of zero takes that back.
 *
 * @param steps how many, this one included; &ge; 1
 */
record TaskWindow(int steps) {
  /** The default for a few tasks. */
  static final int LEAST = 100;

  /**
   * The default for many: of T tasks that take turns by chance, one in e¹⁰ turns comes too late.
   */
  static final int TURNS = 10;

  static TaskWindow byDefault(int tasks) {
    return new TaskWindow(Math.max(LEAST, TURNS * tasks));
  }

  /**
   * By task, the step it is known from, counted from 1; 0 for none.
   *
   * @param lastKnown before this step; not modified
   * @param step this one's number
   * @param present the tasks with labels
   * @param balanced those of them whose gradient is not zero
   */
  static int[] note(int[] lastKnown, int step, boolean[] present, boolean[] balanced) {
    int[] next = lastKnown.clone();
    for (int i = 0; i < next.length; i++) {
      if (present[i]) {
        next[i] = balanced[i] ? step : 0;
      }
    }
    return next;
  }

  boolean holds(int lastKnown, int step) {
    return lastKnown > 0 && step - lastKnown < steps;
  }
}
