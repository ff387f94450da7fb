package org.gradnorm4j.gradnorm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.gradnorm4j.optimizer.WeightOptimizer;
import org.gradnorm4j.weighting.Arguments;

/**
 * All of the rule that the user can set; see {@link GradNormBuilder} for what it means. Immutable.
 *
 * @param taskWindow steps within which tasks are compared; 0 for the default
 * @param everyTask for tasks that have no setting of their own
 * @param tasks by task name
 */
record GradNormSettings(
    double alpha,
    WeightUpdate weightUpdate,
    WeightOptimizer lossWeightUpdater,
    LossScale lossScale,
    double smoothing,
    int warmUp,
    int taskWindow,
    TaskSettings everyTask,
    Map<String, TaskSettings> tasks) {

  GradNormSettings {
    Arguments.notNegative(alpha, "alpha");
    Arguments.check(
        smoothing >= 0.0 && smoothing < 1.0, "smoothing", smoothing, "must be >= 0 and < 1");
    Arguments.check(warmUp >= 0, "warmUp", warmUp, "must be >= 0");
    Arguments.check(
        taskWindow >= 0, "taskWindow", taskWindow, "must be >= 1, or 0 for the default");
    tasks = Map.copyOf(tasks);
  }

  /**
   * By task, in the order of the network.
   *
   * @throws IllegalArgumentException if there are settings for a task that the network does not
   *     have
   */
  List<TaskSettings> of(List<String> taskNames) {
    for (String name : tasks.keySet()) {
      if (!taskNames.contains(name)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "there are settings for task '%s', but the network has the tasks %s",
                name,
                taskNames));
      }
    }
    return taskNames.stream()
        .map(name -> tasks.getOrDefault(name, TaskSettings.NONE).over(everyTask))
        .toList();
  }

  TaskWindow window(int tasks) {
    return taskWindow == 0 ? TaskWindow.byDefault(tasks) : new TaskWindow(taskWindow);
  }

  /**
   * The weights to begin with.
   *
   * @param configured by the network; not modified
   * @throws IllegalArgumentException if one that is set is outside of the task's limits
   */
  double[] initialLossWeights(List<String> taskNames, double[] configured) {
    double[] weights = configured.clone();
    List<TaskSettings> byTask = of(taskNames);
    for (int i = 0; i < weights.length; i++) {
      TaskSettings task = byTask.get(i);
      Double initial = task.initialLossWeight();
      if (initial != null && task.pin() == null && !task.limitsContain(initial)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "task '%s': initial loss weight (%s) must be within its limits [%s, %s]. Change either: initialLossWeights(...), weightLimits(...)",
                taskNames.get(i),
                initial,
                task.minWeight(),
                task.maxWeight()));
      }
      weights[i] = initial == null ? weights[i] : initial;
    }
    return weights;
  }

  /** Name and value, to be read: what is not the default, and the main ones in any case. */
  Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("alpha", Double.toString(alpha));
    all.put("weight update", lowerCase(weightUpdate));
    all.put("loss weight updater", lossWeightUpdater.toString());
    if (lossScale != LossScale.EXAMPLES) {
      all.put("loss scale", lowerCase(lossScale));
    }
    if (smoothing > 0.0) {
      all.put("smoothing", Double.toString(smoothing));
    }
    if (warmUp > 0) {
      all.put("warm-up", warmUp == 1 ? "1 step" : warmUp + " steps");
    }
    if (taskWindow > 0) {
      all.put("task window", taskWindow + " steps");
    }
    describe(all, "", everyTask);
    tasks.keySet().stream().sorted().forEach(name -> describe(all, name + ": ", tasks.get(name)));
    return all;
  }

  private static void describe(Map<String, String> all, String prefix, TaskSettings task) {
    if (task.initialLoss() != null) {
      all.put(prefix + "initial loss", task.initialLoss().describe());
    }
    put(all, prefix + "loss shift", task.lossShift());
    put(all, prefix + "loss floor", task.lossFloor());
    put(all, prefix + "initial loss weight", task.initialLossWeight());
    put(all, prefix + "minimum weight", task.minWeight());
    put(all, prefix + "maximum weight", task.maxWeight());
    put(all, prefix + "pinned at", task.pin());
    put(all, prefix + "prior", task.prior());
  }

  private static void put(Map<String, String> all, String name, Double value) {
    if (value != null) {
      all.put(name, value.toString());
    }
  }

  private static String lowerCase(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
