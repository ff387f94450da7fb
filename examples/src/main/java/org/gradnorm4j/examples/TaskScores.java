package org.gradnorm4j.examples;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * How well a network does on some examples, task by task.
 *
 * @param losses mean over the examples of the output's loss function, as DL4J's output layers
 *     compute it: the quantity that training measures on a minibatch
 * @param accuracies share of examples whose largest output is the labelled one; null if the tasks
 *     are not classifications
 */
record TaskScores(double[] losses, double[] accuracies) {
  private static final int CHUNK = 500;

  static TaskScores of(ComputationGraph net, Samples samples, boolean classification) {
    int tasks = samples.labels().length;
    double[] losses = new double[tasks];
    double[] accuracies = classification ? new double[tasks] : null;
    for (int begin = 0; begin < samples.size(); begin += CHUNK) {
      int end = Math.min(begin + CHUNK, samples.size());
      MultiDataSet chunk = samples.rows(begin, end);
      double share = (double) (end - begin) / samples.size();
      addLosses(net, chunk, share, losses);
      if (classification) {
        addAccuracies(net, chunk, share, accuracies);
      }
    }
    return new TaskScores(losses, accuracies);
  }

  /** {@code score} leaves each output layer with its own score, the mean over the chunk. */
  private static void addLosses(
      ComputationGraph net, MultiDataSet chunk, double share, double[] losses) {
    net.score(chunk, false);
    for (int task = 0; task < losses.length; task++) {
      losses[task] += share * net.getOutputLayer(task).score();
    }
  }

  private static void addAccuracies(
      ComputationGraph net, MultiDataSet chunk, double share, double[] accuracies) {
    INDArray[] outputs = net.output(false, chunk.getFeatures());
    for (int task = 0; task < accuracies.length; task++) {
      INDArray answers = outputs[task].argMax(1);
      INDArray correct = answers.eq(chunk.getLabels(task).argMax(1));
      accuracies[task] +=
          share * correct.castTo(outputs[task].dataType()).meanNumber().doubleValue();
    }
  }

  /** Σ_i L_i / L_i(0): the paper's "task-normalized" loss (Fig. 2); T for the initial network. */
  double normalizedLoss(TaskScores initial) {
    double sum = 0.0;
    for (int task = 0; task < losses.length; task++) {
      sum += losses[task] / initial.losses[task];
    }
    return sum;
  }
}
