package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.gradnorm4j.core.analysis.GradientNorms;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** A classifier whose tasks are its cross-entropy and an L2 penalty on all its weights. */
final class CompositeLearner implements Learner {
  private static final WeightPenalty L2 = WeightPenalty.l2(CompositeNetwork.PENALTY, 1.0);

  private final MultiLayerNetwork net;

  /**
   * With its initial parameters. Scores are of samples without masks.
   *
   * @param configuration copied
   */
  CompositeLearner(MultiLayerConfiguration configuration) {
    net = new MultiLayerNetwork(configuration.clone());
    net.init();
  }

  MultiLayerNetwork network() {
    return net;
  }

  @Override
  public void attach(Weighting weighting) {
    weighting.attach(net);
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
    double penalty = penalty();
    return TaskScores.mean(
        samples,
        2,
        chunk -> {
          INDArray output = net.output(chunk.getFeatures(0));
          INDArray labels = chunk.getLabels(0);
          return new TaskScores(
              new double[] {crossEntropy(output, labels), penalty},
              new double[] {TaskScores.accuracy(output, labels, null), Double.NaN});
        });
  }

  /** Of probabilities: the softmax is behind them already. */
  private static double crossEntropy(INDArray output, INDArray labels) {
    return new LossMCXENT().computeScore(labels, output, new ActivationIdentity(), null, true);
  }

  /** Without its weight. */
  private double penalty() {
    double penalty = 0.0;
    for (Layer layer : net.getLayers()) {
      penalty += L2.score(layer.getParam(DefaultParamInitializer.WEIGHT_KEY), 0, 0);
    }
    return penalty;
  }

  @Override
  public void save(Path file) throws IOException {
    net.save(file.toFile());
  }

  @Override
  public GradientNorms gradientNorms() {
    return GradientNorms.of(net);
  }
}
