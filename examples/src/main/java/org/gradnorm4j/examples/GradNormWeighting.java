package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.gradnorm.GradNorm;

/** By GradNorm; or fixed, and measured by a GradNorm whose weights never move. */
final class GradNormWeighting implements Weighting {
  private final GradNorm gradNorm;

  /**
   * For one run.
   *
   * @param gradNorm not attached to a network yet
   */
  GradNormWeighting(GradNorm gradNorm) {
    this.gradNorm = gradNorm;
  }

  @Override
  public void attach(ComputationGraph net) {
    gradNorm.attach(net);
  }

  @Override
  public void attach(MultiLayerNetwork net) {
    gradNorm.attach(net);
  }

  @Override
  public void detach() {
    gradNorm.detach();
  }

  @Override
  public Map<String, Double> lossWeights() {
    return gradNorm.lossWeights();
  }

  @Override
  public List<Path> writeHistory(Path file) throws IOException {
    gradNorm.history().writeCsv(file);
    return List.of(file);
  }

  @Override
  public List<Path> writeReport(Path file) throws IOException {
    gradNorm.history().writeReport(file);
    return List.of(file);
  }
}
