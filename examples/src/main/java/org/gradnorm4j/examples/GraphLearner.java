package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.analysis.GradientNorms;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/** A graph whose outputs are the tasks. */
final class GraphLearner implements Learner {
  private final ComputationGraph net;
  private final List<TaskKind> kinds;

  /**
   * With its initial parameters.
   *
   * @param configuration copied
   * @param kinds of the outputs, in their order
   */
  GraphLearner(ComputationGraphConfiguration configuration, Collection<TaskKind> kinds) {
    this.net = new ComputationGraph(configuration.clone());
    this.kinds = List.copyOf(kinds);
    net.init();
    StandardUpdater.install(net);
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
    return TaskScores.mean(
        samples,
        net.getNumOutputArrays(),
        chunk -> new TaskScores(losses(chunk), accuracies(chunk)));
  }

  /**
   * {@code score} leaves each output layer with its own score: the sum over the labelled rows of
   * the chunk, divided by all rows of the chunk.
   */
  private double[] losses(MultiDataSet chunk) {
    net.score(chunk, false);
    double[] losses = new double[net.getNumOutputArrays()];
    for (int task = 0; task < losses.length; task++) {
      losses[task] = net.getOutputLayer(task).score();
      INDArray mask = chunk.getLabelsMaskArray(task);
      if (mask != null) {
        losses[task] *= mask.length() / mask.sumNumber().doubleValue();
      }
    }
    return losses;
  }

  private double[] accuracies(MultiDataSet chunk) {
    double[] accuracies = new double[net.getNumOutputArrays()];
    Arrays.fill(accuracies, Double.NaN);
    if (kinds.contains(TaskKind.CLASSIFICATION)) {
      INDArray[] outputs = net.output(false, chunk.getFeatures());
      for (int task = 0; task < accuracies.length; task++) {
        if (kinds.get(task) == TaskKind.CLASSIFICATION) {
          accuracies[task] =
              TaskScores.accuracy(
                  outputs[task], chunk.getLabels(task), chunk.getLabelsMaskArray(task));
        }
      }
    }
    return accuracies;
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
