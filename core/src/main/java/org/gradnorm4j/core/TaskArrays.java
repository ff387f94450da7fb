package org.gradnorm4j.core;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Arrays with one value per task. */
final class TaskArrays {
  private TaskArrays() {}

  /**
   * Checks the length.
   *
   * @throws IllegalArgumentException if null, or not one value per task
   */
  static void checkLength(String name, double[] values, List<String> taskNames) {
    checkLength(name, values == null ? -1 : values.length, taskNames);
  }

  /** As above; -1 for null. */
  static void checkLength(String name, int length, List<String> taskNames) {
    if (length != taskNames.size()) {
      throw new IllegalArgumentException(
          name
              + (length < 0 ? " (null)" : " (length " + length + ")")
              + " must have one value per task "
              + taskNames);
    }
  }

  /** The values by task, in the order of the tasks; unmodifiable. */
  static Map<String, Double> byTask(List<String> taskNames, double[] values) {
    Map<String, Double> byTask = new LinkedHashMap<>();
    for (int i = 0; i < values.length; i++) {
      byTask.put(taskNames.get(i), values[i]);
    }
    return Collections.unmodifiableMap(byTask);
  }
}
