package org.gradnorm4j.gradnorm;

import java.util.Locale;
import java.util.Objects;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs every so many iterations what ScoreIterationListener logs, the score, and below it one line
 * per task: its own loss, its weight, its share of the gradient, and its relative inverse training
 * rate.
 *
 * <pre>{@code
 * net.setListeners(new GradNormLogListener(gradNorm, 100));
 * }</pre>
 *
 * <pre>
 * Score at iteration 100 is 2.183
 *   task                    loss    weight    share      rate
 *   depth                 0.3685     1.787   85.0 %     1.435
 *   normals               0.2731    0.2127   15.0 %    0.5654
 * </pre>
 *
 * <p>At level INFO, in 59 columns. The numbers are those of the iteration, before the weights
 * moved; with {@link GradNormBuilder#measureEvery} of the last measured one, whose number is told
 * then.
 */
public final class GradNormLogListener extends BaseTrainingListener {
  private static final Logger log = LoggerFactory.getLogger(GradNormLogListener.class);
  private static final int NAME_LENGTH = 18;

  private final GradNorm gradNorm;
  private final int iterations;

  /**
   * Logs the iterations whose number is divisible by {@code iterations}.
   *
   * @param gradNorm attached, now or later, to the network this listens to
   * @param iterations from one log entry to the next, &ge; 1
   * @throws IllegalArgumentException if iterations is less than 1
   */
  public GradNormLogListener(GradNorm gradNorm, int iterations) {
    if (iterations < 1) {
      throw new IllegalArgumentException("iterations (" + iterations + ") must be >= 1");
    }
    this.gradNorm = Objects.requireNonNull(gradNorm, "gradNorm");
    this.iterations = iterations;
  }

  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    if (iteration % iterations == 0 && log.isInfoEnabled()) {
      log.info("Score at iteration {} is {}", iteration, Numbers.readable(model.score()));
      if (gradNorm.lastStep().isPresent()) {
        logLastStep(gradNorm.history().view(), iteration);
      }
    }
  }

  private static void logLastStep(StepTable.View history, int iteration) {
    int last = history.size() - 1;
    int measured = history.iteration(last);
    log.info(
        line(measured == iteration ? "task" : "at " + measured, "loss", "weight", "share", "rate"));
    for (int task = 0; task < history.tasks(); task++) {
      log.info(
          line(
              Numbers.shortened(history.taskNames().get(task), NAME_LENGTH),
              Numbers.readable(history.loss(last, task)),
              Numbers.readable(history.lossWeight(last, task)),
              Numbers.percent(history.share(last, task)),
              Numbers.readable(history.relativeInverseTrainingRate(last, task))));
    }
  }

  private static String line(String task, String loss, String weight, String share, String rate) {
    return String.format(
        Locale.ROOT, "  %-" + NAME_LENGTH + "s %9s %9s %8s %9s", task, loss, weight, share, rate);
  }
}
