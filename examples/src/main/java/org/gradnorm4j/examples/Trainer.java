package org.gradnorm4j.examples;

import java.util.Arrays;
import org.apache.commons.math3.random.Well19937c;
import org.apache.commons.math3.util.MathArrays;

/**
 * Trains a problem's network. Every run starts from the same parameters and sees the same
 * minibatches in the same order, so that runs differ by their loss weights only.
 */
final class Trainer {
  private final Problem problem;
  private final Schedule schedule;
  private final long seed;

  Trainer(Problem problem, Schedule schedule, long seed) {
    this.problem = problem;
    this.schedule = schedule;
    this.seed = seed;
  }

  /**
   * What came out of a run.
   *
   * @param initialTest on the test examples, before the first step
   * @param test on the test examples, after the last step
   * @param train on the training examples, after the last step
   * @param seconds spent in training, evaluation left out
   * @param learner trained
   */
  record Result(
      TaskScores initialTest, TaskScores test, TaskScores train, double seconds, Learner learner) {}

  /**
   * Trains a new network from the start.
   *
   * @param weighting not attached to a network yet; keeps weights and history of the run
   * @param progress new
   * @param listener follows the run
   */
  Result train(Weighting weighting, Progress progress, RunListener listener) {
    Learner learner = problem.learner().get();
    TaskScores initialTest = learner.scores(problem.test());
    learner.attach(weighting);
    listener.afterStep(0, learner);
    fit(learner, weighting, progress, listener);
    weighting.detach();
    TaskScores train = learner.scores(problem.train());
    TaskScores test = learner.scores(problem.test());
    return new Result(initialTest, test, train, progress.trainingSeconds(), learner);
  }

  private void fit(Learner learner, Weighting weighting, Progress progress, RunListener listener) {
    Well19937c random = new Well19937c(seed);
    int[] order = MathArrays.natural(problem.train().size());
    int step = 0;
    while (step < schedule.steps()) {
      MathArrays.shuffle(order, random);
      for (int begin = 0;
          begin < order.length && step < schedule.steps();
          begin += schedule.batchSize()) {
        int end = Math.min(begin + schedule.batchSize(), order.length);
        progress.resume();
        learner.fit(problem.train().rows(Arrays.copyOfRange(order, begin, end)));
        progress.pause();
        step++;
        if (schedule.reportsAfter(step)) {
          progress.report(
              step, learner.epochs(), learner.scores(problem.test()), weighting.lossWeights());
        }
        listener.afterStep(step, learner);
      }
      learner.endEpoch();
    }
  }
}
