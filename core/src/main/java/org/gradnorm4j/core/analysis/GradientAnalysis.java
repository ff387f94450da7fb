package org.gradnorm4j.core.analysis;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.gradnorm4j.core.loss.WeightPenalty;

/**
 * What {@link GradientNorms} found: the gradient of every part of the loss L = &Sigma;
 * &lambda;<sub>i</sub> L<sub>i</sub>, over all parameters, over each layer, and over the selections
 * asked for. Immutable. Every number is a mean over the batches, with its deviation.
 *
 * <p>{@link #toString()} is a table for a terminal.
 */
// The names of fields, here and in the classes inside, are those of toJson().
public final class GradientAnalysis {
  /** The name of the group of all parameters. */
  public static final String ALL = "all parameters";

  private final int batches;
  private final double dominance;
  private final double rounding;
  private final List<Parameters> parameters;

  GradientAnalysis(int batches, double dominance, double rounding, List<Parameters> parameters) {
    this.batches = batches;
    this.dominance = dominance;
    this.rounding = rounding;
    this.parameters = List.copyOf(parameters);
  }

  /**
   * A quantity over the batches: its arithmetic mean, and its sample standard deviation. Immutable.
   */
  public static final class Spread {
    private final double mean;
    private final double deviation;

    Spread(double mean, double deviation) {
      this.mean = mean;
      this.deviation = deviation;
    }

    /**
     * The mean.
     *
     * @return NaN where the quantity is not defined, such as the angle to a gradient of zero
     */
    public double mean() {
      return mean;
    }

    /**
     * The deviation.
     *
     * @return 0 for one batch
     */
    public double deviation() {
      return deviation;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Spread that
          && Double.compare(mean, that.mean) == 0
          && Double.compare(deviation, that.deviation) == 0;
    }

    @Override
    public int hashCode() {
      return Objects.hash(mean, deviation);
    }

    @Override
    public String toString() {
      return mean + " ± " + deviation;
    }
  }

  /**
   * One part of the loss, over one group of parameters. With g<sub>i</sub> = &nabla;L<sub>i</sub>,
   * the gradient of the mean over the minibatch. Immutable.
   */
  public static final class Part {
    private final String name;
    private final boolean penalty;
    private final double lossWeight;
    private final Spread loss;
    private final Spread norm;
    private final Spread weightedNorm;
    private final Spread share;
    private final Spread cosineWithTotal;
    private final Map<String, Spread> cosines;

    Part(
        String name,
        boolean penalty,
        double lossWeight,
        Spread loss,
        Spread norm,
        Spread weightedNorm,
        Spread share,
        Spread cosineWithTotal,
        Map<String, Spread> cosines) {
      this.name = name;
      this.penalty = penalty;
      this.lossWeight = lossWeight;
      this.loss = loss;
      this.norm = norm;
      this.weightedNorm = weightedNorm;
      this.share = share;
      this.cosineWithTotal = cosineWithTotal;
      this.cosines = Collections.unmodifiableMap(new LinkedHashMap<>(cosines));
    }

    /**
     * The name.
     *
     * @return of the output, the term or the penalty
     */
    public String name() {
      return name;
    }

    /**
     * Whether it is a penalty on the parameters, which no data enters.
     *
     * @return true for a {@link WeightPenalty}, and for Deeplearning4j's own
     */
    public boolean penalty() {
      return penalty;
    }

    /**
     * The weight.
     *
     * @return &lambda;<sub>i</sub>
     */
    public double lossWeight() {
      return lossWeight;
    }

    /**
     * The loss.
     *
     * @return L<sub>i</sub>, without &lambda;<sub>i</sub>
     */
    public Spread loss() {
      return loss;
    }

    /**
     * How sensitive the part is to these parameters.
     *
     * @return &#8214;g<sub>i</sub>&#8214;
     */
    public Spread norm() {
      return norm;
    }

    /**
     * What the part contributes.
     *
     * @return &lambda;<sub>i</sub>&#8214;g<sub>i</sub>&#8214;
     */
    public Spread weightedNorm() {
      return weightedNorm;
    }

