package org.gradnorm4j.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.gradnorm4j.history.HistoryView;
import org.gradnorm4j.history.Numbers;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;

/**
 * The last step as a table, a row per task and a column per quantity. A cell says in {@code
 * data-quantity} what it is, and in {@code data-value} all digits of its number.
 */
final class LastStep {
  private final StringBuilder head = new StringBuilder("<th>task</th>");
  private final List<StringBuilder> rows;

  private LastStep(List<String> tasks) {
    rows =
        tasks.stream()
            .map(
                task ->
                    new StringBuilder(
                        String.format(
                            Locale.ROOT, "<tr><th scope=\"row\">%s</th>", Html.escape(task))))
            .toList();
  }

  /** Heading, table, and below it the quantities of the step. */
  static String html(HistoryView history, BalancedStep step) {
    LastStep table = new LastStep(history.taskNames());
    table.add(Quantity.LOSS, step);
    table.add(Quantity.GRADIENT_NORM, step);
    table.add(Quantity.LOSS_WEIGHT, step);
    table.add(Quantity.WEIGHTED_GRADIENT_NORM, step);
    table.add("gradient_share", "Share of the gradient", shares(step));
    List<Quantity> ofStep = new ArrayList<>();
    for (Quantity quantity : step.quantities()) {
      if (quantity.isPerTask()) {
        table.add(quantity, step);
      } else {
        ofStep.add(quantity);
      }
    }
    table.add("next_loss_weight", "Next loss weights λ", step.nextLossWeights());
    return table.html()
        + ofStep.stream()
            .map(quantity -> paragraph(quantity, step.value(quantity)))
            .collect(Collectors.joining());
  }

  private void add(Quantity quantity, BalancedStep step) {
    add(quantity.id(), label(quantity), step.values(quantity));
  }

  private static String label(Quantity quantity) {
    return quantity.name()
        + " "
        + quantity.symbol()
        + (quantity.unit().isEmpty() ? "" : " (" + quantity.unit() + ")");
  }

  private void add(String id, String label, double[] values) {
    head.append("<th>").append(Html.escape(label)).append("</th>");
    for (int task = 0; task < values.length; task++) {
      rows.get(task).append(Html.number(id, values[task]));
    }
  }

  private static double[] shares(BalancedStep step) {
    double[] norms = step.values(Quantity.WEIGHTED_GRADIENT_NORM);
    double total = Arrays.stream(norms).filter(norm -> !Double.isNaN(norm)).sum();
    return Arrays.stream(norms).map(norm -> (Double.isNaN(norm) ? 0.0 : norm) / total).toArray();
  }

  private static String paragraph(Quantity quantity, double value) {
    return String.format(
        Locale.ROOT,
        "<p>%s: <span data-quantity=\"%s\" data-value=\"%s\">%s</span></p>\n",
        Html.escape(label(quantity)),
        quantity.id(),
        value,
        Numbers.readable(value));
  }

  private String html() {
    return String.format(
        Locale.ROOT,
        """
        <h2>Last step</h2>
        <table id="last-step" class="numbers">
        <thead><tr>%s</tr></thead>
        <tbody>
        %s</tr>
        </tbody>
        </table>
        """,
        head,
        String.join("</tr>\n", rows));
  }
}
