package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Numbers and words of the comparison. */
class TableAnswerTest {
  private static final List<TableTask> TASKS =
      List.of(
          new TableTask("y", TaskKind.REGRESSION, 0),
          new TableTask("k", TaskKind.CLASSIFICATION, 3));

  /** t for two degrees of freedom is 4.302653, s is 1. */
  @Test
  void interval_byStudentsT() {
    Interval interval = Interval.of(new double[] {1, 2, 3}, 0.0);
    assertThat(interval.mean()).isEqualTo(2.0);
    assertThat(interval.halfWidth()).isCloseTo(4.302653 / Math.sqrt(3), within(1e-6));
    assertThat(Interval.of(new double[] {1, 2, 3}, 0.25).halfWidth())
        .isCloseTo(4.302653 * Math.sqrt(1.0 / 3 + 0.25), within(1e-6));
    assertThat(Interval.of(new double[] {1}, 0.25).verdict()).isEqualTo(Verdict.UNKNOWN);
  }

  @Test
  void verdict_asksWhether0IsInTheInterval() {
    assertThat(new Interval(-1, 0.9).verdict()).isEqualTo(Verdict.BETTER);
    assertThat(new Interval(1, 0.9).verdict()).isEqualTo(Verdict.WORSE);
    assertThat(new Interval(-1, 1).verdict()).isEqualTo(Verdict.NO_DIFFERENCE);
    assertThat(new Interval(0, 0).verdict()).isEqualTo(Verdict.NO_DIFFERENCE);
    assertThat(new Interval(Double.NaN, Double.NaN).verdict()).isEqualTo(Verdict.UNKNOWN);
  }

  /** Seeds that differ much, but methods that differ little: paired, the difference shows. */
  @Test
  void differences_arePaired() {
    TableResults results = results(new double[] {-1.0, -1.1, -0.9}, new double[] {0, 0, 0});
    assertThat(results.difference(TableMethod.GRADNORM, 0).mean()).isCloseTo(-1.0, within(1e-12));
    assertThat(results.difference(TableMethod.GRADNORM, 0).halfWidth())
        .isCloseTo(4.302653 * 0.1 / Math.sqrt(3), within(1e-6));
    assertThat(results.error(TableMethod.EQUAL, 0).halfWidth()).isGreaterThan(10.0);
  }

  @Test
  void answer_saysItInWords() {
    double[] less = {-1.0, -1.1, -0.9};
    double[] more = {1.0, 1.1, 0.9};
    double[] mixed = {-1.0, 1.1, 0.1};
    double[] diverged = {Double.NaN, 1.0, 1.0};

    assertThat(needed(mixed, mixed))
        .isEqualTo(
            "No: equal weights do as well, as far as this shows. No difference shown on any"
                + " target.");
    assertThat(needed(less, mixed))
        .isEqualTo("It helps: GradNorm is better on y, no difference shown on k.");
    assertThat(needed(less, less)).isEqualTo("It helps: GradNorm is better on y, k.");
    assertThat(needed(mixed, more))
        .isEqualTo(
            "No, it does harm: GradNorm is worse on k, no difference shown on y. Stay with equal"
                + " weights.");
    assertThat(needed(less, more)).isEqualTo("It is a trade: GradNorm is better on y, worse on k.");
    assertThat(needed(diverged, diverged)).contains("cannot be told").contains("diverged");
    assertThat(needed(diverged, less))
        .isEqualTo("It helps: GradNorm is better on k. It cannot be told for y.");
    assertThat(needed(mixed, diverged))
        .isEqualTo(
            "No: equal weights do as well, as far as this shows. No difference shown on any other"
                + " target. It cannot be told for k.");
  }

  /** 0.1, 0.2, 0.3 and 3: the mean is 0.9, s is 1.4, and t for three degrees of freedom 3.18. */
  @Test
  void seedsThatAgree_areMentioned() {
    double[] uneven = {0.1, 0.2, 0.3, 3.0};
    double[] mixed = {0.1, -0.2, 0.3, 3.0};
    double[] clear = {1.0, 1.1, 0.9, 1.0};
    assertThat(new TableAnswer(TASKS, results(uneven, mixed)).unanimous())
        .containsExactly(
            "Yet GradNorm was worse on y in all 4 seeds, by amounts too different to tell. Try more"
                + " --seeds.");
    assertThat(new TableAnswer(TASKS, results(clear, mixed)).unanimous()).isEmpty();
  }

  @Test
  void diverged_isPrintedAsSuch() {
    StringWriter out = new StringWriter();
    new TableAnswer(TASKS, results(new double[] {Double.NaN, 1, 1}, new double[] {1, 2, 3}))
        .print(new PrintWriter(out, true));
    assertThat(out.toString()).contains("diverged").contains("cannot be told for y");
  }

  private static String needed(double[] ofY, double[] ofK) {
    return new TableAnswer(TASKS, results(ofY, ofK)).needed();
  }

  /** Equal weights have errors 10, 20, 30; GradNorm that plus the differences given. */
  private static TableResults results(double[] ofY, double[] ofK) {
    TableResults results = new TableResults(0.0);
    for (int seed = 0; seed < ofY.length; seed++) {
      double equal = 10.0 * (seed + 1);
      results.add(
          Map.of(
              TableMethod.EQUAL, new double[] {equal, equal},
              TableMethod.GRADNORM, new double[] {equal + ofY[seed], equal + ofK[seed]},
              TableMethod.ALONE, new double[] {equal + ofY[seed], equal + ofK[seed]}),
          new double[] {1.5, 0.5});
    }
    return results;
  }
}
