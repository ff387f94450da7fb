package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands from options to files, at a size that takes seconds. */
class CommandsTest {
  /** Of every balancer; the strategy's own columns follow. */
  private static final String FIRST_COLUMNS =
      "iteration,epoch,task,loss,loss_weight,gradient_norm,weighted_gradient_norm,";

  @TempDir private Path folder;

  @Test
  void toy_bothBalancers_writesAnArrayAndTwoHistories() throws IOException {
    CommandRun run =
        toy("--tasks", "3", "--sigmas", "1,5,10", "--train-size", "25", "--steps", "5");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    JsonArray runs = CommandRun.summary(folder).getAsJsonArray();
    assertThat(runs).hasSize(2);
    JsonObject equal = runs.get(0).getAsJsonObject();
    assertThat(equal.keySet())
        .containsExactly(
            "command", "balancer", "seed", "steps", "seconds", "tasks", "normalized_test_loss");
    assertThat(equal.get("balancer").getAsString()).isEqualTo("equal");
    JsonObject task = equal.getAsJsonObject("tasks").getAsJsonObject("task2");
    assertThat(task.keySet()).containsExactly("loss_weight", "train_loss", "test_loss");
    assertThat(task.get("loss_weight").getAsDouble()).isEqualTo(1.0);
    JsonObject gradNorm = runs.get(1).getAsJsonObject();
    assertThat(gradNorm.get("balancer").getAsString()).isEqualTo("gradnorm");
    assertThat(gradNorm.get("alpha").getAsDouble()).isEqualTo(0.12);
    assertHistory("history-equal.csv", 5 * 3);
    assertHistory("history.csv", 5 * 3);
  }

  /** 25 examples in minibatches of 10: three steps an epoch, the third with 5. */
  @Test
  void history_countsEpochs_andRunsStartAlike() throws IOException {
    toy("--train-size", "25", "--steps", "5");

    List<String> equal = Files.readAllLines(folder.resolve("history-equal.csv"));
    List<String> gradNorm = Files.readAllLines(folder.resolve("history.csv"));
    assertThat(equal.get(6)).startsWith("2,0,task1,");
    assertThat(equal.get(7)).startsWith("3,1,task0,");
    // Same parameters, same minibatch: the first step's losses and norms agree to the last bit.
    assertThat(measured(gradNorm).subList(1, 3)).isEqualTo(measured(equal).subList(1, 3));
    assertThat(measured(gradNorm).get(3)).isNotEqualTo(measured(equal).get(3));
  }

