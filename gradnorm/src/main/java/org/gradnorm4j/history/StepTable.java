package org.gradnorm4j.history;

import java.util.List;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;

/**
 * The numbers of the steps, as many as the limit lets stay. May be read while more is added.
 *
 * <p>How steps are thinned: up to the capacity, all are kept. When it is reached, the newer half
 * stays, and the steps before are merged into {@link Sections} of as many steps each. When the
 * sections take more than a quarter of the capacity, pairs of them are merged. So every section of
 * a run is as long as the others, but for the last, which may be open; a step is moved and merged a
 * number of times that grows as the logarithm of the steps; and there are never more rows than the
 * capacity.
 */
final class StepTable {
  private static final int FIRST_SECTION = 4;

  private final Columns columns;
  private final HistoryLimit limit;
  private final int capacity;
  private RowList steps;
  private RowList sections;
  private RowList open;
  private long sectionSteps = FIRST_SECTION;
  private long openSteps;
  private final StepCounter counter;
  private int lastIteration;
  private int lastEpoch;
  private boolean increasing = true;
  private BalancedStep last;

  StepTable(Columns columns, HistoryLimit limit) {
    this.columns = columns;
    this.limit = limit;
    capacity = limit.capacity(columns.tasks());
    steps = new RowList(columns.stepWidth(), columns.tasks());
    sections = sectionRows();
    open = sectionRows();
    counter = new StepCounter(columns.tasks());
  }

  private RowList sectionRows() {
    return new RowList(columns.sectionWidth(), columns.tasks());
  }

  Columns columns() {
    return columns;
  }

  HistoryLimit limit() {
    return limit;
  }

  synchronized void add(BalancedStep step) {
    StepMeasurement measurement = step.measurement();
    double[] cells = new double[columns.stepWidth()];
    fill(cells, Columns.LOSS, step.values(Quantity.LOSS));
    fill(cells, Columns.LOSS_WEIGHT, measurement.lossWeights());
    fill(cells, Columns.GRADIENT_NORM, step.values(Quantity.GRADIENT_NORM));
    List<Quantity> ofTask = columns.ofTask();
    for (int i = 0; i < ofTask.size(); i++) {
      fill(cells, columns.firstOfTask() + i, step.values(ofTask.get(i)));
    }
    List<Quantity> ofStep = columns.ofStep();
    for (int i = 0; i < ofStep.size(); i++) {
      cells[columns.inStep(0, columns.firstOfStep() + i)] = step.value(ofStep.get(i));
    }
    boolean[] present = measurement.present();
    byte[] flags = new byte[present.length];
    for (int task = 0; task < flags.length; task++) {
      flags[task] = flags(present[task], step.skipped());
    }
    addStep(measurement.iteration(), measurement.epoch(), cells, flags);
    last = step;
  }

  static byte flags(boolean present, boolean skipped) {
    return (byte) ((present ? RowList.PRESENT : 0) | (skipped ? RowList.SKIPPED : 0));
  }

  private void fill(double[] cells, int column, double[] values) {
    for (int task = 0; task < values.length; task++) {
      cells[columns.inStep(task, column)] = values[task];
    }
  }

  /** Adds a step by its numbers; the last step does not change. */
  synchronized void addStep(int iteration, int epoch, double[] cells, byte[] flags) {
    see(iteration, epoch);
    counter.see(iteration, epoch, cells, flags, columns);
    if (capacity == 0) {
      return;
    }
    steps.add(iteration, epoch, cells, flags);
    if (limit.kind() == HistoryLimit.Kind.THINNED) {
      if (rows() > capacity) {
        thin();
      }
    } else if (steps.size() > capacity) {
      steps.removeFirst(steps.size() - capacity);
    }
  }

  private void see(int iteration, int epoch) {
    increasing &= counter.steps() == 0 || iteration > lastIteration;
    lastIteration = iteration;
    lastEpoch = epoch;
  }

  private int rows() {
    return sections.size() + open.size() + steps.size();
  }

  private void thin() {
    int merged = Math.max(0, steps.size() - capacity / 2);
    if (merged > 0 && (openSteps + merged) % sectionSteps == 1) {
      merged--; // an open section of one step would be a step of its own
    }
    HistoryView before = view();
    Sections longer = new Sections(columns, sectionSteps, sections);
    if (openSteps > 0) {
      longer.add(before, sections.size(), before.exact());
    }
    for (int row = before.exact(); row < before.exact() + merged; row++) {
      longer.add(before, row, row + 1);
    }
    steps.removeFirst(merged);
    setOpen(longer);
    while (sections.size() > capacity / 4) {
      mergePairs();
    }
  }

  private void mergePairs() {
    HistoryView before = view();
    RowList pairs = sectionRows();
    Sections merged = new Sections(columns, 2 * sectionSteps, pairs);
    for (int row = 0; row < before.exact(); row += 2) {
      merged.add(before, row, row + 2);
    }
    sections = pairs;
    sectionSteps *= 2;
    setOpen(merged);
  }

  private void setOpen(Sections merged) {
    open = merged.open();
    openSteps = merged.openSteps();
  }

  synchronized HistoryCounts counts() {
    return counter.counts();
  }

  synchronized long stepsInAll() {
    return counter.steps();
  }

  /**
   * Goes on where another table was; the last step does not change.
   *
   * @param head what it knew beside its rows
   * @throws IllegalArgumentException if no table with these columns and this limit can be so
   */
  synchronized void restore(HistoryHead head, RowList ofSections, RowList ofOpen, RowList ofSteps) {
    head.check(limit, capacity);
    counter.restore(head.counts());
    sections = ofSections;
    open = ofOpen;
    steps = ofSteps;
    sectionSteps = head.sectionSteps();
    openSteps = head.openSteps();
    increasing = head.increasing();
    lastIteration = head.lastIteration();
    lastEpoch = head.lastEpoch();
  }

  /** What cannot be seen from rows that were added one by one. */
  synchronized void restore(HistoryCounts counts, BalancedStep lastStep) {
    counter.restore(counts);
    last = lastStep;
    if (last != null) {
      lastIteration = last.measurement().iteration();
      lastEpoch = last.measurement().epoch();
    }
  }

  synchronized BalancedStep last() {
    return last;
  }

  synchronized int size() {
    return rows();
  }

  /** All steps so far; steps that are added later do not show in it. */
  synchronized HistoryView view() {
    return new HistoryView(
        columns,
        limit,
        sections.snapshot(),
        open.snapshot(),
        steps.snapshot(),
        sectionSteps,
        openSteps,
        counter.counts(),
        increasing,
        lastIteration,
        lastEpoch,
        last);
  }
}
