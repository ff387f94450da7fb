package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.report.Report;

/** By any strategy of a {@link LossBalancer}. */
final class BalancerWeighting implements Weighting {
  private final LossBalancer balancer;

  /**
   * For one run.
   *
   * @param balancer not attached to a network yet
   */
  BalancerWeighting(LossBalancer balancer) {
    this.balancer = balancer;
  }

  @Override
  public void attach(ComputationGraph net) {
    balancer.attach(net);
  }

  @Override
  public void attach(MultiLayerNetwork net) {
    balancer.attach(net);
  }

  @Override
  public void detach() {
    balancer.detach();
  }

  @Override
  public Map<String, Double> lossWeights() {
    return balancer.lossWeights();
  }

  @Override
  public List<Path> writeHistory(Path file) throws IOException {
    balancer.history().writeCsv(file);
    return List.of(file);
  }

  @Override
  public List<Path> writeReport(Path file) throws IOException {
    Report.of(balancer.history()).write(file);
    return List.of(file);
  }
}
