package org.gradnorm4j.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryCounts;
import org.gradnorm4j.history.HistoryLimit;
import org.gradnorm4j.history.HistoryView;
import org.gradnorm4j.history.Numbers;
import org.gradnorm4j.history.StaticWeights;
import org.gradnorm4j.persist.AtomicFile;

/**
 * A {@link History} as a page to look at, whatever the strategy: all {@link Chart charts}, the last
 * step, weights to train with as constants, the settings, and what went wrong on the way. Plain
 * HTML with the charts in it as SVG; no script, nothing to load. Immutable: of the steps that the
 * history had when it was made.
 *
 * <pre>{@code
 * Report.of(balancer.history()).write(Path.of("report.html"));
 * }</pre>
 */
public final class Report {
  private final HistoryView steps;
  private final List<Chart> charts;
  private final Map<String, String> settings;
  private final double meanMilliseconds;

  private Report(History history) {
    steps = history.view();
    charts = Chart.of(steps);
    settings = history.settings();
    meanMilliseconds = history.meanMilliseconds();
  }

  /**
   * Of the steps that a history has now.
   *
   * @param history of any size; not modified
   * @return the report
   */
  public static Report of(History history) {
    return new Report(history);
  }

  /**
   * Writes the page: one HTML file that needs no other and no network.
   *
   * @param file created, or replaced when all is written
   * @throws IOException if the file cannot be written
   */
  public void write(Path file) throws IOException {
    String html = toHtml();
    AtomicFile.write(file, temporary -> Files.writeString(temporary, html));
  }

  /**
   * Writes each chart as a PNG file, named {@code loss-weight.png} and so on.
   *
   * @param folder created if it does not exist
   * @return the files, in the order of {@link Chart#of}
   * @throws IOException if a file cannot be written
   */
  public List<Path> writeCharts(Path folder) throws IOException {
    Files.createDirectories(folder);
    List<Path> files = new ArrayList<>();
    for (Chart chart : charts) {
      Path file = folder.resolve(chart.id() + ".png");
      chart.writePng(file);
      files.add(file);
    }
    return files;
  }

  /**
   * The whole page.
   *
   * @return an HTML document, UTF-8
   */
  public String toHtml() {
    return String.format(
        Locale.ROOT,
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Loss balancing report</title>
        <style>
        %s</style>
        </head>
        <body>
        <h1>Loss balancing report</h1>
        %s</body>
        </html>
        """,
        style(),
        content());
  }

  /**
   * What stands in the page, to stand in another.
   *
   * @return HTML elements
   */
  public String content() {
    StringBuilder html = new StringBuilder();
    html.append(
        String.format(
            Locale.ROOT,
            "<p id=\"steps\" data-steps=\"%d\">%s</p>\n",
            steps.counts().steps(),
            extent()));
    html.append(omissions()).append(Warnings.html(steps));
    html.append(steps.last().map(last -> LastStep.html(steps, last)).orElse(""));
    for (Chart chart : charts) {
      html.append(
          String.format(
              Locale.ROOT, "<figure id=\"%s\">\n%s\n</figure>\n", chart.id(), chart.svg().strip()));
    }
    if (steps.size() > steps.exact()) {
      html.append(staticWeights());
    }
    return html.append(settingsTable()).append(overhead()).toString();
  }

  /**
   * The looks of {@link #content()}.
   *
   * @return a style sheet
   */
  public static String style() {
    return """
        body { font: 15px/1.45 sans-serif; color: #111; background: #fff; max-width: 1200px; margin: 1.5em auto; padding: 0 1em; }
        h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin: 1.6em 0 0.4em; }
        figure { margin: 1.2em 0; break-inside: avoid; } svg { width: 100%; height: auto; display: block; }
        table { border-collapse: collapse; } th, td { padding: 0.25em 0.8em; border-bottom: 1px solid #ccc; text-align: left; }
        .numbers td, .numbers thead th { text-align: right; font-variant-numeric: tabular-nums; vertical-align: bottom; }
        .numbers th:first-child { text-align: left; }
        .warnings { border-left: 4px solid #d55e00; padding: 0.1em 1em; } pre { background: #f4f4f4; padding: 0.8em; overflow-x: auto; }
        """;
  }

  private String extent() {
    HistoryCounts counts = steps.counts();
    return counts.steps() == 0
        ? "No step yet."
        : String.format(
            Locale.ROOT,
            "%,d %s recorded, iterations %,d to %,d, epochs %,d to %,d.",
            counts.steps(),
            counts.steps() == 1 ? "step" : "steps",
            counts.firstIteration(),
            steps.lastIteration(),
            counts.firstEpoch(),
            steps.lastEpoch());
  }

  /** What history and charts leave out; the charts have it in their titles as well, as drawings. */
  private String omissions() {
    List<String> omissions = new ArrayList<>();
    if (steps.limit().kind() == HistoryLimit.Kind.NONE) {
      omissions.add("No steps are kept, so the charts are empty.");
    } else if (steps.limit().kind() == HistoryLimit.Kind.LAST_STEPS) {
      omissions.add(String.format(Locale.ROOT, "At most %s are kept.", steps.limit()));
    }
    if (steps.exact() > 0) {
      omissions.add(
          String.format(
              Locale.ROOT,
              "The last %,d steps are kept one by one; of those before, the smallest and the largest values of each section of %,d steps.",
              steps.size() - steps.exact(),
              steps.steps(0)));
    }
    if (steps.tasks() > ChartTasks.MOST) {
      omissions.add(
          String.format(
              Locale.ROOT,
              "Of %,d tasks, those have a line of their own that reach the %d largest and the %d smallest values of the chart; of the others the smallest, the median and the largest value are drawn in grey. Colours are each chart's own.",
              steps.tasks(),
              ChartTasks.OUTLYING,
              ChartTasks.OUTLYING));
    }
    if (steps.size() > 2 * Extremes.SECTIONS) {
      omissions.add(
          String.format(
              Locale.ROOT,
              "Of each of %d sections of the run every line has the smallest and the largest value.",
              Extremes.SECTIONS));
    }
    return omissions.isEmpty()
        ? ""
        : String.format(Locale.ROOT, "<p id=\"omissions\">%s</p>\n", String.join(" ", omissions));
  }

  private String staticWeights() {
    StaticWeights weights = StaticWeights.ofLateSteps(steps);
    return String.format(
        Locale.ROOT,
        """
        <h2>Static weights to paste</h2>
        <p>%s, late in the run, as in section 5.3 of the GradNorm paper.</p>
        <pre id="static-weights">%s</pre>
        """,
        weights.describe(),
        Html.escape(weights.toString()));
  }

  private String settingsTable() {
    String rows =
        settings.entrySet().stream()
            .map(
                setting ->
                    String.format(
                        Locale.ROOT,
                        "<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n",
                        Html.escape(setting.getKey()),
                        Html.escape(setting.getValue())))
            .collect(Collectors.joining());
    return String.format(
        Locale.ROOT,
        """
        <h2>Settings</h2>
        <table id="settings">
        %s</table>
        """,
        rows);
  }

  private String overhead() {
    return Double.isNaN(meanMilliseconds)
        ? ""
        : String.format(
            Locale.ROOT,
            """
          <h2>Overhead</h2>
          <p id="overhead">%s ms per measured step to measure and to decide, on average. What the norms save the layer's own backward pass is not taken off.</p>
          """,
            Numbers.readable(meanMilliseconds));
  }
}
