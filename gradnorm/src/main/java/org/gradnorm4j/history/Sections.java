package org.gradnorm4j.history;

import java.util.Arrays;

/**
 * Merges steps, section by section, into two rows each: the smallest and the largest value of every
 * number by itself. A value that is not finite counts as none; NaN if there is no other. Of yes and
 * no, no is the smaller.
 *
 * <p>Shares in the gradient belong together: the first row has those of the step in which the
 * largest share was smallest, the second of the step in which it was largest.
 *
 * <p>Merging what was merged gives what merging all steps at once would.
 */
final class Sections {
  private final Columns columns;
  private final long stepsPerSection;
  private final RowList complete;
  private final double[] smallest;
  private final double[] largest;
  private final byte[] smallestFlags;
  private final byte[] largestFlags;
  private double leastUnequal;
  private double mostUnequal;
  private int[] first;
  private int[] last;
  private long steps;

  /**
   * Merges so many steps to a section.
   *
   * @param complete gets the sections that are complete
   */
  Sections(Columns columns, long stepsPerSection, RowList complete) {
    this.columns = columns;
    this.stepsPerSection = stepsPerSection;
    this.complete = complete;
    smallest = new double[columns.sectionWidth()];
    largest = new double[columns.sectionWidth()];
    smallestFlags = new byte[columns.tasks()];
    largestFlags = new byte[columns.tasks()];
    begin();
  }

  private void begin() {
    Arrays.fill(smallest, Double.NaN);
    Arrays.fill(largest, Double.NaN);
    Arrays.fill(smallestFlags, (byte) (RowList.PRESENT | RowList.SKIPPED));
    Arrays.fill(largestFlags, (byte) 0);
    leastUnequal = Double.POSITIVE_INFINITY;
    mostUnequal = Double.NEGATIVE_INFINITY;
    steps = 0;
  }

  /** Adds a step, or the two rows of a section: all rows from one to before another. */
  void add(HistoryView history, int from, int to) {
    TaskShares shares = history.shares();
    for (int row = from; row < to; row++) {
      see(history, row, shares);
    }
    if (steps == 0) {
      first = new int[] {history.iteration(from), history.epoch(from)};
    }
    last = new int[] {history.iteration(to - 1), history.epoch(to - 1)};
    steps += history.steps(from);
    if (steps == stepsPerSection) {
      writeTo(complete);
      begin();
    }
  }

  private void see(HistoryView history, int row, TaskShares shares) {
    for (int task = 0; task < columns.tasks(); task++) {
      for (int column = 0; column < columns.share(); column++) {
        see(columns.inSection(task, column), history.value(row, task, column));
      }
      smallestFlags[task] &= history.flags(row, task);
      largestFlags[task] |= history.flags(row, task);
    }
    for (int i = 0; i < columns.ofStep().size(); i++) {
      int column = columns.firstOfStep() + i;
      see(columns.inSection(0, column), history.value(row, 0, column));
    }
    seeShares(row, shares);
  }

  private void see(int place, double value) {
    if (Double.isFinite(value)) {
      smallest[place] = smallest[place] <= value ? smallest[place] : value; // NaN is not <= any
      largest[place] = largest[place] >= value ? largest[place] : value;
    }
  }

  private void seeShares(int row, TaskShares shares) {
    double unequal = shares.largest(row);
    if (unequal < leastUnequal) {
      leastUnequal = unequal;
      copyShares(row, shares, smallest);
    }
    if (unequal >= mostUnequal) {
      mostUnequal = unequal;
      copyShares(row, shares, largest);
    }
  }

  private void copyShares(int row, TaskShares shares, double[] into) {
    for (int task = 0; task < columns.tasks(); task++) {
      into[columns.inSection(task, columns.share())] = shares.of(row, task);
    }
  }

  private void writeTo(RowList rows) {
    rows.add(first[0], first[1], smallest, smallestFlags);
    rows.add(last[0], last[1], largest, largestFlags);
  }

  /** The section that has begun: two rows, or none. */
  RowList open() {
    RowList open = new RowList(columns.sectionWidth(), columns.tasks());
    if (steps > 0) {
      writeTo(open);
    }
    return open;
  }

  /** The steps in it. */
  long openSteps() {
    return steps;
  }
}
