package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.gradnorm4j.core.StepMeasurement;
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
 * moved. Where it was not measured, as with {@link GradNormBuilder#measureEvery} or while frozen,
 * they are those of the last one that was, whose number is told then; a GradNorm that was restored
 * remembers it.
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
      gradNorm.lastStep().ifPresent(step -> log(step, iteration));
    }
  }

  private static void log(GradNormStep step, int iteration) {
    StepMeasurement measured = step.measurement();
    boolean[] present = measured.present();
    double[] losses = measured.losses();
    double[] weights = measured.lossWeights();
    double[] norms = step.weightedGradientNorms();
    double[] rates = step.relativeInverseTrainingRates();
    double total = Arrays.stream(norms).filter(norm -> !Double.isNaN(norm)).sum();
    log.info(
        line(
            measured.iteration() == iteration ? "task" : "at " + measured.iteration(),
            "loss",
            "weight",
            "share",
            "rate"));
    for (int task = 0; task < losses.length; task++) {
      log.info(
          line(
              Numbers.shortened(measured.taskNames().get(task), NAME_LENGTH),
              Numbers.readable(present[task] ? losses[task] : Double.NaN),
              Numbers.readable(weights[task]),
              Numbers.percent((Double.isNaN(norms[task]) ? 0.0 : norms[task]) / total),
              Numbers.readable(rates[task])));
    }
  }

  private static String line(String task, String loss, String weight, String share, String rate) {
    return String.format(
        Locale.ROOT, "  %-" + NAME_LENGTH + "s %9s %9s %8s %9s", task, loss, weight, share, rate);
  }
}
