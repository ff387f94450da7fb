package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The {@code composite} command from options to files. */
class CompositeCommandTest {
  private static final double L2 = 1e-3;

  @TempDir private Path folder;

  /** 4,000 digits in minibatches of 1,000: four steps. */
  @Test
  void bothBalancers_analyseThreeTimesEach_andCompare() throws IOException {
    CommandRun run = composite("--batch", "1000", "--epochs", "1");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .containsSubsequence(
            "composite: 4000 training and 1000 test examples, tasks [cross-entropy, L2]",
            "static",
            "gradients before training",
            "gradients after 2 of 4 steps",
            "epoch 1  step 4/4  test loss",
            "gradients after training",
            "gradnorm",
            "gradients before training",
            "gradients after 2 of 4 steps",
            "epoch 1  step 4/4  test loss",
            "gradients after training",
            "cross-entropy loss weight",
            "cross-entropy accuracy",
            "L2 penalty",
            "training seconds");
    assertThat(run.out().split("verdict: ")).hasSize(1 + 2 * 3);
    assertThat(run.out().lines().filter(line -> !line.contains(folder.toString())))
        .allSatisfy(line -> assertThat(line.startsWith("verdict") || line.length() <= 80).isTrue());
    assertThat(Files.readAllLines(folder.resolve("history-static.csv"))).hasSize(1 + 4 * 2);
    assertThat(Files.readAllLines(folder.resolve("history.csv"))).hasSize(1 + 4 * 2);
    JsonArray runs = CommandRun.summary(folder).getAsJsonArray();
    assertSummary(runs.get(0).getAsJsonObject(), "static");
    assertSummary(runs.get(1).getAsJsonObject(), "gradnorm");
    assertAnalysis(runs.get(0).getAsJsonObject());
    assertAnalysis(runs.get(1).getAsJsonObject());
  }

  /** The first step is the same; what GradNorm moves is seen from the second on. */
  @Test
  void gradNorm_beginsAsConfigured_andKeepsTheSum() throws IOException {
    composite("--batch", "1000", "--epochs", "1", "--l2", "0.05");

    List<String> configured = Files.readAllLines(folder.resolve("history-static.csv"));
    List<String> balanced = Files.readAllLines(folder.resolve("history.csv"));
    for (int row = 1; row < 3; row++) {
      assertThat(balanced.get(row).split(",")).startsWith(measured(configured.get(row)));
    }
    assertThat(lossWeight(configured.get(1))).isEqualTo(1.0);
    assertThat(lossWeight(configured.get(2))).isEqualTo(0.05);
    assertThat(lossWeight(configured.get(7))).isCloseTo(1.0, within(1e-12));
    assertThat(lossWeight(configured.get(8))).isCloseTo(0.05, within(1e-12));
    assertThat(lossWeight(balanced.get(8))).isGreaterThan(0.05);
    assertThat(lossWeight(balanced.get(7)) + lossWeight(balanced.get(8)))
        .isCloseTo(1.05, within(1e-12));
  }

  @Test
  void learnsToReadDigits() throws IOException {
    composite("--balancer", "static");

    assertThat(crossEntropy(CommandRun.summary(folder)).get("test_accuracy").getAsDouble())
        .isGreaterThan(0.9);
    assertThat(folder.resolve("history.csv")).exists();
    assertThat(folder.resolve("history-static.csv")).doesNotExist();
    assertThat(folder.resolve("analysis-gradnorm.json")).doesNotExist();
  }

  @Test
  void idxFolder_oneStep_analysesBeforeAndAfter() throws IOException {
    IdxFolder files = new IdxFolder(folder);
    files.writeSplit("train", 20, ".gz");
    files.writeSplit("t10k", 10, "");

    CommandRun run = composite("--mnist", "" + folder, "--epochs", "1", "--balancer", "GradNorm");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("composite: 20 training and 10 test examples");
    assertThat(run.out().split("verdict: ")).hasSize(1 + 2);
    assertThat(CommandRun.summary(folder).getAsJsonObject().get("steps").getAsInt()).isEqualTo(1);
  }

  @Test
  void divergedRun_leavesOutWhatIsNotANumber() throws IOException {
    CommandRun run =
        composite(
            "--balancer", "static", "--learning-rate", "1e30", "--batch", "1000", "--epochs", "1");

    assertThat(run.exitCode()).isZero();
    assertThat(Files.readString(folder.resolve("summary.json"))).doesNotContain("NaN");
    assertThat(Files.readString(folder.resolve("analysis-static.json"))).doesNotContain("NaN");
  }

