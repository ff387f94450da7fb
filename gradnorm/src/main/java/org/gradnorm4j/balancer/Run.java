package org.gradnorm4j.balancer;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.history.HistoryRecorder;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.SkipCause;
import org.slf4j.Logger;

/**
 * One run of a strategy: what it remembers, and what it makes of each step. Knows no network. The
 * caller orders calls by a lock of its own; {@link #state()} and {@link #lastStep()} may be read
 * from any thread.
 *
 * @param <S> the strategy's state
 */
final class Run<S extends Record> {
  private LossWeighting<S> weighting;
  private BalancerSettings settings;
  private Tasks tasks;
  private final List<String> sharedLayers;
  private List<String> changes;
  private S strategyState;
  private StepGuard.Taken<S> pending;
  private final HistoryRecorder recorder;
  private final Set<String> told = new HashSet<>();
  private volatile BalancerState state;
  private volatile BalancedStep lastStep;

  private Run(
      LossWeighting<S> weighting,
      BalancerSettings settings,
      Tasks tasks,
      List<String> sharedLayers,
      List<String> changes,
      S strategyState,
      BalancerState state,
      BalancedStep lastStep) {
    this.weighting = weighting;
    this.settings = settings;
    this.tasks = tasks;
    this.sharedLayers = sharedLayers;
    this.changes = changes;
    this.strategyState = strategyState;
    this.state = state;
    this.lastStep = lastStep;
    recorder =
        new HistoryRecorder(settings.history(), tasks.names(), weighting.quantities(), describe());
  }

  /**
   * Begins.
   *
   * @param sharedLayers that are measured
   * @throws IllegalArgumentException if the strategy's settings do not fit the tasks
   */
  static <S extends Record> Run<S> begin(
      LossWeighting<S> weighting,
      BalancerSettings settings,
      Tasks tasks,
      List<String> sharedLayers) {
    Decision<S> first = weighting.init(tasks);
    return new Run<>(
        weighting,
        settings,
        tasks,
        sharedLayers,
        List.of(),
        first.state(),
        BalancerState.first(first.lossWeights()),
        null);
  }

  /** Goes on. */
  static <S extends Record> Run<S> resume(
      LossWeighting<S> weighting,
      BalancerSettings settings,
      SavedRun.Header header,
      S strategyState,
      BalancerState state,
      BalancedStep lastStep) {
    return new Run<>(
        weighting,
        settings,
        Tasks.of(header.tasks()),
        header.sharedLayers(),
        header.settingsChanges(),
        strategyState,
        state,
        lastStep);
  }

  /** The same tasks, of a network that may know more of them than their names. */
  void tasks(Tasks ofNetwork) {
    tasks = ofNetwork;
  }

  Tasks tasks() {
    return tasks;
  }

  List<String> taskNames() {
    return tasks.names();
  }

  LossWeighting<S> weighting() {
    return weighting;
  }

  BalancerSettings settings() {
    return settings;
  }

  BalancerState state() {
    return state;
  }

  /** Null before the first. */
  BalancedStep lastStep() {
    return lastStep;
  }

  HistoryRecorder recorder() {
    return recorder;
  }

  /**
   * Takes a step's measurement: guarded, decided on, recorded.
   *
   * @throws IllegalStateException if the strategy cannot work with it
   * @return what was not finite, by task, whether the strategy needs it or not
   */
  Map<String, Set<SkipCause>> take(StepMeasurement step, Logger log) {
    decide(step);
    return finish(step, log);
  }

  /**
   * The first half of {@link #take}, in the middle of a step: nothing is remembered yet, as the
   * step may not get to its end.
   *
   * @return the weights of the step
   */
  double[] decide(StepMeasurement step) {
    pending =
        StepGuard.take(weighting, settings.timing(), strategyState, state.lossWeights(), step);
    return pending.lossWeights();
  }

  /**
   * The second half.
   *
   * @param step what was decided on, complete
   */
  Map<String, Set<SkipCause>> finish(StepMeasurement step, Logger log) {
    StepGuard.Taken<S> taken = pending;
    pending = null;
    BalancedStep record = taken.record().withMeasurement(step);
    strategyState = taken.state();
    state =
        record.skipped()
            ? state.skipped(tasks.names(), record.skipCauses())
            : state.decided(taken.lossWeights());
    lastStep = record;
    taken.notices().forEach((kind, text) -> tell(kind, text, log));
    recorder.add(record);
    return taken.notFinite();
  }

