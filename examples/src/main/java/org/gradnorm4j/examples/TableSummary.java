package org.gradnorm4j.examples;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What {@code csv} leaves in {@code summary.json}. A value that is not a finite number is null, and
 * absent from the file.
 *
 * @param command {@code csv}
 * @param data the file trained on
 * @param answer to whether GradNorm is needed, in words
 * @param targets by name
 * @param runs every network that was trained; its losses are those of standardised targets, unless
 *     they were left raw
 */
record TableSummary(
    String command,
    String data,
    String answer,
    Map<String, Target> targets,
    List<RunSummary> runs) {

  /**
   * One target.
   *
   * @param kind regression or classification
   * @param error the measure: {@code rmse} in the units of the file, or {@code error_rate}
   * @param lossWeight GradNorm's λ_i at the end, mean over the seeds
   * @param methods by name
   */
  record Target(String kind, String error, Double lossWeight, Map<String, Method> methods) {}

  /**
   * A way to train.
   *
   * @param errors on the test rows, one per seed
   * @param mean of the errors
   * @param interval half width of its 95 % confidence interval
   * @param difference mean of the differences to equal weights, seed by seed; null for those
   * @param differenceInterval half width of its interval; null for equal weights
   * @param verdict what the difference says; null for equal weights
   */
  record Method(
      List<Double> errors,
      Double mean,
      Double interval,
      Double difference,
      Double differenceInterval,
      String verdict) {}

  static TableSummary of(
      String data,
      String answer,
      List<TableTask> tasks,
      TableResults results,
      List<RunSummary> runs) {
    Map<String, Target> targets = new LinkedHashMap<>();
    for (int task = 0; task < tasks.size(); task++) {
      Map<String, Method> methods = new LinkedHashMap<>();
      for (TableMethod method : TableMethod.values()) {
        methods.put(method.toString(), method(method, task, results));
      }
      TaskKind kind = tasks.get(task).kind();
      targets.put(
          tasks.get(task).name(),
          new Target(
              kind.name().toLowerCase(Locale.ROOT),
              kind == TaskKind.REGRESSION ? "rmse" : "error_rate",
              RunSummary.finite(results.lossWeight(task)),
              methods));
    }
    return new TableSummary("csv", data, answer, targets, runs);
  }

  private static Method method(TableMethod method, int task, TableResults results) {
    Interval error = results.error(method, task);
    boolean compared = method != TableMethod.EQUAL;
    Interval difference = results.difference(method, task);
    return new Method(
        Arrays.stream(results.errors(method, task))
            .mapToObj(RunSummary::finite)
            .collect(Collectors.toList()),
        RunSummary.finite(error.mean()),
        RunSummary.finite(error.halfWidth()),
        compared ? RunSummary.finite(difference.mean()) : null,
        compared ? RunSummary.finite(difference.halfWidth()) : null,
        compared ? difference.verdict().toString() : null);
  }
}
