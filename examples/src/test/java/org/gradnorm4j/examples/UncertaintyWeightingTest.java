package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

class UncertaintyWeightingTest {
  @TempDir private Path folder;

  /** s ← s − 0.1 (1 − exp(−s) L), from s = 0, by hand. */
  @Test
  void gradientDescent_losses2And05() {
    LogVariances s = new LogVariances(new Sgd(0.1));

    double[] first = s.update(new double[] {2.0, 0.5}, 0);
    // s = −0.1 (1 − 2) = 0.1 and −0.1 (1 − 0.5) = −0.05
    assertThat(first[0]).isCloseTo(Math.exp(-0.1), within(1e-15));
    assertThat(first[1]).isCloseTo(Math.exp(0.05), within(1e-15));

    double[] second = s.update(new double[] {2.0, 0.5}, 0);
    // 0.1 − 0.1 (1 − 2 · 0.9048374180) = 0.1809674836; −0.05 − 0.1 (1 − 0.5 · 1.0512710964)
    assertThat(second[0]).isCloseTo(Math.exp(-0.1809674836), within(1e-10));
    assertThat(second[1]).isCloseTo(Math.exp(0.0974364452), within(1e-10));
  }

  /** Adam's first step is its learning rate, whatever the loss; but for its ε = 1e-8. */
  @Test
  void adam_firstStep() {
    double[] weights = new LogVariances(new Adam(0.025)).update(new double[] {9900.0, 0.2}, 0);
    assertThat(weights[0]).isCloseTo(Math.exp(-0.025), within(2e-8));
    assertThat(weights[1]).isCloseTo(Math.exp(0.025), within(2e-8));
  }

  /** Where ∂L/∂s = 0: λ L = 1. */
  @Test
  void constantLosses_weightsBecomeTheirInverses() {
    LogVariances s = new LogVariances(new Sgd(0.1));
    double[] weights = {};
    for (int step = 0; step < 2000; step++) {
      weights = s.update(new double[] {4.0, 0.1}, 0);
    }
    assertThat(weights[0]).isCloseTo(0.25, within(1e-9));
    assertThat(weights[1]).isCloseTo(10.0, within(1e-9));
  }

  @Test
  void lossThatIsNotFinite_changesNothing() {
    LogVariances s = new LogVariances(new Adam(0.025));
    double[] before = s.update(new double[] {2.0, 0.5}, 0);
    assertThat(s.update(new double[] {Double.NaN, 0.5}, 0)).containsExactly(before);
    assertThat(s.update(new double[] {1.0, Double.POSITIVE_INFINITY}, 0)).containsExactly(before);
  }

  /** The weights a network was trained with are those that follow from the losses before. */
  @Test
  void inTraining_historyFollowsTheRule() throws IOException {
    CommandRun run =
        CommandRun.of(
            "toy --balancer uncertainty --batch 10 --train-size 30 --test-size 20 --steps 6 --output"
                .concat(" " + folder)
                .split(" "));

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    List<CSVRecord> rows;
    try (CSVParser csv =
        CSVParser.parse(
            Files.newBufferedReader(folder.resolve("history.csv")),
            CSVFormat.RFC4180.builder().setHeader().setSkipHeaderRecord(true).get())) {
      rows = csv.getRecords();
    }
    assertThat(rows).hasSize(6 * 2);
    LogVariances s = new LogVariances(new Adam(0.025));
    double[] weights = {1.0, 1.0};
    for (int step = 0; step < 6; step++) {
      CSVRecord task0 = rows.get(2 * step);
      CSVRecord task1 = rows.get(2 * step + 1);
      assertThat(number(task0, "loss_weight")).isEqualTo(weights[0]);
      assertThat(number(task1, "loss_weight")).isEqualTo(weights[1]);
      weights = s.update(new double[] {number(task0, "loss"), number(task1, "loss")}, 0);
    }
    assertThat(CommandRun.summary(folder).getAsJsonObject().has("alpha")).isFalse();
  }

  private static double number(CSVRecord row, String column) {
    return Double.parseDouble(row.get(column));
  }
}
