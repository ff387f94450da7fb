package org.gradnorm4j.core;

import java.util.List;

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
}
