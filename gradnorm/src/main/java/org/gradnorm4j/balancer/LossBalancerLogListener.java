package org.gradnorm4j.balancer;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.history.Numbers;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs every so many iterations what ScoreIterationListener logs, the score, and below it one line
 * per task: its own loss, its weight, its share of the gradient, and the first two numbers per task
 * that the strategy reports.
 *
 * <pre>{@code
 * net.setListeners(new LossBalancerLogListener(balancer, 100));
 * }</pre>
 *
 * <pre>
 * Score at iteration 100 is 2.183
 *   task                    loss    weight    share    Ḡ r^α         r
 *   depth                 0.3685     1.787   85.0 %    0.8420     1.435
 *   normals               0.2731    0.2127   15.0 %    0.1604    0.5654
 * </pre>
 *
 * <p>At level INFO, in at most 69 columns. The numbers are those of the iteration, before the
 * weights moved. Where it was not measured, as with {@link LossBalancerBuilder#measureEvery} or
 * while frozen, they are those of the last one that was, whose number is told then; a balancer that
 * was restored remembers it.
 */
public final class LossBalancerLogListener extends BaseTrainingListener {
  private static final Logger log = LoggerFactory.getLogger(LossBalancerLogListener.class);
  private static final int NAME_LENGTH = 18;
  private static final int NUMBER_LENGTH = 9;
  private static final int MOST_QUANTITIES = 2;

  private final LossBalancer balancer;
  private final int iterations;

  /**
   * Logs the iterations whose number is divisible by {@code iterations}.
   *
   * @param balancer attached, now or later, to the network this listens to
   * @param iterations from one log entry to the next, &ge; 1
   * @throws IllegalArgumentException if iterations is less than 1
   */
  public LossBalancerLogListener(LossBalancer balancer, int iterations) {
    if (iterations < 1) {
      throw new IllegalArgumentException("iterations (" + iterations + ") must be >= 1");
    }
    this.balancer = Objects.requireNonNull(balancer, "balancer");
    this.iterations = iterations;
  }

  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    if (iteration % iterations == 0 && log.isInfoEnabled()) {
      log.info("Score at iteration {} is {}", iteration, Numbers.readable(model.score()));
      balancer.lastStep().ifPresent(step -> log(step, iteration));
    }
  }

  private static void log(BalancedStep step, int iteration) {
    StepMeasurement measured = step.measurement();
    double[] losses = step.values(Quantity.LOSS);
    double[] weights = measured.lossWeights();
    double[] norms = step.values(Quantity.WEIGHTED_GRADIENT_NORM);
    double total = Arrays.stream(norms).filter(norm -> !Double.isNaN(norm)).sum();
    List<Quantity> quantities =
        step.quantities().stream().filter(Quantity::isPerTask).limit(MOST_QUANTITIES).toList();
    List<double[]> values = quantities.stream().map(step::values).toList();
    log.info(
        line(
            measured.iteration() == iteration ? "task" : "at " + measured.iteration(),
            "loss",
            "weight",
            "share",
            quantities.stream()
                .map(quantity -> Numbers.shortened(quantity.symbol(), NUMBER_LENGTH))
                .toList()));
    for (int i = 0; i < losses.length; i++) {
      int task = i;
      log.info(
          line(
              Numbers.shortened(measured.taskNames().get(task), NAME_LENGTH),
              Numbers.readable(losses[task]),
              Numbers.readable(weights[task]),
              Numbers.percent((Double.isNaN(norms[task]) ? 0.0 : norms[task]) / total),
              values.stream().map(byTask -> Numbers.readable(byTask[task])).toList()));
    }
  }

  private static String line(
      String task, String loss, String weight, String share, List<String> others) {
    StringBuilder line =
        new StringBuilder(
            String.format(
                Locale.ROOT, "  %-" + NAME_LENGTH + "s %9s %9s %8s", task, loss, weight, share));
    for (String other : others) {
      line.append(String.format(Locale.ROOT, " %" + NUMBER_LENGTH + "s", other));
    }
    return line.toString();
  }
}
