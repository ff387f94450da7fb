package org.gradnorm4j.core.analysis;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.commons.math3.distribution.TDistribution;
import org.gradnorm4j.core.analysis.GradientAnalysis.Part;
import org.gradnorm4j.core.analysis.GradientAnalysis.Spread;

/** What a {@link GradientAnalysis} says in words; see {@link GradientAnalysis#verdict()}. */
final class AnalysisVerdict {
  private static final double CONFIDENCE = 0.95;

  private final GradientAnalysis analysis;
  private final List<Part> parts;

  AnalysisVerdict(GradientAnalysis analysis) {
    this.analysis = analysis;
    this.parts = analysis.all().parts();
  }

  @Override
  public String toString() {
    if (parts.stream().allMatch(part -> part.norm().mean() == 0.0)) {
      return "no gradient";
    }
    List<String> findings = new ArrayList<>();
    findDominance(findings);
    findConflicts(findings);
    for (Part part : parts) {
      if (!Double.isFinite(part.norm().mean())) {
        findings.add("the gradient of " + part.name() + " is not finite");
      }
    }
    return findings.isEmpty() ? "balanced" : String.join("; ", findings);
  }

  private void findDominance(List<String> findings) {
    for (Part part : parts) {
      if (parts.size() > 1 && part.share().mean() > analysis.dominance()) {
        String share = format("%.1f", 100.0 * part.share().mean());
        if (analysis.batches() > 1) {
          share += format(" ± %.1f", 100.0 * margin(part.share(), parts.size()));
        }
        findings.add(
            String.format(
                Locale.ROOT, "dominated by %s (%s %% of the update)", part.name(), share));
      }
    }
  }

  private void findConflicts(List<String> findings) {
    int pairs = parts.size() * (parts.size() - 1) / 2;
    for (int i = 0; i < parts.size(); i++) {
      for (int j = i + 1; j < parts.size(); j++) {
        Spread cosine = parts.get(i).cosines().get(parts.get(j).name());
        double margin = margin(cosine, pairs);
        if (cosine.mean() < -(margin + analysis.rounding())) {
          String size =
              analysis.batches() == 1
                  ? format("on this batch (cosine %.2f)", cosine.mean())
                  : format("(cosine %.2f ± %.2f)", cosine.mean(), margin);
          findings.add(
              String.format(
                  Locale.ROOT,
                  "%s and %s in conflict %s",
                  parts.get(i).name(),
                  parts.get(j).name(),
                  size));
        }
      }
    }
  }

  /**
   * Half the confidence interval of a mean over the batches, wide enough for this many comparisons
   * to hold together; 0 for one batch, which does not tell.
   */
  private double margin(Spread spread, int comparisons) {
    int batches = analysis.batches();
    if (batches == 1) {
      return 0.0;
    }
    double t =
        new TDistribution(null, batches - 1.0)
            .inverseCumulativeProbability(1.0 - (1.0 - CONFIDENCE) / 2.0 / comparisons);
    return t * spread.deviation() / Math.sqrt(batches);
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
