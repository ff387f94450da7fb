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
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The {@code csv} command from options to files, on a table of seconds. */
class CsvCommandTest {
  /** Student's t for 95 % and one degree of freedom: tan(0.475 π). */
  private static final double T1 = 12.706204736;

  @TempDir private Path folder;

  /** 60 rows, two without any target. */
  @Test
  void twoSeeds_compareAndWriteFiles() throws IOException {
    CommandRun run = csv("--data", data(60), "--targets", "y,kind", "--seeds", "2");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .containsSubsequence(
            "csv: 60 rows: 46 to train on, 12 to test on, drawn anew for each seed",
            "a (number), b (number, 9 missing), colour (3 categories,",
            "y (regression), 12 missing, kind (classification, 2 classes), 7",
            "seed 1: equal",
            "seed 2: equal",
            "y: root mean squared error",
            "gradnorm",
            "alone",
            "kind: share of test rows",
            "Do you need GradNorm here?",
            "With 2 seeds the intervals are wide");
    assertThat(run.out()).doesNotContain("\u001B");
    assertThat(run.out().lines().filter(line -> !line.contains(folder.toString())))
        .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
    for (String file :
        List.of(
            "history.csv",
            "history-equal.csv",
            "report.html",
            "model.zip",
            "model-equal.zip",
            "encoding.json")) {
      assertThat(out().resolve(file)).isNotEmptyFile();
    }
    JsonObject summary = CommandRun.summary(out()).getAsJsonObject();
    assertThat(summary.getAsJsonArray("runs")).hasSize(2 * (2 + 2));
    assertComparison(summary.getAsJsonObject("targets").getAsJsonObject("y"), "regression", "rmse");
    assertComparison(
        summary.getAsJsonObject("targets").getAsJsonObject("kind"), "classification", "error_rate");
  }

  private static void assertComparison(JsonObject target, String kind, String error) {
    assertThat(target.get("kind").getAsString()).isEqualTo(kind);
    assertThat(target.get("error").getAsString()).isEqualTo(error);
    JsonObject methods = target.getAsJsonObject("methods");
    assertThat(methods.keySet()).containsExactly("equal", "gradnorm", "alone");
    double[] equal = errors(methods.getAsJsonObject("equal"));
    JsonObject gradNorm = methods.getAsJsonObject("gradnorm");
    double[] balanced = errors(gradNorm);
    double first = balanced[0] - equal[0];
    double second = balanced[1] - equal[1];
    assertThat(gradNorm.get("difference").getAsDouble())
        .isCloseTo((first + second) / 2, within(1e-12));
    // s = |d1 - d2| / sqrt 2; the splits are random, 12 test rows to 46 training rows.
    double halfWidth =
        T1 * Math.abs(first - second) / Math.sqrt(2.0) * Math.sqrt(1.0 / 2.0 + 12.0 / 46.0);
    assertThat(gradNorm.get("difference_interval").getAsDouble())
        .isCloseTo(halfWidth, within(1e-8 * (1.0 + halfWidth)));
    assertThat(methods.getAsJsonObject("equal").has("difference")).isFalse();
  }

  private static double[] errors(JsonObject method) {
    JsonArray errors = method.getAsJsonArray("errors");
    double[] values = new double[errors.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = errors.get(i).getAsDouble();
    }
    return values;
  }

  @Test
  void sameSeed_sameResults() throws IOException {
    String data = data(40);
    csv("--data", data, "--targets", "y,kind", "--seeds", "1");
    JsonElement first = withoutSeconds(CommandRun.summary(out()));
    String history = Files.readString(out().resolve("history.csv"));
    csv("--data", data, "--targets", "y,kind", "--seeds", "1");

    assertThat(withoutSeconds(CommandRun.summary(out()))).isEqualTo(first);
    assertThat(out().resolve("history.csv")).hasContent(history);
  }

  private static JsonElement withoutSeconds(JsonElement summary) {
    for (JsonElement run : summary.getAsJsonObject().getAsJsonArray("runs")) {
      run.getAsJsonObject().remove("seconds");
    }
    return summary;
  }