  /** An additive update may take a weight below zero, of which there is no analysis. */
  @Test
  void negativeLossWeight_exitCode1_andOneLine() {
    CommandRun run =
        composite(
            "--balancer",
            "gradnorm",
            "--weight-update",
            "additive",
            "--l2",
            "1",
            "--weight-learning-rate",
            "0.45",
            "--batch",
            "250",
            "--epochs",
            "1");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .contains("loss weight (-")
        .contains("must be >= 0")
        .contains("Use --weight-update multiplicative")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --l2 -1 | --l2 (-1.0) must be > 0 and finite. 0.001 is the default
          --l2 0 | --l2 (0.0) must be > 0 and finite. 0.001 is the default
          --l2 NaN | --l2 (NaN) must be > 0 and finite. 0.001 is the default
          --l2 Infinity | --l2 (Infinity) must be > 0 and finite. 0.001 is the default
          --epochs 0 | --epochs (0) must be >= 1. 3 is the default
          --alpha NaN | --alpha (NaN) must be >= 0
          --balancer equal | '--balancer'
          --steps 3 | '--steps'
          """)
  void badOption_exitCode2_andOneLine(String options, String message) {
    CommandRun run = composite(options.split(" "));

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(message).contains("--help").hasLineCount(1);
    assertThat(run.out()).isEmpty();
  }

  /** Fixed weights have one name per kind of network. */
  @Test
  void staticIsOfThisCommandOnly() {
    CommandRun run = CommandRun.of("toy", "--balancer", "static");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("'--balancer'").contains("[EQUAL, UNCERTAINTY, GRADNORM]");
  }

  @Test
  void help_exitCode0() {
    CommandRun run = CommandRun.of("composite", "--help");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("Usage: examples composite").contains("static, gradnorm");
  }

  private CommandRun composite(String... more) {
    List<String> args = new ArrayList<>(List.of("composite", "--output", folder.toString()));
    args.addAll(List.of(more));
    return CommandRun.of(args.toArray(String[]::new));
  }

  private static void assertSummary(JsonObject run, String balancer) {
    List<String> keys =
        new ArrayList<>(
            List.of("command", "balancer", "seed", "alpha", "steps", "seconds", "tasks"));
    if (balancer.equals("static")) {
      keys.remove("alpha");
    }
    assertThat(run.keySet()).containsExactlyElementsOf(keys);
    assertThat(run.get("command").getAsString()).isEqualTo("composite");
    assertThat(run.get("balancer").getAsString()).isEqualTo(balancer);
    assertThat(run.get("steps").getAsInt()).isEqualTo(4);
    assertThat(crossEntropy(run).keySet())
        .containsExactly("loss_weight", "train_loss", "test_loss", "test_accuracy");
    assertThat(crossEntropy(run).get("test_accuracy").getAsDouble()).isBetween(0.0, 1.0);
    assertThat(penalty(run).keySet()).containsExactly("loss_weight", "train_loss");
    double sum =
        crossEntropy(run).get("loss_weight").getAsDouble()
            + penalty(run).get("loss_weight").getAsDouble();
    assertThat(sum).isCloseTo(1.0 + L2, within(1e-12));
  }

  /** It is the one after training: weights, and the penalty's value, are the summary's. */
  private void assertAnalysis(JsonObject run) throws IOException {
    Path json = folder.resolve("analysis-" + run.get("balancer").getAsString() + ".json");
    JsonObject analysis = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
    assertThat(analysis.get("batches").getAsInt()).isEqualTo(4);
    JsonArray groups = analysis.getAsJsonArray("parameters");
    assertThat(groups)
        .extracting(group -> group.getAsJsonObject().get("name").getAsString())
        .containsExactly("all parameters", "hidden", "output");
    JsonObject part =
        groups.get(0).getAsJsonObject().getAsJsonArray("parts").get(1).getAsJsonObject();
    assertThat(part.get("name").getAsString()).isEqualTo("L2");
    assertThat(part.get("loss_weight")).isEqualTo(penalty(run).get("loss_weight"));
    assertThat(part.getAsJsonObject("loss").get("mean").getAsDouble())
        .isCloseTo(penalty(run).get("train_loss").getAsDouble(), within(1e-6));
    Path csv = folder.resolve("analysis-" + run.get("balancer").getAsString() + ".csv");
    assertThat(Files.readAllLines(csv)).hasSize(1 + 3 * 2);
  }

  private static JsonObject crossEntropy(JsonElement run) {
    return run.getAsJsonObject().getAsJsonObject("tasks").getAsJsonObject("cross-entropy");
  }

  private static JsonObject penalty(JsonElement run) {
    return run.getAsJsonObject().getAsJsonObject("tasks").getAsJsonObject("L2");
  }

  /** Up to the gradient norm. */
  private static String[] measured(String row) {
    return Arrays.copyOf(row.split(","), 6);
  }

  private static double lossWeight(String row) {
    return Double.parseDouble(row.split(",", -1)[4]);
  }
}
