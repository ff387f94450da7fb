package org.gradnorm4j.examples;

import java.io.PrintWriter;
import java.util.Arrays;
import org.apache.commons.math3.random.Well19937c;
import org.apache.commons.math3.util.MathArrays;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.gradnorm.GradNorm;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Trains a problem's network. Every run starts from the same parameters and sees the same
 * minibatches in the same order, so that runs differ by their loss weights only.
 */
final class Trainer {
  private final Problem problem;
  private final Schedule schedule;
  private final long seed;
  private final PrintWriter out;

  Trainer(Problem problem, Schedule schedule, long seed, PrintWriter out) {
    this.problem = problem;
    this.schedule = schedule;
    this.seed = seed;
    this.out = out;
  }

  /**
   * What came out of a run.
   *
   * @param initialTest on the test examples, before the first step
   * @param test on the test examples, after the last step
   * @param train on the training examples, after the last step
   * @param seconds spent in training, evaluation left out
   */
  record Result(TaskScores initialTest, TaskScores test, TaskScores train, double seconds) {}

  /**
   * Trains a new network from the start.
   *
   * @param balancer not attached to a graph yet; keeps weights and history of the run
   */
  Result train(GradNorm balancer) {
    ComputationGraph net = new ComputationGraph(problem.network().clone());
    net.init();
    TaskScores initialTest = testScores(net);
    balancer.attach(net);
    Progress progress = new Progress(schedule.steps(), out);
    fit(net, balancer, progress);
    balancer.detach();
    TaskScores train = TaskScores.of(net, problem.train(), problem.classification());
    return new Result(initialTest, testScores(net), train, progress.trainingSeconds());
  }

  private void fit(ComputationGraph net, GradNorm balancer, Progress progress) {
    Well19937c random = new Well19937c(seed);
    int[] order = MathArrays.natural(problem.train().size());
    for (int step = 0; step < schedule.steps(); net.incrementEpochCount()) {
      MathArrays.shuffle(order, random);
      step = fitEpoch(net, balancer, progress, order, step);
    }
  }

  private int fitEpoch(
      ComputationGraph net, GradNorm balancer, Progress progress, int[] order, int firstStep) {
    int step = firstStep;
    for (int begin = 0;
        begin < order.length && step < schedule.steps();
        begin += schedule.batchSize()) {
      int end = Math.min(begin + schedule.batchSize(), order.length);
      progress.resume();
      MultiDataSet batch = problem.train().rows(Arrays.copyOfRange(order, begin, end));
      net.fit(batch);
      progress.pause();
      step++;
      if (schedule.reportsAfter(step)) {
        progress.report(step, net.getEpochCount(), testScores(net), balancer.lossWeights());
      }
    }
    return step;
  }

  private TaskScores testScores(ComputationGraph net) {
    return TaskScores.of(net, problem.test(), problem.classification());
  }
}