  /** What encoding.json and model.zip say, worked out by hand on the test file's rows. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void savedModel_givesTheReportedErrors(boolean raw) throws IOException {
    String test = CsvTable.write(folder.resolve("test.csv"), 30, 2).toString();
    List<String> args =
        new ArrayList<>(List.of("--data", data(50), "--test", test, "--targets", "y,kind"));
    args.addAll(List.of("--seeds", "1"));
    if (raw) {
      args.add("--raw-targets");
    }
    CommandRun run = csv(args.toArray(String[]::new));
    assertThat(run.err()).isEmpty();

    JsonObject encoding =
        JsonParser.parseString(Files.readString(out().resolve("encoding.json"))).getAsJsonObject();
    ComputationGraph net = ComputationGraph.load(out().resolve("model.zip").toFile(), true);
    JsonObject y = encoding.getAsJsonArray("targets").get(0).getAsJsonObject();
    assertThat(y.get("deviation").getAsDouble() == 1.0).isEqualTo(raw);
    double squares = 0.0;
    int numbers = 0;
    int wrong = 0;
    int classes = 0;
    for (String line : Files.readAllLines(Path.of(test)).subList(1, 31)) {
      String[] cells = line.split(",", -1);
      INDArray[] output = net.output(input(encoding, cells));
      if (!cells[3].isEmpty()) {
        double predicted =
            output[0].getDouble(0) * y.get("deviation").getAsDouble() + y.get("mean").getAsDouble();
        squares += Math.pow(predicted - Double.parseDouble(cells[3]), 2);
        numbers++;
      }
      if (!cells[4].equals("?")) {
        String guess = output[1].getDouble(0) > output[1].getDouble(1) ? "down" : "up";
        wrong += guess.equals(cells[4]) ? 0 : 1;
        classes++;
      }
    }
    JsonObject targets = CommandRun.summary(out()).getAsJsonObject().getAsJsonObject("targets");
    double rmse = Math.sqrt(squares / numbers);
    assertThat(numbers).isEqualTo(24);
    assertThat(error(targets, "y")).isCloseTo(rmse, within(1e-4 * rmse));
    assertThat(error(targets, "kind")).isCloseTo((double) wrong / classes, within(1e-6));
    assertThat(run.out()).contains("It cannot be told: one seed says nothing about chance");
  }

  private static double error(JsonObject targets, String target) {
    return errors(
        targets.getAsJsonObject(target).getAsJsonObject("methods").getAsJsonObject("gradnorm"))[0];
  }

  private static INDArray input(JsonObject encoding, String[] cells) {
    List<Double> values = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      JsonObject column = encoding.getAsJsonArray("inputs").get(i).getAsJsonObject();
      if (column.has("categories")) {
        for (JsonElement category : column.getAsJsonArray("categories")) {
          values.add(category.getAsString().equals(cells[i]) ? 1.0 : 0.0);
        }
        assertThat(column.get("has_missing").getAsBoolean()).isTrue();
        values.add(cells[i].isEmpty() ? 1.0 : 0.0);
      } else {
        double mean = column.get("mean").getAsDouble();
        double cell = cells[i].equals("NA") ? mean : Double.parseDouble(cells[i]);
        values.add((cell - mean) / column.get("deviation").getAsDouble());
      }
    }
    float[] row = new float[values.size()];
    for (int i = 0; i < row.length; i++) {
      row[i] = values.get(i).floatValue();
    }
    return Nd4j.create(row, new long[] {1, row.length});
  }

  /** 0 and 1 are numbers, but here two classes; and the names of layers are free for columns. */
  @Test
  void numbersAsClasses_columnsNamedAsLayers() throws IOException {
    StringBuilder table = new StringBuilder("inputs,trunk1,shared\n");
    for (int row = 0; row < 30; row++) {
      table.append(String.format(Locale.ROOT, "%d,%d,%d%n", row, row % 2, row * row));
    }
    Path file = Files.writeString(folder.resolve("layers.csv"), table);

    CommandRun run =
        csv(
            "--data",
            file.toString(),
            "--targets",
            "trunk1,shared",
            "--task",
            "trunk1:classification",
            "--heads",
            "0",
            "--trunk",
            "8,8");

    assertThat(run.err()).isEmpty();
    assertThat(run.out()).contains("trunk1 (classification, 2 classes), shared (regression)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --targets y | --targets (y) must name two columns or more
          --targets y,kind --seeds 0 | --seeds (0) must be >= 1
          --targets y,kind --epochs 0 | --epochs (0) must be >= 1
          --targets y,kind --trunk 0 | --trunk (0) must be >= 1
          --targets y,kind --heads 8,0 | --heads (0) must be >= 1
          --targets y,kind --test-split 1 | --test-split (1.0) must be between 0 and 1
          --targets y,kind --task y:ranking | --task (y:ranking) must be COLUMN:regression
          --targets y,kind --task a:regression | --task (a:regression) must be of one of the targets
          --targets y,kind --max-categories 1 | --max-categories (1) must be >= 2
          --targets y,kind --charset klingon | '--charset'
          --targets y,kind --delimiter ab | must be one character other than a quote or a line end. A tab is written \\t
          --targets y,kind --delimiter " | must be one character other than a quote
          --targets y,kind --text y --task y:regression | --task (y:regression) must not be in --text as well
          --targets y,kind --threads 0 | --threads (0) must be >= 1
          """)
  void badOption_exitCode2_andOneLine(String options, String message) throws IOException {
    CommandRun run = CommandRun.of(("csv --data " + data(20) + " " + options).split(" "));

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(message).hasLineCount(1);
    assertThat(run.out()).isEmpty();
  }

  /** As a person types them: spaces after commas, a tab as \t, a name with a comma in quotes. */
  @Test
  void tabsAndSpaces_areTakenAsTyped() throws IOException {
    String tabs =
        Files.readString(Path.of(data(40))).replace(',', '\t').replace("colour", "hue, tint");
    Path file = Files.writeString(folder.resolve("tabs.tsv"), tabs);
    CommandRun run =
        csv(
            "--data",
            file.toString(),
            "--delimiter",
            "\\t",
            "--targets",
            " y , kind ",
            "--ignore",
            "\"hue, tint\"",
            "--missing",
            "NA, ?",
            "--trunk",
            "8, 8",
            "--seeds",
            "1");
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("inputs: a (number), b (number, 6 missing)\n");
  }

  @Test
  void folderAsData_isToldSo() {
    CommandRun run = csv("--data", folder.toString(), "--targets", "y,kind");
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .isEqualToIgnoringNewLines(folder + ": this is a folder. Name a CSV file in it");
  }

  /** One block, after the description and before the first seed. */
  @Test
  void whatColumnsWereTakenFor_isToldOnceAtTheStart() throws IOException {
    StringBuilder table = new StringBuilder("id,when,x,same,y,k\n");
    for (int row = 0; row < 30; row++) {
      table.append(
          String.format(
              Locale.ROOT,
              "%d,2024-01-%02d,%d.5,red,%d.25,%d%n",
              row,
              row % 9 + 1,
              row * 7 % 11,
              row * 5 % 13,
              row % 2));
    }
    Path file = Files.writeString(folder.resolve("table.csv"), table);
    CommandRun run = csv("--data", file.toString(), "--targets", "y,k", "--seeds", "1");
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .containsOnlyOnce("Is this what you meant?")
        .containsSubsequence(
            "same (1 category)",
            "Is this what you meant?",
            "  id: numbers that rise from row to row",
            "  when: text of 9 categories, though its cells look like dates",
            "  same: all cells are the same",
            "  k: a regression, though its numbers are whole and only 2 different ones.",
            "seed 1: equal");
    CommandRun settled =
        csv(
            "--data",
            file.toString(),
            "--targets",
            "y,k",
            "--seeds",
            "1",
            "--ignore",
            "id,when,same",
            "--task",
            "k:classification");
    assertThat(settled.out()).doesNotContain("Is this what you meant?");
  }

  @Test
  void badTable_exitCode1_andOneLine() throws IOException {
    Path file = Files.writeString(folder.resolve("bad.csv"), "a,y,k\n1,2,x\n3,4\n");
    CommandRun run = csv("--data", file.toString(), "--targets", "y,k");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .startsWith(file + ", line 3, column 'k': the row ends before it")
        .hasLineCount(1);
  }

  /** The first 12 rows have no y: with a seed that trains on these alone nothing can be learned. */
  @Test
  void targetWithOneValueInTheTrainingRows_isRefused() throws IOException {
    String test = data(20);
    Path file =
        Files.writeString(
            folder.resolve("few.csv"), CsvTable.HEADER + "\n1,2,red,5,up\n2,3,red,5,down\n");
    CommandRun run = csv("--data", file.toString(), "--test", test, "--targets", "y,kind");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("column 'y': a target with one value only in the training rows");
  }

  private String data(int rows) throws IOException {
    return CsvTable.write(folder.resolve("data.csv"), rows, 1).toString();
  }

  private Path out() {
    return folder.resolve("out");
  }

  private CommandRun csv(String... more) {
    List<String> args = new ArrayList<>(List.of("csv", "--epochs", "2", "--batch", "16"));
    args.addAll(List.of("--output", out().toString()));
    args.addAll(List.of(more));
    return CommandRun.of(args.toArray(String[]::new));
  }
}
