package org.gradnorm4j.strategies;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.DoublePredicate;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Arguments;

/** Settings that are one number for each task, or the default for all of them if there are none. */
final class ByTask {
  private ByTask() {}

  /**
   * Checks numbers.
   *
   * @param values by task; copied
   * @param allowed which are
   * @throws IllegalArgumentException names task, value and rule
   */
  static Map<String, Double> checked(
      Map<String, Double> values, String subject, DoublePredicate allowed, String rule) {
    Map<String, Double> copy = new LinkedHashMap<>();
    Arguments.given(values, subject, "must have a number for each task, or none")
        .forEach(
            (task, value) -> {
              Arguments.name(task, "task", "must be the name of a task");
              Arguments.check(
                  value != null && Double.isFinite(value) && allowed.test(value),
                  subject + " of '" + task + "'",
                  value,
                  rule);
              copy.put(task, value);
            });
    return Collections.unmodifiableMap(copy);
  }

  /**
   * Refuses numbers of other tasks.
   *
   * @throws IllegalArgumentException names both
   */
  static void checkTasks(Map<String, Double> values, String subject, Tasks tasks) {
    if (!values.isEmpty() && !values.keySet().equals(Set.copyOf(tasks.names()))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "there are %s for the tasks %s, but the network has the tasks %s. Give one for each of them",
              subject,
              values.keySet(),
              tasks.names()));
    }
  }

  /** The numbers of the tasks that are decided on. */
  static double[] of(Map<String, Double> values, Deciding step, double otherwise) {
    return step.names().stream()
        .mapToDouble(task -> values.getOrDefault(task, otherwise))
        .toArray();
  }
}
