package org.gradnorm4j.examples;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.GradientNorms;
import org.gradnorm4j.gradnorm.GradNorm;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/** A graph whose outputs are the tasks. */
final class GraphLearner implements Learner {
  private final ComputationGraph net;
  private final boolean classification;

  /**
   * With its initial parameters.
   *
   * @param configuration copied
   * @param classification whether labels are one-hot, so that accuracies have a meaning
   */
  GraphLearner(ComputationGraphConfiguration configuration, boolean classification) {
    this.net = new ComputationGraph(configuration.clone());
    this.classification = classification;
    net.init();
  }

  @Override
  public void attach(GradNorm balancer) {
    balancer.attach(net);
  }

  @Override
  public void fit(MultiDataSet batch) {
    net.fit(batch);
  }

  @Override
  public int epochs() {
    return net.getEpochCount();
  }

  @Override
  public void endEpoch() {
    net.incrementEpochCount();
  }

  @Override
  public TaskScores scores(Samples samples) {
    return TaskScores.mean(
        samples,
        net.getNumOutputArrays(),
        chunk -> new TaskScores(losses(chunk), accuracies(chunk)));
  }

  /** {@code score} leaves each output layer with its own score, the mean over the chunk. */
  private double[] losses(MultiDataSet chunk) {
    net.score(chunk, false);
    double[] losses = new double[net.getNumOutputArrays()];
    for (int task = 0; task < losses.length; task++) {
      losses[task] = net.getOutputLayer(task).score();
    }
    return losses;
  }

  private double[] accuracies(MultiDataSet chunk) {
    double[] accuracies = new double[net.getNumOutputArrays()];
    Arrays.fill(accuracies, Double.NaN);
    if (classification) {
      INDArray[] outputs = net.output(false, chunk.getFeatures());
      for (int task = 0; task < accuracies.length; task++) {
        accuracies[task] = TaskScores.accuracy(outputs[task], chunk.getLabels(task));
      }
    }
    return accuracies;
  }

  @Override
  public GradientNorms gradientNorms() {
    return GradientNorms.of(net);
  }
}