  /** Whether {@link #finish} is due. */
  boolean hasDecided() {
    return pending != null;
  }

  private void tell(String kind, String text, Logger log) {
    if (told.add(kind)) {
      log.warn("{}", text);
    }
  }

  /** Holds these weights, or lets them move. */
  void freeze(double[] weights, boolean frozen) {
    state = state.withWeights(weights).frozen(frozen);
  }

  double[] nearestAllowed(double[] weights) {
    return weighting.nearestAllowed(strategyState, weights, tasks);
  }

  /**
   * Goes on with other settings.
   *
   * @return what changed, line by line
   * @throws IllegalArgumentException for what cannot change; nothing has then
   */
  List<String> change(LossWeighting<?> next, BalancerSettings nextSettings) {
    if (!next.id().equals(weighting.id())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "strategy (%s) cannot change to %s in a run that has begun. Detach, build another balancer, and attach it",
              weighting.name(),
              next.name()));
    }
    if (!nextSettings.sharedLayers().equals(settings.sharedLayers())) {
      throw cannotChange("sharedLayer", settings.sharedLayers(), nextSettings.sharedLayers());
    }
    if (!nextSettings.history().equals(settings.history())) {
      throw cannotChange("history", settings.history(), nextSettings.history());
    }
    if (nextSettings.timing() != settings.timing()) {
      throw cannotChange("timing", settings.timing(), nextSettings.timing());
    }
    @SuppressWarnings("unchecked") // of the same id
    LossWeighting<S> same = (LossWeighting<S>) next;
    Decision<S> adopted = same.adopt(weighting, strategyState, state.lossWeights(), tasks);
    Map<String, String> before = describeSettings();
    weighting = same;
    settings = nextSettings;
    strategyState = adopted.state();
    state = state.withWeights(adopted.lossWeights());
    List<String> lines = new ArrayList<>();
    int iteration = lastStep == null ? 0 : lastStep.measurement().iteration() + 1;
    for (String line : differences(before, describeSettings())) {
      lines.add(String.format(Locale.ROOT, "iteration %d: %s", iteration, line));
    }
    List<String> all = new ArrayList<>(changes);
    all.addAll(lines);
    changes = List.copyOf(all);
    recorder.settings(describe());
    return lines;
  }

  private static IllegalArgumentException cannotChange(String name, Object from, Object to) {
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "%s (%s) cannot change to %s in a run that has begun: what it remembers was measured, or begun, with it. Detach and call reset() first, or build another balancer",
            name,
            from,
            to));
  }

  /** Setting by setting, "alpha 1.5 -> 0.5". */
  private static List<String> differences(Map<String, String> before, Map<String, String> after) {
    Set<String> names = new LinkedHashSet<>(before.keySet());
    names.addAll(after.keySet());
    List<String> lines = new ArrayList<>();
    for (String name : names) {
      String from = before.getOrDefault(name, "none");
      String to = after.getOrDefault(name, "none");
      if (!from.equals(to)) {
        lines.add(String.format(Locale.ROOT, "%s %s -> %s", name, from, to));
      }
    }
    return lines;
  }

  private Map<String, String> describeSettings() {
    Map<String, String> all = new LinkedHashMap<>(weighting.describe());
    all.putAll(settings.describe());
    return all;
  }

  /** Name and value, to be read, as a report shows them. */
  Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("strategy", weighting.name());
    all.put("shared layer", String.join(", ", sharedLayers));
    all.putAll(describeSettings());
    if (!changes.isEmpty()) {
      all.put("changed", String.join("; ", changes));
    }
    return all;
  }

  SavedRun saved(int stepsUntilMeasured) {
    return SavedRun.of(
        weighting,
        settings,
        new SavedRun.Header(
            weighting.id(), tasks.names(), sharedLayers, changes, stepsUntilMeasured),
        strategyState,
        state,
        lastStep);
  }
}
