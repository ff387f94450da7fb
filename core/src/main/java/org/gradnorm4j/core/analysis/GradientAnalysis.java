package org.gradnorm4j.core.analysis;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.gradnorm4j.core.loss.WeightPenalty;

/**
 * What {@link GradientNorms} found: the gradient of every part of the loss L = &Sigma;
 * &lambda;<sub>i</sub> L<sub>i</sub>, over all parameters, over each layer, and over the selections
 * asked for. Immutable. Every number is a mean over the batches, with its deviation.
 *
 * <p>{@link #toString()} is a table for a terminal.
 *
 * @param batches how many were analysed
 * @param dominance the share above which a part is said to dominate
 * @param rounding how far rounding alone may carry a cosine from 0: &radic;&epsilon; of the
 *     network's data type (3e-4 for FLOAT, 1e-8 for DOUBLE)
 * @param parameters the groups of parameters: {@link #ALL}, then each layer by its name, then the
 *     selections
 */
public record GradientAnalysis(
    int batches, double dominance, double rounding, List<Parameters> parameters) {
  /** The name of the group of all parameters. */
  public static final String ALL = "all parameters";

  /**
   * A quantity over the batches.
   *
   * @param mean arithmetic mean; NaN where the quantity is not defined, such as the angle to a
   *     gradient of zero
   * @param deviation sample standard deviation; 0 for one batch
   */
  public record Spread(double mean, double deviation) {}

  /**
   * One part of the loss, over one group of parameters. With g<sub>i</sub> = &nabla;L<sub>i</sub>,
   * the gradient of the mean over the minibatch.
   *
   * @param name of the part
   * @param penalty whether it is a penalty on the parameters, which no data enters: a {@link
   *     WeightPenalty}, or Deeplearning4j's own
   * @param lossWeight &lambda;<sub>i</sub>
   * @param loss L<sub>i</sub>, without &lambda;<sub>i</sub>
   * @param norm &#8214;g<sub>i</sub>&#8214;: how sensitive the part is to these parameters
   * @param weightedNorm &lambda;<sub>i</sub>&#8214;g<sub>i</sub>&#8214;: what it contributes
   * @param share &lambda;<sub>i</sub>&#8214;g<sub>i</sub>&#8214; over the sum of all parts'
   * @param cosineWithTotal of the angle between g<sub>i</sub> and &Sigma;
   *     &lambda;<sub>j</sub>g<sub>j</sub>
   * @param cosines of the angles between g<sub>i</sub> and g<sub>j</sub>, by the name of part j
   */
  public record Part(
      String name,
      boolean penalty,
      double lossWeight,
      Spread loss,
      Spread norm,
      Spread weightedNorm,
      Spread share,
      Spread cosineWithTotal,
      Map<String, Spread> cosines) {

    /**
     * Makes the map unmodifiable.
     *
     * @param name see above
     * @param penalty see above
     * @param lossWeight see above
     * @param loss see above
     * @param norm see above
     * @param weightedNorm see above
     * @param share see above
     * @param cosineWithTotal see above
     * @param cosines copied
     */
    public Part {
      cosines = Collections.unmodifiableMap(new LinkedHashMap<>(cosines));
    }
  }

  /**
   * All parts over one group of parameters.
   *
   * @param name of the group: {@link #ALL}, a layer, or a selection
   * @param parts in the order of the tasks
   * @param agreement &#8214;&Sigma; &lambda;<sub>i</sub>g<sub>i</sub>&#8214; / &Sigma;
   *     &#8214;&lambda;<sub>i</sub>g<sub>i</sub>&#8214;: 1 if all pull the same way, 0 if they
   *     cancel
   * @param effectiveRank of the Gram matrix of the weighted gradients: in how many directions they
   *     pull, from 1 to the number of parts (Roy and Vetterli, 2007)
   */
  public record Parameters(String name, List<Part> parts, Spread agreement, Spread effectiveRank) {

    /**
     * Copies.
     *
     * @param name see above
     * @param parts copied
     * @param agreement see above
     * @param effectiveRank see above
     */
    public Parameters {
      parts = List.copyOf(parts);
    }

    /**
     * A part by its name.
     *
     * @param part its name
     * @return the part
     * @throws IllegalArgumentException if there is none of that name
     */
    public Part part(String part) {
      return parts.stream()
          .filter(each -> each.name().equals(part))
          .findFirst()
          .orElseThrow(
              () ->
                  new IllegalArgumentException(
                      String.format(
                          Locale.ROOT,
                          "there is no part '%s'. Parts: %s",
                          part,
                          parts.stream().map(Part::name).toList())));
    }
  }

  /**
   * Copies.
   *
   * @param batches see above
   * @param dominance see above
   * @param rounding see above
   * @param parameters copied
   */
  public GradientAnalysis {
    parameters = List.copyOf(parameters);
  }

  /**
   * The parts over all parameters.
   *
   * @return the first group
   */
  public Parameters all() {
    return parameters.get(0);
  }

  /**
   * The parts over one group of parameters.
   *
   * @param name a layer, a selection, or {@link #ALL}
   * @return the group
   * @throws IllegalArgumentException if there is none of that name
   */
  public Parameters parameters(String name) {
    return parameters.stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    String.format(
                        Locale.ROOT,
                        "there is no group '%s'. Groups: %s",
                        name,
                        parameters.stream().map(Parameters::name).toList())));
  }

  /**
   * What the numbers over all parameters say: which part dominates (its mean share of the update is
   * above the threshold), which parts are in conflict (the cosine between them is negative), or
   * that they are balanced.
   *
   * <p>A cosine counts as negative if it is so beyond {@link #rounding()} and beyond the noise of
   * the batches: below 0 by more than half its 95 % confidence interval (Student's t, Bonferroni
   * over the pairs), which is stated as &plusmn;. One batch does not show how noisy it is: what is
   * said then is said of this batch.
   *
   * @return one sentence per finding, joined by semicolons
   */
  public String verdict() {
    return new AnalysisVerdict(this).toString();
  }

  /**
   * Static weights that would make the weighted norms over all parameters equal: proportional to 1
   * / &#8214;g<sub>i</sub>&#8214;, with &Sigma; &lambda;<sub>i</sub> as it is. Where GradNorm with
   * &alpha; = 0 would settle if the gradients stayed as they are.
   *
   * <p>Penalties are a means and no task, and keep their weights: their gradient fades as the
   * weights do, so that equal norms would give them nearly everything. A part without a gradient
   * keeps its weight too.
   *
   * @return &lambda;<sub>i</sub> by part name; unmodifiable
   */
  public Map<String, Double> suggestedLossWeights() {
    double weights = 0.0;
    double inverseNorms = 0.0;
    for (Part part : all().parts()) {
      if (isBalanced(part)) {
        weights += part.lossWeight();
        inverseNorms += 1.0 / part.norm().mean();
      }
    }
    Map<String, Double> suggested = new LinkedHashMap<>();
    for (Part part : all().parts()) {
      double weight =
          isBalanced(part) ? weights / (part.norm().mean() * inverseNorms) : part.lossWeight();
      suggested.put(part.name(), weight);
    }
    return Collections.unmodifiableMap(suggested);
  }

  private static boolean isBalanced(Part part) {
    return !part.penalty() && part.norm().mean() > 0.0;
  }

  /**
   * All numbers as CSV (RFC 4180): a row per group of parameters and part, means and deviations
   * with all their digits, and a column for the cosine with each part.
   *
   * @return the text, with a header
   */
  public String toCsv() {
    return new AnalysisText(this).csv();
  }

  /**
   * All numbers, the verdict and the suggested weights as a JSON object, names in lower case with
   * underscores. What is not a finite number is null.
   *
   * @return the text
   */
  public String toJson() {
    return new AnalysisText(this).json();
  }

  /** A table for a terminal, 80 columns wide for up to six parts. */
  @Override
  public String toString() {
    return new AnalysisText(this).table();
  }
}
