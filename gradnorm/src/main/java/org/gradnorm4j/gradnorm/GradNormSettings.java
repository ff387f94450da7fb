package org.gradnorm4j.gradnorm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * All that the user can set; see {@link GradNormBuilder} for what it means. Immutable.
 *
 * @param taskWindow steps within which tasks are compared; 0 for the default
 * @param everyTask for tasks that have no setting of their own
 * @param tasks by task name
 */
record GradNormSettings(
    List<String> sharedLayers,
    double alpha,
    WeightUpdate weightUpdate,
    IUpdater lossWeightUpdater,
    int measureEvery,
    LossScale lossScale,
    NonFinitePolicy onNonFinite,
    double smoothing,
    int warmUp,
    int taskWindow,
    TaskSettings everyTask,
    Map<String, TaskSettings> tasks) {

  GradNormSettings {
    sharedLayers = List.copyOf(sharedLayers);
    lossWeightUpdater = lossWeightUpdater.clone();
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

  /** As they are set, to be changed. */
  GradNormBuilder toBuilder() {
    GradNormBuilder builder =
        GradNorm.builder()
            .sharedLayer(sharedLayers.toArray(String[]::new))
            .alpha(alpha)
            .weightUpdate(weightUpdate)
            .lossWeightUpdater(lossWeightUpdater)
            .measureEvery(measureEvery)
            .lossScale(lossScale)
            .onNonFinite(onNonFinite)
            .smoothing(smoothing)
            .warmUp(warmUp);
    builder.taskWindowOrDefault(taskWindow);
    builder.everyTask(everyTask);
    tasks.forEach(builder::task);
    return builder;
  }

  /** Name and value, to be read: what is not the default, and the main ones in any case. */
  Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("alpha", Double.toString(alpha));
    all.put("weight update", lowerCase(weightUpdate));
    all.put("loss weight updater", lossWeightUpdater.toString());
    all.put("measured", measureEvery == 1 ? "every step" : "every " + measureEvery + " steps");
    if (lossScale != LossScale.EXAMPLES) {
      all.put("loss scale", lowerCase(lossScale));
    }
    if (onNonFinite != NonFinitePolicy.SKIP) {
      all.put("on non-finite values", lowerCase(onNonFinite));
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
    InitialLoss initial = task.initialLoss();
    if (initial != null) {
      all.put(
          prefix + "initial loss",
          switch (initial.source()) {
            case MEASURED -> initial.steps() == 1 ? "first" : "mean of " + initial.steps();
            case UNINFORMED -> "uninformed";
            case GIVEN -> Double.toString(initial.value());
          });
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
