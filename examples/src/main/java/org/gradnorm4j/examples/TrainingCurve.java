package org.gradnorm4j.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Loss weights and task-normalized test loss of one run, at a hundred or so of its steps. */
final class TrainingCurve implements RunListener {
  private static final int POINTS = 100;

  private final Balancer balancer;
  private final Weighting weighting;
  private final Samples test;
  private final Schedule schedule;
  private final List<Point> points = new ArrayList<>();
  private TaskScores initial;

  /**
   * Follows one run.
   *
   * @param balancer whose run it is
   * @param weighting of the run
   * @param test scored
   * @param schedule of the run
   */
  TrainingCurve(Balancer balancer, Weighting weighting, Samples test, Schedule schedule) {
    this.balancer = balancer;
    this.weighting = weighting;
    this.test = test;
    this.schedule = schedule;
  }

  /**
   * One step.
   *
   * @param step steps done
   * @param lossWeights λ_i of the next step
   * @param normalizedLoss Σ_i L_i / L_i(0) on the test examples
   */
  record Point(int step, Map<String, Double> lossWeights, double normalizedLoss) {}

  @Override
  public void afterStep(int step, Learner learner) {
    if (step % Math.max(1, schedule.steps() / POINTS) == 0 || step == schedule.steps()) {
      TaskScores scores = learner.scores(test);
      initial = initial == null ? scores : initial;
      points.add(new Point(step, weighting.lossWeights(), scores.normalizedLoss(initial)));
    }
  }

  Balancer balancer() {
    return balancer;
  }

  List<Point> points() {
    return points;
  }
}