  /** Up to the gradient norm. */
  private static List<String> measured(List<String> lines) {
    return lines.stream()
        .map(line -> String.join(",", List.of(line.split(",")).subList(0, 6)))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"equal", "gradnorm", "GradNorm"})
  void oneBalancer_writesAnObjectAndOneHistory(String balancer) throws IOException {
    CommandRun run = toy("--balancer", balancer, "--train-size", "25", "--steps", "2");

    assertThat(run.exitCode()).isZero();
    JsonObject summary = CommandRun.summary(folder).getAsJsonObject();
    assertThat(summary.has("alpha")).isEqualTo(!balancer.equals("equal"));
    assertHistory("history.csv", 2 * 2);
    assertThat(folder.resolve("history-equal.csv")).doesNotExist();
  }

  @Test
  void divergedRun_leavesOutWhatIsNotANumber() throws IOException {
    CommandRun run =
        toy("--balancer", "equal", "--learning-rate", "1e30", "--train-size", "25", "--steps", "9");

    assertThat(run.exitCode()).isZero();
    assertThat(Files.readString(folder.resolve("summary.json"))).doesNotContain("NaN");
    JsonObject summary = CommandRun.summary(folder).getAsJsonObject();
    assertThat(summary.has("normalized_test_loss")).isFalse();
  }

  @Test
  void multimnist_bundledDigits_hasAccuracies() throws IOException {
    CommandRun run =
        CommandRun.of(
            "multimnist",
            "--steps",
            "2",
            "--batch",
            "8",
            "--pairings",
            "1",
            "--output",
            "" + folder);

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    JsonArray runs = CommandRun.summary(folder).getAsJsonArray();
    JsonObject tasks = runs.get(1).getAsJsonObject().getAsJsonObject("tasks");
    assertThat(tasks.keySet()).containsExactly("left", "right");
    for (String task : tasks.keySet()) {
      double accuracy = tasks.getAsJsonObject(task).get("test_accuracy").getAsDouble();
      assertThat(accuracy).isBetween(0.0, 1.0);
    }
    assertHistory("history.csv", 2 * 2);
  }

  @Test
  void multimnist_idxFolder_trainsAllEpochs() throws IOException {
    IdxFolder files = new IdxFolder(folder);
    files.writeSplit("train", 20, ".gz");
    files.writeSplit("t10k", 10, "");
    Path output = folder.resolve("a/b");

    CommandRun run =
        CommandRun.of(
            "multimnist",
            "--mnist",
            "" + folder,
            "--pairings",
            "2",
            "--batch",
            "16",
            "--epochs",
            "2",
            "--balancer",
            "gradnorm",
            "--output",
            "" + output);

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    JsonObject summary = CommandRun.summary(output).getAsJsonObject();
    assertThat(summary.get("steps").getAsInt()).isEqualTo(2 * 3); // 40 pictures, 16 a step
    assertThat(summary.get("command").getAsString()).isEqualTo("multimnist");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          toy --seed 0 | --seed (0) must be >= 1
          toy --alpha -0.5 | --alpha (-0.5) must be >= 0
          toy --alpha NaN | --alpha (NaN) must be >= 0
          toy --batch 0 | --batch (0) must be >= 1
          toy --steps 0 | --steps (0) must be >= 1
          toy --learning-rate 0 | --learning-rate (0.0) must be > 0
          toy --weight-learning-rate -1 | --weight-learning-rate (-1.0) must be > 0
          toy --tasks 1 | --tasks (1) must be >= 2
          toy --tasks 3 | --tasks (3) has default scales for 2 and 10 only
          toy --tasks 3 --sigmas 1,2 | --sigmas ([1.0, 2.0]) must have one value per task
          toy --sigmas 1,0 | --sigmas (0.0) must be > 0
          toy --train-size 0 | --train-size (0) must be >= 1
          toy --test-size 0 | --test-size (0) must be >= 1
          toy --inputs cubes | '--inputs'
          toy --balancer dwa | '--balancer'
          toy --epochs 3 | '--epochs'
          multimnist --epochs 0 | --epochs (0) must be >= 1
          multimnist --pairings 0 | --pairings (0) must be >= 1
          multimnist --steps 0 | --steps (0) must be >= 1
          nonsense | nonsense
          """)
  void badOption_exitCode2_andOneLine(String command, String message) {
    CommandRun run = CommandRun.of(command.split(" "));

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(message).contains("--help").hasLineCount(1);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void listsWithSpaces_areRead() throws IOException {
    CommandRun run =
        toy(
            "--balancer",
            "equal, gradnorm",
            "--sigmas",
            "1, 5 ,10",
            "--train-size",
            "25",
            "--steps",
            "1");
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(CommandRun.summary(folder).getAsJsonArray()).hasSize(2);
    assertHistory("history.csv", 3);
  }

  @Test
  void mnistIsAFile_isToldSo() throws IOException {
    Path file = Files.createFile(folder.resolve("train-images-idx3-ubyte"));
    for (String command : List.of("multimnist", "composite")) {
      CommandRun run =
          CommandRun.of(command, "--mnist", file.toString(), "--output", folder.toString());
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.err()).contains("--mnist (" + file + ") must be a folder.").hasLineCount(1);
    }
  }

  @Test
  void noCommand_exitCode2() {
    CommandRun run = CommandRun.of();
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("Missing required subcommand").hasLineCount(1);
  }

  @Test
  void outputIsAFile_exitCode2() throws IOException {
    Path file = Files.createFile(folder.resolve("taken"));
    CommandRun run = CommandRun.of("toy", "--output", file.toString());
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err())
        .contains("--output (" + file + ") must be a folder that can be written to")
        .hasLineCount(1);
  }

  @Test
  void badData_exitCode1_andOneLine() {
    Path nowhere = folder.resolve("nowhere");
    CommandRun run =
        CommandRun.of("multimnist", "--mnist", nowhere.toString(), "--output", folder.toString());
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("--mnist (" + nowhere + ")").hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--help", "toy --help", "multimnist --help"})
  void help_exitCode0(String command) {
    CommandRun run = CommandRun.of(command.split(" "));
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("Usage: examples");
  }

  private CommandRun toy(String... more) {
    List<String> args = new ArrayList<>(List.of("toy", "--batch", "10"));
    args.addAll(List.of("--test-size", "20", "--output", folder.toString()));
    args.addAll(List.of(more));
    return CommandRun.of(args.toArray(String[]::new));
  }

  private void assertHistory(String name, int rows) throws IOException {
    assertThat(Files.readAllLines(folder.resolve(name))).hasSize(1 + rows);
    assertThat(Files.readAllLines(folder.resolve(name)).get(0)).startsWith(FIRST_COLUMNS);
  }
}
