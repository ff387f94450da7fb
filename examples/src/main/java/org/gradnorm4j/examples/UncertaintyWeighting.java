package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.probe.GradientNormProbe;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Uncertainty weighting (Kendall, Gal and Cipolla, <i>Multi-Task Learning Using Uncertainty to
 * Weigh Losses</i>, CVPR 2018, section 3.2), a baseline to compare with. The noise of each task,
 * s_i = log σ_i², is learned together with the network:
 *
 * <pre>
 *   L(θ, s) = Σ_i exp(−s_i) L_i(θ) + s_i
 *   λ_i = exp(−s_i),  s_i(0) = 0
 *   ∂L/∂s_i = 1 − exp(−s_i) L_i
 * </pre>
 *
 * For regression this is twice the paper's objective, Σ L_i / (2σ_i²) + log σ_i. Nothing keeps Σ
 * λ_i at T: where the loss is small, the weight becomes large.
 */
final class UncertaintyWeighting implements Weighting {
  private final String sharedLayer;
  private final LogVariances logVariances;
  private final List<StepMeasurement> steps = new ArrayList<>();
  private GradientNormProbe probe;

  /**
   * For one run.
   *
   * @param sharedLayer whose gradient norms the history has
   * @param updater of s; copied
   */
  UncertaintyWeighting(String sharedLayer, IUpdater updater) {
    this.sharedLayer = sharedLayer;
    this.logVariances = new LogVariances(updater);
  }

  @Override
  public void attach(ComputationGraph net) {
    begin(listener -> GradientNormProbe.attach(net, List.of(sharedLayer), listener));
  }

  @Override
  public void attach(MultiLayerNetwork net) {
    begin(listener -> GradientNormProbe.attach(net, List.of(sharedLayer), listener));
  }

  private void begin(Function<Consumer<StepMeasurement>, GradientNormProbe> attach) {
    probe = attach.apply(this::onStep);
  }

  private void onStep(StepMeasurement step) {
    steps.add(step);
    probe.lossWeights(logVariances.update(step.losses(), step.epoch()));
  }

  @Override
  public void detach() {
    probe.detach();
  }

  @Override
  public Map<String, Double> lossWeights() {
    Map<String, Double> byName = new LinkedHashMap<>();
    double[] weights = probe.lossWeights();
    for (int i = 0; i < weights.length; i++) {
      byName.put(probe.taskNames().get(i), weights[i]);
    }
    return byName;
  }

  /** The columns of GradNorm's history that have a meaning here. */
  @Override
  public List<Path> writeHistory(Path file) throws IOException {
    CSVFormat format =
        CSVFormat.RFC4180
            .builder()
            .setRecordSeparator('\n')
            .setHeader("iteration", "epoch", "task", "loss", "loss_weight", "gradient_norm")
            .get();
    try (CSVPrinter csv =
        new CSVPrinter(Files.newBufferedWriter(file, StandardCharsets.UTF_8), format)) {
      for (StepMeasurement step : steps) {
        print(step, csv);
      }
    }
    return List.of(file);
  }

  private static void print(StepMeasurement step, CSVPrinter csv) throws IOException {
    double[] losses = step.losses();
    double[] lossWeights = step.lossWeights();
    double[] gradientNorms = step.gradientNorms();
    for (int i = 0; i < losses.length; i++) {
      csv.printRecord(
          step.iteration(),
          step.epoch(),
          step.taskNames().get(i),
          losses[i],
          lossWeights[i],
          gradientNorms[i]);
    }
  }
}
