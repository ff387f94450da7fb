package org.gradnorm4j.examples;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.deeplearning4j.datasets.iterator.IteratorMultiDataSetIterator;
import org.gradnorm4j.core.analysis.GradientAnalysis;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Prints an analysis of the gradients before, in the middle of and after training, always on the
 * same minibatches of training examples; writes the last.
 */
final class AnalysisReport implements RunListener {
  private static final int BATCHES = 8;

  private final Weighting weighting;
  private final Samples train;
  private final Schedule schedule;
  private final PrintWriter out;
  private GradientAnalysis last;

  AnalysisReport(Weighting weighting, Samples train, Schedule schedule, PrintWriter out) {
    this.weighting = weighting;
    this.train = train;
    this.schedule = schedule;
    this.out = out;
  }

  @Override
  public void afterStep(int step, Learner learner) {
    if (step == 0) {
      print("before training", learner);
    } else if (step == schedule.steps()) {
      print("after training", learner);
    } else if (step == schedule.steps() / 2) {
      print(String.format(Locale.ROOT, "after %d of %d steps", step, schedule.steps()), learner);
    }
  }

  private void print(String title, Learner learner) {
    last = learner.gradientNorms().lossWeights(lossWeights()).analyze(batches());
    out.printf(Locale.ROOT, "%ngradients %s%n%s%n%n", title, last);
    out.flush();
  }

  @Override
  public List<Path> write(RunFiles files, Balancer balancer) throws IOException {
    return files.writeAnalysis(last, balancer);
  }

  /** An analysis takes no negative weights, as additive updates may come to. */
  private Map<String, Double> lossWeights() {
    Map<String, Double> lossWeights = weighting.lossWeights();
    lossWeights.forEach(
        (task, weight) -> {
          if (weight < 0.0) {
            throw new IllegalStateException(
                String.format(
                    Locale.ROOT,
                    "task '%s': loss weight (%s) must be >= 0 to analyse the gradients. Use --weight-update multiplicative",
                    task,
                    weight));
          }
        });
    return lossWeights;
  }

  private MultiDataSetIterator batches() {
    int size = schedule.batchSize();
    List<MultiDataSet> batches = new ArrayList<>();
    for (int begin = 0; begin < train.size() && batches.size() < BATCHES; begin += size) {
      batches.add(train.rows(begin, Math.min(begin + size, train.size())));
    }
    return new IteratorMultiDataSetIterator(batches.iterator(), size);
  }
}
