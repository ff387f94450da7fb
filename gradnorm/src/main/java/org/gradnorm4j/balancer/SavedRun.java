package org.gradnorm4j.balancer;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.persist.HistoryLog;
import org.gradnorm4j.persist.ModelFile;
import org.gradnorm4j.persist.StateFile;
import org.gradnorm4j.persist.StepRecord;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.LossWeightings;

/**
 * What a state file has: a run without its history. Made by {@code save}, read by {@code restore};
 * of use to whoever restores a strategy with a facade of its own. Immutable.
 */
public final class SavedRun {
  private static final String HEADER = "run";
  private static final String BALANCER = "balancer";
  private static final String SETTINGS = "settings";
  private static final String WEIGHTS = "weights";
  private static final String STATE = "state";
  private static final String LAST_STEP = "lastStep";

  private final Content<?> content;

  private SavedRun(Content<?> content) {
    this.content = content;
  }

  /**
   * What a run is of.
   *
   * @param strategy its id
   * @param sharedLayers that were measured, chosen or found
   * @param settingsChanges how the settings came to be so, to be read
   * @param stepsUntilMeasured how many steps go by unmeasured before the next
   */
  record Header(
      String strategy,
      List<String> tasks,
      List<String> sharedLayers,
      List<String> settingsChanges,
      int stepsUntilMeasured) {
    Header {
      if (tasks.size() < 2 || Set.copyOf(tasks).size() != tasks.size()) {
        throw new IllegalArgumentException(
            "tasks (" + tasks + ") must be two or more, of different names");
      }
      if (stepsUntilMeasured < 0) {
        throw new IllegalArgumentException(
            "stepsUntilMeasured (" + stepsUntilMeasured + ") must be >= 0");
      }
    }
  }

  private record Content<S extends Record>(
      LossWeighting<S> weighting,
      BalancerSettings settings,
      Header header,
      S strategyState,
      BalancerState state,
      BalancedStep lastStep) {

    Run<S> resume() {
      return Run.resume(weighting, settings, header, strategyState, state, lastStep);
    }

    static <S extends Record> Content<S> read(
        LossWeighting<S> weighting, Header header, StateFile file) throws IOException {
      BalancerSettings settings = file.part(BALANCER, BalancerSettings.class);
      BalancerState state = file.part(WEIGHTS, BalancerState.class);
      S strategyState = file.part(STATE, weighting.stateType());
      BalancedStep lastStep =
          file.has(LAST_STEP) ? file.part(LAST_STEP, StepRecord.class).toStep() : null;
      Tasks tasks = Tasks.of(header.tasks());
      require(state.lossWeights().length == tasks.size(), "lossWeights");
      require(header.stepsUntilMeasured() < settings.measureEvery(), "stepsUntilMeasured");
      require(
          lastStep == null
              || (lastStep.measurement().taskNames().equals(tasks.names())
                  && lastStep.quantities().equals(weighting.quantities())),
          LAST_STEP);
      weighting.check(strategyState, state.lossWeights(), tasks);
      return new Content<>(weighting, settings, header, strategyState, state, lastStep);
    }

    private static void require(boolean holds, String what) {
      if (!holds) {
        throw new IllegalArgumentException(what + " does not fit the rest of the file");
      }
    }
  }

  static <S extends Record> SavedRun of(
      LossWeighting<S> weighting,
      BalancerSettings settings,
      Header header,
      S strategyState,
      BalancerState state,
      BalancedStep lastStep) {
    return new SavedRun(new Content<>(weighting, settings, header, strategyState, state, lastStep));
  }

  /**
   * The file's bytes.
   *
   * @param history where it is; null if nowhere, or in the same file
   * @throws IllegalArgumentException if a setting cannot be saved; names it
   */
  byte[] toBytes(HistoryLog.Mark history) {
    StateFile.Builder file =
        StateFile.builder()
            .part(HEADER, content.header())
            .part(BALANCER, content.settings())
            .part(SETTINGS, content.weighting().settings())
            .part(WEIGHTS, content.state())
            .part(STATE, content.strategyState());
    if (content.lastStep() != null) {
      file.part(LAST_STEP, StepRecord.of(content.lastStep()));
    }
    if (history != null) {
      file.part(ModelFile.LOG_PART, history);
    }
    return file.write();
  }

  /**
   * Reads a file.
   *
   * @param parts its own, one by one
   * @throws IOException if they are not valid, or of a strategy that is not known here; says why
   */
  static SavedRun read(StateFile parts) throws IOException {
    parts.checkParts(HEADER, BALANCER, SETTINGS, WEIGHTS, STATE, LAST_STEP, ModelFile.LOG_PART);
    Header header = parts.part(HEADER, Header.class);
    try {
      LossWeightings.Format<?> format =
          LossWeightings.format(header.strategy())
              .orElseThrow(
                  () -> new IllegalArgumentException(LossWeightings.unknown(header.strategy())));
      return new SavedRun(Content.read(weighting(format, parts), header, parts));
    } catch (IllegalArgumentException e) {
      throw parts.refused(e);
    }
  }

  private static <C extends Record> LossWeighting<?> weighting(
      LossWeightings.Format<C> format, StateFile parts) throws IOException {
    return format.create().apply(parts.part(SETTINGS, format.settingsType()));
  }

  /**
   * The strategy, with its settings.
   *
   * @return as it was saved
   */
  public LossWeighting<?> weighting() {
    return content.weighting();
  }

  /**
   * The settings beside the strategy's.
   *
   * @return as they were saved
   */
  public BalancerSettings settings() {
    return content.settings();
  }

  int stepsUntilMeasured() {
    return content.header().stepsUntilMeasured();
  }

  Run<?> resume() {
    return content.resume();
  }
}
