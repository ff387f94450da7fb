package org.gradnorm4j.examples;

import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * How well a network does on some examples, task by task.
 *
 * @param losses mean over the labelled examples of the task's loss, as DL4J's output layers compute
 *     it: if no label is missing, the quantity that training measures on a minibatch
 * @param accuracies share of labelled examples whose largest output is the labelled one; NaN if the
 *     task is not a classification
 */
record TaskScores(double[] losses, double[] accuracies) {
  /** Rows scored at a time: at least so many, and more if they have few features. */
  private static final int LEAST_ROWS = 500;

  private static final long FEATURES = 1 << 14;

  /** The mean over the labelled examples, of the scores of some of them at a time. */
  static TaskScores mean(Samples samples, int tasks, Function<MultiDataSet, TaskScores> scores) {
    double[] losses = new double[tasks];
    double[] accuracies = new double[tasks];
    int rows = (int) Math.max(LEAST_ROWS, FEATURES * samples.size() / samples.features().length());
    for (int begin = 0; begin < samples.size(); begin += rows) {
      int end = Math.min(begin + rows, samples.size());
      TaskScores chunk = scores.apply(samples.rows(begin, end));
      for (int task = 0; task < tasks; task++) {
        double labelled = samples.labelled(task, begin, end);
        if (labelled > 0) {
          double share = labelled / samples.labelled(task, 0, samples.size());
          losses[task] += share * chunk.losses[task];
          accuracies[task] += share * chunk.accuracies[task];
        }
      }
    }
    return new TaskScores(losses, accuracies);
  }

  /**
   * The share of rows whose largest output is the labelled one.
   *
   * @param mask a column with 1 for each row that counts; null if all do
   */
  static double accuracy(INDArray output, INDArray labels, INDArray mask) {
    INDArray correct = output.argMax(1).eq(labels.argMax(1)).castTo(output.dataType());
    return mask == null
        ? correct.meanNumber().doubleValue()
        : correct.muli(mask.reshape(mask.length())).sumNumber().doubleValue()
            / mask.sumNumber().doubleValue();
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
