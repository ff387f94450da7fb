package org.gradnorm4j.gradnorm;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import org.slf4j.Logger;

/** Logs each {@link Notice} the first time it is given, with what to do. */
final class Notices {
  private final Logger log;
  private final Set<Notice> told = EnumSet.noneOf(Notice.class);

  Notices(Logger log) {
    this.log = log;
  }

  /** The next of each is the first again. */
  void clear() {
    told.clear();
  }

  void tell(GradNormRule.Update update, GradNormSettings settings) {
    for (Notice notice : update.notices()) {
      if (told.add(notice)) {
        log(notice, update.step(), settings);
      }
    }
  }

  static String notFinite(GradNormStep step) {
    return String.format(
        Locale.ROOT,
        "not finite in iteration %d: %s",
        step.measurement().iteration(),
        step.skipCauses());
  }

  private void log(Notice notice, GradNormStep step, GradNormSettings settings) {
    int iteration = step.measurement().iteration();
    switch (notice) {
      case NOT_FINITE ->
          log.warn(
              "{}. Such steps leave the loss weights as they are: {}",
              notFinite(step),
              step.measurement());
      case STEP_CUT ->
          log.warn(
              "lossWeightUpdater ({}) asked in iteration {} for a larger step of a loss weight than is taken, see GradNormBuilder.lossWeightUpdater(...). Use a smaller learning rate",
              settings.lossWeightUpdater(),
              iteration);
      case TASKS_APART ->
          log.warn(
              "iteration {} has labels of one task, and no other task had any within the last {} measured steps: the loss weights stay as they are. Mix the tasks' minibatches, set a larger taskWindow(...), or a measureEvery(...) that meets all of them",
              iteration,
              settings.window(step.measurement().taskNames().size()).steps());
    }
  }
}
