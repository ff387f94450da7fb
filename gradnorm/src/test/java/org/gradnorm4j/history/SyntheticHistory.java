package org.gradnorm4j.history;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Decision;
import org.gradnorm4j.weighting.Quantity;
import org.gradnorm4j.weighting.SkipCause;

/**
 * Histories of made-up measurements, balanced by a rule that fits in a few lines: the weights at
 * which all weighted norms are in the ratio of the targets. It reports what GradNorm does.
 */
public final class SyntheticHistory {
  public static final Quantity TARGET =
      Quantity.perTask("target", "Targets", "T").drawnWith(Quantity.WEIGHTED_GRADIENT_NORM);
  public static final Quantity RATE = Quantity.perTask("rate", "Rates", "r");
  public static final Quantity DEVIATION =
      Quantity.ofStep("deviation", "Sum of deviations", "D").in("1");
  public static final List<Quantity> QUANTITIES = List.of(TARGET, DEVIATION, RATE);

  private final HistoryRecorder recorder;
  private final List<String> taskNames;
  private final Random random = new Random(5);
  private double[] lossWeights;
  private double[] initialLosses;
  private int iteration;

  public SyntheticHistory(String... tasks) {
    this(HistoryLimit.byDefault(), tasks);
  }

  public SyntheticHistory(HistoryLimit limit, String... tasks) {
    taskNames = List.of(tasks);
    recorder = new HistoryRecorder(limit, taskNames, QUANTITIES, Map.of("alpha", "1.5"));
    lossWeights = new double[tasks.length];
    Arrays.fill(lossWeights, 1.0);
  }

  public static String[] names(int tasks) {
    return IntStream.range(0, tasks).mapToObj(i -> "task " + i).toArray(String[]::new);
  }

  /** Falling losses of unlike scale and speed, with noise. */
  public SyntheticHistory steps(int steps) {
    int tasks = taskNames.size();
    for (int t = 0; t < steps; t++) {
      double progress = (double) t / steps;
      double[] losses = new double[tasks];
      double[] norms = new double[tasks];
      for (int i = 0; i < tasks; i++) {
        double noise = 1.0 + 0.1 * random.nextDouble();
        losses[i] = (1 + i) * noise * Math.exp(-progress * (1 + i % 4));
        norms[i] = (1 + i) * (1 + i) * noise * Math.exp(-progress * (1 + i % 3));
      }
      step(losses, norms);
    }
    return this;
  }

  public SyntheticHistory step(double[] losses, double[] norms) {
    return step(measurement(losses, norms).build());
  }

  /** A minibatch with labels of the first of two tasks only. */
  public SyntheticHistory stepWithoutLastTask(double loss, double norm) {
    return step(
        measurement(new double[] {loss, 0.0}, new double[] {norm, 0.0})
            .present(true, false)
            .build());
  }

  private StepMeasurement.Builder measurement(double[] losses, double[] norms) {
    return StepMeasurement.of(taskNames)
        .at(iteration, iteration / 100)
        .batchSize(32)
        .losses(losses)
        .gradientNorms(norms)
        .lossWeights(lossWeights);
  }

  private SyntheticHistory step(StepMeasurement measurement) {
    iteration++;
    Map<String, Set<SkipCause>> causes = causes(measurement);
    if (!causes.isEmpty()) {
      recorder.add(BalancedStep.skipped(measurement, QUANTITIES, lossWeights, causes));
      return this;
    }
    recorder.add(BalancedStep.of(measurement, QUANTITIES, decide(measurement)));
    return this;
  }

  private Map<String, Set<SkipCause>> causes(StepMeasurement measurement) {
    Map<String, Set<SkipCause>> causes = new LinkedHashMap<>();
    for (int i = 0; i < taskNames.size(); i++) {
      Set<SkipCause> why = EnumSet.noneOf(SkipCause.class);
      if (!Double.isFinite(measurement.losses()[i])) {
        why.add(SkipCause.LOSS);
      }
      if (!Double.isFinite(measurement.gradientNorms()[i])) {
        why.add(SkipCause.GRADIENT_NORM);
      }
      if (!why.isEmpty()) {
        causes.put(taskNames.get(i), why);
      }
    }
    return causes;
  }

  private Decision<String> decide(StepMeasurement measurement) {
    double[] losses = measurement.losses();
    double[] norms = measurement.gradientNorms();
    boolean[] present = measurement.present();
    initialLosses = initialLosses == null ? losses : initialLosses;
    int tasks = losses.length;
    double[] rates = new double[tasks];
    double[] targets = new double[tasks];
    double mean = 0.0;
    double deviation = 0.0;
    for (int i = 0; i < tasks; i++) {
      rates[i] = present[i] ? losses[i] / initialLosses[i] : Double.NaN;
      mean += lossWeights[i] * norms[i] / tasks;
    }
    double sum = 0.0;
    double[] next = lossWeights.clone();
    for (int i = 0; i < tasks; i++) {
      targets[i] = present[i] ? mean * Math.pow(rates[i], 1.5) : Double.NaN;
      deviation += present[i] ? Math.abs(lossWeights[i] * norms[i] - targets[i]) : 0.0;
      next[i] = present[i] ? targets[i] / norms[i] : lossWeights[i];
      sum += next[i];
    }
    for (int i = 0; i < tasks; i++) {
      next[i] *= tasks / sum;
    }
    lossWeights = next;
    return Decision.of("", next).with(TARGET, targets).with(RATE, rates).with(DEVIATION, deviation);
  }

  public double[] lossWeights() {
    return lossWeights.clone();
  }

  public History history() {
    return recorder.history();
  }

  public HistoryRecorder recorder() {
    return recorder;
  }
}
