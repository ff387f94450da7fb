package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which steps of a long history to draw so that no spike is lost: the history is cut into sections,
 * and of each the steps of the smallest and of the largest value are kept, task by task.
 */
final class Extremes {
  /** Sections of which two steps each are kept; up to twice as many steps are all kept. */
  static final int SECTIONS = 500;

  /** A value of a task in a step. */
  interface Value {
    double of(int step, int task);
  }

  private final SortedSet<Integer> kept = new TreeSet<>();
  private double min;
  private double max;
  private int smallest;
  private int largest;
  private int last = -1;

  private Extremes() {
    beginSection();
  }

  /**
   * The steps to draw: of each section the two, and the first and the last; without those whose
   * value is not finite.
   *
   * @return per task, ascending
   */
  static int[][] of(int steps, int tasks, Value value) {
    Extremes[] all = Stream.generate(Extremes::new).limit(tasks).toArray(Extremes[]::new);
    int sections = Math.min(SECTIONS, (steps + 1) / 2);
    int step = 0;
    for (int section = 1; section <= sections; section++) {
      int end = (int) ((long) section * steps / sections);
      for (; step < end; step++) {
        for (int task = 0; task < tasks; task++) { // inside: the values of a step are neighbours
          all[task].see(step, value.of(step, task));
        }
      }
      for (Extremes one : all) {
        one.endSection();
      }
    }
    return Arrays.stream(all).map(Extremes::steps).toArray(int[][]::new);
  }

  private void beginSection() {
    min = Double.POSITIVE_INFINITY;
    max = Double.NEGATIVE_INFINITY;
    smallest = -1;
    largest = -1;
  }

  private void see(int step, double value) {
    if (!Double.isFinite(value)) {
      return;
    }
    if (last < 0) {
      kept.add(step);
    }
    last = step;
    if (value < min) {
      min = value;
      smallest = step;
    }
    if (value >= max) { // of equals the last, so that of two equal steps both are kept
      max = value;
      largest = step;
    }
  }

  private void endSection() {
    if (largest >= 0) {
      kept.add(smallest);
      kept.add(largest);
    }
    beginSection();
  }

  private int[] steps() {
    if (last >= 0) {
      kept.add(last);
    }
    return kept.stream().mapToInt(step -> step).toArray();
  }
}
