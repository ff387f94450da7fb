package org.gradnorm4j.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.gradnorm4j.history.HistoryCounts;
import org.gradnorm4j.history.HistoryView;

/** What went wrong in a run, from the exact counts of all its steps. */
final class Warnings {
  private Warnings() {}

  /** An element, or nothing. */
  static String html(HistoryView history) {
    HistoryCounts counts = history.counts();
    List<String> warnings = new ArrayList<>();
    add(
        warnings,
        counts,
        counts.skipped(),
        "left the loss weights alone, as a value was not finite");
    for (int task = 0; task < history.tasks(); task++) {
      String name = "'" + Html.escape(history.taskNames().get(task)) + "'";
      add(warnings, counts, counts.absent().get(task), "had no labels of task " + name);
      add(
          warnings,
          counts,
          counts.lossesNotFinite().get(task),
          "had a loss not finite, task " + name);
      add(
          warnings,
          counts,
          counts.normsNotFinite().get(task),
          "had a gradient not finite, task " + name);
    }
    add(warnings, counts, counts.notPositive(), "had a loss weight that is not positive");
    return warnings.isEmpty()
        ? ""
        : "<div id=\"warnings\" class=\"warnings\">\n" + String.join("", warnings) + "</div>\n";
  }

  private static void add(
      List<String> warnings, HistoryCounts counts, HistoryCounts.Count count, String what) {
    if (count.steps() > 0) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "<p>%,d of %,d steps %s. The first was iteration %,d.</p>\n",
              count.steps(),
              counts.steps(),
              what,
              count.firstIteration()));
    }
  }
}
