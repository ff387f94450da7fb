package org.gradnorm4j.gradnorm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A {@link GradNormHistory} as a page to look at: the charts, the last step, weights to train with
 * as constants, the settings, and what went wrong on the way. Plain HTML with the charts in it as
 * SVG; no script, nothing to load.
 *
 * <pre>{@code
 * gradNorm.history().writeReport(Path.of("report.html"));
 * }</pre>
 */
public final class GradNormReport {
  private final GradNormHistory history;
  private final StepTable.View steps;

  private GradNormReport(GradNormHistory history) {
    this.history = history;
    steps = history.view();
  }

  /**
   * Of the steps that a history has now.
   *
   * @param history of any size; not modified
   * @return the report
   */
  public static GradNormReport of(GradNormHistory history) {
    return new GradNormReport(history);
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
        <title>GradNorm report</title>
        <style>
        %s</style>
        </head>
        <body>
        <h1>GradNorm report</h1>
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
            Locale.ROOT, "<p id=\"steps\" data-steps=\"%d\">%s</p>\n", steps.size(), extent()));
    html.append(omissions()).append(warnings());
    if (steps.size() > 0) {
      html.append(lastStep());
    }
    for (GradNormChart chart : GradNormChart.values()) {
      html.append(
          String.format(
              Locale.ROOT,
              "<figure id=\"%s\">\n%s\n</figure>\n",
              chart.id(),
              chart.svg(steps).strip()));
    }
    if (steps.size() > 0) {
      html.append(staticWeights());
    }
    return html.append(settings()).append(overhead()).toString();
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
        .numbers td, .numbers thead th { text-align: right; font-variant-numeric: tabular-nums; }
        .numbers th:first-child { text-align: left; }
        .warnings { border-left: 4px solid #d55e00; padding: 0.1em 1em; } pre { background: #f4f4f4; padding: 0.8em; overflow-x: auto; }
        """;
  }

  private String extent() {
    return steps.size() == 0
        ? "No step yet."
        : String.format(
            Locale.ROOT,
            "%,d %s recorded, iterations %,d to %,d, epochs %,d to %,d.",
            steps.size(),
            steps.size() == 1 ? "step" : "steps",
            steps.iteration(0),
            steps.iteration(steps.size() - 1),
            steps.epoch(0),
            steps.epoch(steps.size() - 1));
  }

  /** What the charts leave out; the charts have it in their titles as well, as drawings. */
  private String omissions() {
    String tasks =
        steps.tasks() <= ChartTasks.MOST
            ? ""
            : String.format(
                Locale.ROOT,
                " Of %,d tasks, those have a line of their own that reach the %d largest and the %d smallest values of the chart; of the others the smallest, the median and the largest value are drawn in grey. Colours are each chart's own.",
                steps.tasks(),
                ChartTasks.OUTLYING,
                ChartTasks.OUTLYING);
    String thinned =
        steps.size() <= 2 * Extremes.SECTIONS
            ? ""
            : String.format(
                Locale.ROOT,
                " Of each of %d sections of the run every line has the smallest and the largest value.",
                Extremes.SECTIONS);
    return tasks.isEmpty() && thinned.isEmpty()
        ? ""
        : String.format(Locale.ROOT, "<p id=\"omissions\">%s</p>\n", (tasks + thinned).strip());
  }

  private String lastStep() {
    int last = steps.size() - 1;
    double[] ratios = steps.last().lossRatios();
    double[] next = steps.last().nextLossWeights();
    String rows =
        IntStream.range(0, steps.tasks())
            .mapToObj(
                i ->
                    String.format(
                        Locale.ROOT,
                        "<tr><th scope=\"row\">%s</th>%s%s%s%s%s%s%s%s%s</tr>\n",
                        Html.escape(steps.taskNames().get(i)),
                        Html.number(steps.loss(last, i)),
                        Html.number(ratios[i]),
                        Html.number(steps.relativeInverseTrainingRate(last, i)),
                        Html.number(steps.gradientNorm(last, i)),
                        Html.number(steps.lossWeight(last, i)),
                        Html.number(steps.weightedGradientNorm(last, i)),
                        Html.number(steps.targetGradientNorm(last, i)),
                        Html.number(steps.share(last, i)),
                        Html.number(next[i])))
            .collect(Collectors.joining());
    return String.format(
        Locale.ROOT,
        """
        <h2>Last step</h2>
        <table id="last-step" class="numbers">
        <thead><tr><th>task</th><th>loss L</th><th>L / L(0)</th><th>rate r</th><th>‖∇L‖</th><th>weight λ</th><th>G = λ‖∇L‖</th><th>target of G</th><th>share</th><th>next λ</th></tr></thead>
        <tbody>
        %s</tbody>
        </table>
        """,
        rows);
  }

  private String staticWeights() {
    StaticWeights weights = StaticWeights.ofLateSteps(steps);
    return String.format(
        Locale.ROOT,
        """
        <h2>Static weights to paste</h2>
        <p>%s, as in section 5.3 of the paper: the last quarter of the run.</p>
        <pre id="static-weights">%s</pre>
        """,
        weights.describe(),
        Html.escape(weights.toString()));
  }

  private String settings() {
    String rows =
        history.settings().entrySet().stream()
            .map(
                (Map.Entry<String, String> setting) ->
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
    double milliseconds = history.meanMilliseconds();
    return Double.isNaN(milliseconds)
        ? ""
        : String.format(
            Locale.ROOT,
            """
          <h2>Overhead</h2>
          <p id="overhead">%s ms per measured step for the norms and the rule, on average. What the norms save the layer's own backward pass is not taken off.</p>
          """,
            Numbers.readable(milliseconds));
  }

  private String warnings() {
    int[] all = IntStream.range(0, steps.size()).toArray();
    int[] skipped = some(all, steps::isSkipped);
    List<String> warnings = new ArrayList<>();
    warn(warnings, skipped, "left the loss weights alone, as a value was not finite");
    for (int task = 0; task < steps.tasks(); task++) {
      int i = task;
      String name = "'" + Html.escape(steps.taskNames().get(task)) + "'";
      IntPredicate present = step -> steps.isPresent(step, i);
      IntPredicate loss = step -> !Double.isFinite(steps.loss(step, i));
      IntPredicate norm = step -> !Double.isFinite(steps.gradientNorm(step, i));
      warn(warnings, some(all, present.negate()), "had no labels of task " + name);
      warn(warnings, some(skipped, present.and(loss)), "had a loss not finite, task " + name);
      warn(warnings, some(skipped, present.and(norm)), "had a gradient not finite, task " + name);
    }
    IntPredicate negative =
        step -> IntStream.range(0, steps.tasks()).anyMatch(i -> steps.lossWeight(step, i) <= 0.0);
    warn(warnings, some(all, negative), "had a loss weight that is not positive");
    return warnings.isEmpty()
        ? ""
        : "<div id=\"warnings\" class=\"warnings\">\n" + String.join("", warnings) + "</div>\n";
  }

  private static int[] some(int[] steps, IntPredicate that) {
    return Arrays.stream(steps).filter(that).toArray();
  }

  private void warn(List<String> warnings, int[] met, String what) {
    if (met.length > 0) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "<p>%,d of %,d steps %s. The first was iteration %,d.</p>\n",
              met.length,
              steps.size(),
              what,
              steps.iteration(met[0])));
    }
  }
}
