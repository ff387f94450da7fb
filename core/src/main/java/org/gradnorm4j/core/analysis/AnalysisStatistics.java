package org.gradnorm4j.core.analysis;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.descriptive.SummaryStatistics;
import org.gradnorm4j.core.analysis.GradientAnalysis.Parameters;
import org.gradnorm4j.core.analysis.GradientAnalysis.Part;
import org.gradnorm4j.core.analysis.GradientAnalysis.Spread;

/** Collects what each batch shows into means and deviations. */
final class AnalysisStatistics {
  private final List<String> parts;
  private final int lossParts;
  private final double[] weights;
  private final Map<String, Predicate<PartGradients.Parameter>> groups;
  private final Map<String, Group> statistics = new LinkedHashMap<>();
  private final SummaryStatistics[] losses;

  /** Of one group of parameters; arrays by part. */
  private static final class Group {
    final SummaryStatistics[] norms;
    final SummaryStatistics[] weightedNorms;
    final SummaryStatistics[] shares;
    final SummaryStatistics[] cosinesWithTotal;
    final SummaryStatistics[][] cosines;
    final SummaryStatistics agreement = new SummaryStatistics();
    final SummaryStatistics effectiveRank = new SummaryStatistics();

    Group(int parts) {
      norms = statistics(parts);
      weightedNorms = statistics(parts);
      shares = statistics(parts);
      cosinesWithTotal = statistics(parts);
      cosines = new SummaryStatistics[parts][];
      Arrays.setAll(cosines, i -> statistics(parts));
    }

    void add(GramMatrix gram) {
      for (int i = 0; i < norms.length; i++) {
        norms[i].addValue(gram.norm(i));
        weightedNorms[i].addValue(gram.weightedNorm(i));
        shares[i].addValue(gram.share(i));
        cosinesWithTotal[i].addValue(gram.cosineWithTotal(i));
        for (int j = 0; j < norms.length; j++) {
          cosines[i][j].addValue(gram.cosine(i, j));
        }
      }
      agreement.addValue(gram.agreement());
      effectiveRank.addValue(gram.effectiveRank());
    }
  }

  /**
   * For parts with weights λ_i, over groups of parameters.
   *
   * @param lossParts how many of the parts, counted from the first, are no penalties
   */
  AnalysisStatistics(
      List<String> parts,
      int lossParts,
      double[] weights,
      Map<String, Predicate<PartGradients.Parameter>> groups) {
    this.parts = parts;
    this.lossParts = lossParts;
    this.weights = weights;
    this.groups = groups;
    losses = statistics(parts.size());
    groups.keySet().forEach(name -> statistics.put(name, new Group(parts.size())));
  }

  private static SummaryStatistics[] statistics(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new SummaryStatistics())
        .toArray(SummaryStatistics[]::new);
  }

  void add(PartGradients.Batch batch) {
    for (int i = 0; i < losses.length; i++) {
      losses[i].addValue(batch.losses()[i]);
    }
    groups.forEach(
        (name, selection) -> {
          double[][] sum = new double[weights.length][weights.length];
          batch
              .products()
              .forEach(
                  (parameter, products) -> {
                    if (selection.test(parameter)) {
                      addTo(sum, products);
                    }
                  });
          statistics.get(name).add(new GramMatrix(sum, weights));
        });
  }

  private static void addTo(double[][] sum, double[][] products) {
    for (int i = 0; i < sum.length; i++) {
      for (int j = 0; j < sum.length; j++) {
        sum[i][j] += products[i][j];
      }
    }
  }

  /**
   * The means and deviations so far.
   *
   * @throws IllegalArgumentException if there was no batch
   */
  GradientAnalysis result(double dominance, double rounding) {
    int batches = (int) losses[0].getN();
    if (batches == 0) {
      throw new IllegalArgumentException("there is no batch to analyse: the iterator is empty");
    }
    List<Parameters> results = new ArrayList<>();
    statistics.forEach((name, group) -> results.add(parameters(name, group)));
    return new GradientAnalysis(batches, dominance, rounding, results);
  }

  private Parameters parameters(String name, Group group) {
    List<Part> results = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      Map<String, Spread> cosines = new LinkedHashMap<>();
      for (int j = 0; j < parts.size(); j++) {
        cosines.put(parts.get(j), spread(group.cosines[i][j]));
      }
      results.add(
          new Part(
              parts.get(i),
              i >= lossParts,
              weights[i],
              spread(losses[i]),
              spread(group.norms[i]),
              spread(group.weightedNorms[i]),
              spread(group.shares[i]),
              spread(group.cosinesWithTotal[i]),
              cosines));
    }
    return new Parameters(name, results, spread(group.agreement), spread(group.effectiveRank));
  }

  private static Spread spread(SummaryStatistics statistics) {
    return new Spread(statistics.getMean(), statistics.getStandardDeviation());
  }
}