    /**
     * What it contributes, of all.
     *
     * @return &lambda;<sub>i</sub>&#8214;g<sub>i</sub>&#8214; over the sum of all parts'
     */
    public Spread share() {
      return share;
    }

    /**
     * How far it pulls the way the whole update goes.
     *
     * @return cosine of the angle between g<sub>i</sub> and &Sigma;
     *     &lambda;<sub>j</sub>g<sub>j</sub>
     */
    public Spread cosineWithTotal() {
      return cosineWithTotal;
    }

    /**
     * How far it pulls the way each part does.
     *
     * @return cosines of the angles between g<sub>i</sub> and g<sub>j</sub>, by the name of part j;
     *     unmodifiable
     */
    public Map<String, Spread> cosines() {
      return cosines;
    }

    private List<Object> values() {
      return List.of(
          name, penalty, lossWeight, loss, norm, weightedNorm, share, cosineWithTotal, cosines);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Part that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
      return values().hashCode();
    }

    @Override
    public String toString() {
      return "Part" + values();
    }
  }

  /** All parts over one group of parameters. Immutable. */
  public static final class Parameters {
    private final String name;
    private final List<Part> parts;
    private final Spread agreement;
    private final Spread effectiveRank;

    Parameters(String name, List<Part> parts, Spread agreement, Spread effectiveRank) {
      this.name = name;
      this.parts = List.copyOf(parts);
      this.agreement = agreement;
      this.effectiveRank = effectiveRank;
    }

    /**
     * The name of the group.
     *
     * @return {@link #ALL}, a layer, or a selection
     */
    public String name() {
      return name;
    }

    /**
     * The parts.
     *
     * @return in the order of the tasks; unmodifiable
     */
    public List<Part> parts() {
      return parts;
    }

    /**
     * How far the parts pull the same way.
     *
     * @return &#8214;&Sigma; &lambda;<sub>i</sub>g<sub>i</sub>&#8214; / &Sigma;
     *     &#8214;&lambda;<sub>i</sub>g<sub>i</sub>&#8214;: 1 if all do, 0 if they cancel
     */
    public Spread agreement() {
      return agreement;
    }

    /**
     * In how many directions the parts pull.
     *
     * @return effective rank of the Gram matrix of the weighted gradients, from 1 to the number of
     *     parts (Roy and Vetterli, 2007)
     */
    public Spread effectiveRank() {
      return effectiveRank;
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

    private List<Object> values() {
      return List.of(name, parts, agreement, effectiveRank);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Parameters that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
      return values().hashCode();
    }

    @Override
    public String toString() {
      return "Parameters" + values();
    }
  }

  /**
   * How many batches were analysed.
   *
   * @return their number, &ge; 1
   */
  public int batches() {
    return batches;
  }

  /**
   * The share above which a part is said to dominate.
   *
   * @return from 0 to 1
   */
  public double dominance() {
    return dominance;
  }

  /**
   * How far rounding alone may carry a cosine from 0.
   *
   * @return &radic;&epsilon; of the network's data type: 3e-4 for FLOAT, 1e-8 for DOUBLE
   */
  public double rounding() {
    return rounding;
  }

  /**
   * The groups of parameters.
   *
   * @return {@link #ALL}, then each layer by its name, then the selections; unmodifiable
   */
  public List<Parameters> parameters() {
    return parameters;
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

  @Override
  public boolean equals(Object other) {
    return other instanceof GradientAnalysis that
        && batches == that.batches
        && Double.compare(dominance, that.dominance) == 0
        && Double.compare(rounding, that.rounding) == 0
        && parameters.equals(that.parameters);
  }

  @Override
  public int hashCode() {
    return Objects.hash(batches, dominance, rounding, parameters);
  }

  /** A table for a terminal, 80 columns wide for up to six parts. */
  @Override
  public String toString() {
    return new AnalysisText(this).table();
  }
}
