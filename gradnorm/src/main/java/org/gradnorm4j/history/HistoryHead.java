package org.gradnorm4j.history;

import java.util.List;
import java.util.Locale;
import org.gradnorm4j.persist.QuantityRecord;
import org.gradnorm4j.weighting.Quantity;

/**
 * What a file says of a history before its rows.
 *
 * @param tasks their names
 * @param quantities that the strategy reports
 * @param sections rows of sections that are complete, two each
 * @param open rows of the section that is not: two or none
 * @param steps rows of one step
 * @param sectionSteps steps of a complete section
 * @param openSteps steps of the open one; 0 if there is none
 * @param counts of all steps
 * @param increasing see {@link HistoryView#increasing}
 * @param lastIteration see {@link HistoryView#lastIteration}
 * @param lastEpoch see {@link HistoryView#lastEpoch}
 */
record HistoryHead(
    List<String> tasks,
    List<QuantityRecord> quantities,
    int sections,
    int open,
    int steps,
    long sectionSteps,
    long openSteps,
    HistoryCounts counts,
    boolean increasing,
    int lastIteration,
    int lastEpoch) {

  HistoryHead {
    check(sections >= 0 && sections % 2 == 0, "sections", sections);
    check(open == (openSteps > 0 ? 2 : 0), "open", open);
    check(steps >= 0, "steps", steps);
    check(sectionSteps >= 2, "sectionSteps", sectionSteps);
    check(openSteps >= 0 && openSteps < sectionSteps && openSteps != 1, "openSteps", openSteps);
    long left = counts.steps() - openSteps - steps; // in the sections, or dropped
    check(left >= 0 && sections / 2 <= left / sectionSteps, "counts", counts.steps());
  }

  private static void check(boolean holds, String what, long value) {
    if (!holds) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s (%d) cannot be those of a history", what, value));
    }
  }

  List<Quantity> columns() {
    return quantities.stream().map(QuantityRecord::toQuantity).toList();
  }

  /**
   * Refuses what is not of a history with this limit.
   *
   * @param capacity most rows
   */
  void check(HistoryLimit limit, int capacity) {
    boolean whole =
        limit.kind() == HistoryLimit.Kind.ALL || limit.kind() == HistoryLimit.Kind.THINNED;
    long kept = sections / 2 * sectionSteps + openSteps + steps;
    check(!whole || kept == counts.steps(), "steps", kept);
    check(limit.kind() == HistoryLimit.Kind.THINNED || sections + open == 0, "sections", sections);
    check((long) sections + open + steps <= capacity, "rows", (long) sections + open + steps);
  }
}
