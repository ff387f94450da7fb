package org.gradnorm4j.optimizer;

import java.util.Arrays;

/**
 * An optimiser that steps for some of the tasks and leaves the others' state as it is: each task
 * has the moments, and counts the steps, of an optimiser that has seen its gradients alone. Bias
 * corrections and schedules by iteration go by the task's own count.
 *
 * <p>ND4J's updaters work element by element, and keep their state as one block of T values per
 * moment, one after the other: [m₁ … m_T, v₁ … v_T].
 *
 * @param optimizer of all tasks
 */
public record TaskwiseOptimizer(WeightOptimizer optimizer) {

  /**
   * As {@link WeightOptimizer.Step}, with the new counts.
   *
   * @param state to be passed to the next step
   * @param counts by task, the steps it has taken
   * @param delta what to subtract
   */
  public record Step(double[] state, int[] counts, double[] delta) {}

  /**
   * The state before the first step.
   *
   * @param tasks how many numbers are optimised
   * @return as {@link WeightOptimizer#init}
   */
  public double[] init(int tasks) {
    return optimizer.init(tasks);
  }

  /**
   * The step for the gradients of some tasks.
   *
   * @param state what {@link #init} or the last step returned; not modified
   * @param counts by task, the steps it has taken before; not modified
   * @param gradient by task; not modified
   * @param moving the tasks that take a step
   * @param epoch current epoch, for schedules
   * @return with &Delta; = 0 for the others
   */
  public Step step(double[] state, int[] counts, double[] gradient, boolean[] moving, int epoch) {
    double[] nextState = state.clone();
    int[] nextCounts = counts.clone();
    double[] delta = new double[gradient.length];
    boolean[] left = moving.clone();
    for (int task = 0; task < gradient.length; task++) {
      if (left[task]) {
        int[] alike = takeAlike(task, counts, left);
        WeightOptimizer.Step step =
            optimizer.step(
                gather(state, alike, gradient.length),
                gather(gradient, alike, gradient.length),
                counts[task],
                epoch);
        scatter(step.state(), alike, nextState, gradient.length);
        scatter(step.delta(), alike, delta, gradient.length);
        for (int other : alike) {
          nextCounts[other]++;
        }
      }
    }
    return new Step(nextState, nextCounts, delta);
  }

  /** The tasks with the same count as this one: they can step together. */
  private static int[] takeAlike(int task, int[] counts, boolean[] left) {
    int[] alike = new int[counts.length];
    int size = 0;
    for (int other = task; other < counts.length; other++) {
      if (left[other] && counts[other] == counts[task]) {
        alike[size++] = other;
        left[other] = false;
      }
    }
    return Arrays.copyOf(alike, size);
  }

  private static double[] gather(double[] blocks, int[] tasks, int length) {
    double[] some = new double[blocks.length / length * tasks.length];
    for (int i = 0; i < some.length; i++) {
      some[i] = blocks[i / tasks.length * length + tasks[i % tasks.length]];
    }
    return some;
  }

  private static void scatter(double[] some, int[] tasks, double[] blocks, int length) {
    for (int i = 0; i < some.length; i++) {
      blocks[i / tasks.length * length + tasks[i % tasks.length]] = some[i];
    }
  }
}
