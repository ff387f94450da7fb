package org.gradnorm4j.report;

import java.util.Arrays;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.gradnorm4j.history.HistoryView;

/**
 * Which steps of a long history to draw so that no spike is lost: the history is cut into sections,
 * and of each the steps of the smallest and of the largest value are kept, task by task.
 */
final class Extremes {
  /** Sections of which two steps each are kept; up to twice as many steps are all kept. */
  static final int SECTIONS = 500;

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
   * The rows to draw: of each section the two, and the first and the last; without those whose
   * value is not finite. Sections are as long as each other in steps of the run, whatever the
   * history keeps of them.
   *
   * @param lines how many values there are of a row, in the place of tasks
   * @return per line, ascending
   */
  static int[][] of(HistoryView history, int lines, HistoryView.Value value) {
    Extremes[] all = Stream.generate(Extremes::new).limit(lines).toArray(Extremes[]::new);
    int rows = history.size();
    long sections = Math.min(SECTIONS, (rows + 1) / 2);
    long first = rows == 0 ? 0 : history.number(0);
    long steps = history.counts().steps() - first;
    long section = 0;
    for (int row = 0; row < rows; row++) {
      long next = (history.number(row) - first) * sections / steps;
      if (next > section) {
        section = next;
        Arrays.stream(all).forEach(Extremes::endSection);
      }
      for (int line = 0; line < lines; line++) { // inside: the values of a row are neighbours
        all[line].see(row, value.of(row, line));
      }
    }
    Arrays.stream(all).forEach(Extremes::endSection);
    return Arrays.stream(all).map(Extremes::rows).toArray(int[][]::new);
  }

  private void beginSection() {
    min = Double.POSITIVE_INFINITY;
    max = Double.NEGATIVE_INFINITY;
    smallest = -1;
    largest = -1;
  }

  private void see(int row, double value) {
    if (!Double.isFinite(value)) {
      return;
    }
    if (last < 0) {
      kept.add(row);
    }
    last = row;
    if (value < min) {
      min = value;
      smallest = row;
    }
    if (value >= max) { // of equals the last, so that of two equal steps both are kept
      max = value;
      largest = row;
    }
  }

  private void endSection() {
    if (largest >= 0) {
      kept.add(smallest);
      kept.add(largest);
    }
    beginSection();
  }

  private int[] rows() {
    if (last >= 0) {
      kept.add(last);
    }
    return kept.stream().mapToInt(row -> row).toArray();
  }
}
