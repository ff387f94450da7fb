package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Option;

/** The options that say what the table is. */
final class TableOptions {
  @Option(
      names = "--data",
      required = true,
      paramLabel = "FILE",
      description = "CSV file to train on; its first row names the columns.")
  private Path data;

  @Option(
      names = "--test",
      paramLabel = "FILE",
      description = "CSV file to test on. Default: rows of --data, see --test-split.")
  private Path test;

  @Option(
      names = "--targets",
      required = true,
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "COLUMN",
      description =
          "Columns to predict, two or more. Each is a task: numbers are a regression, anything else"
              + " is a classification.")
  private LinkedHashSet<String> targets;

  @Option(
      names = "--ignore",
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "COLUMN",
      description = "Columns to leave out. All others are inputs.")
  private LinkedHashSet<String> ignored = new LinkedHashSet<>();

  @Option(
      names = "--task",
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "COLUMN:KIND",
      description =
          "A target that is to be another kind of task than its cells suggest; KIND is regression or"
              + " classification.")
  private List<String> kinds = new ArrayList<>();

  @Option(
      names = "--text",
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "COLUMN",
      description =
          "Columns whose cells are text, though some or all of them are numbers, such as postcodes.")
  private LinkedHashSet<String> texts = new LinkedHashSet<>();

  @Option(
      names = "--missing",
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "TEXT",
      defaultValue = "NA,?",
      description =
          "Cells that stand for a missing value, besides the empty one. Default: ${DEFAULT-VALUE}.")
  private LinkedHashSet<String> missing;

  @Option(
      names = "--max-categories",
      paramLabel = "N",
      description =
          "Most different values of a column that is not numeric. Default: ${DEFAULT-VALUE}.")
  private int maxCategories = 100;

  @Option(
      names = "--delimiter",
      paramLabel = "CHAR",
      converter = Delimiter.class,
      description = "Character between cells; \\t for a tab. Default: ${DEFAULT-VALUE}.")
  private char delimiter = ',';

  @Option(
      names = "--charset",
      paramLabel = "NAME",
      description = "Encoding of the files. Default: ${DEFAULT-VALUE}.")
  private Charset charset = StandardCharsets.UTF_8;

  void check(TrainingOptions options) {
    options.require(
        targets.size() >= 2,
        "--targets",
        String.join(",", targets),
        "must name two columns or more",
        "There is nothing to balance in a single task");
    options.requireAtLeast(2, "--max-categories", maxCategories, "100 is the default");
    for (String kind : kinds) {
      options.require(
          kind.matches("(?is).+:(regression|classification)"),
          "--task",
          kind,
          "must be COLUMN:regression or COLUMN:classification",
          "Correct it");
      options.require(
          targets.contains(column(kind)),
          "--task",
          kind,
          "must be of one of the targets",
          "They are " + String.join(",", targets));
      options.require(
          !isRegression(kind) || !texts.contains(column(kind)),
          "--task",
          kind,
          "must not be in --text as well",
          "Take it out of one of them");
    }
  }

  private static boolean isRegression(String kind) {
    return kindName(kind).equals(TaskKind.REGRESSION.name());
  }

  Set<String> targets() {
    return targets;
  }

  Path data() {
    return data;
  }

  boolean hasTestFile() {
    return test != null;
  }

  Table read() throws IOException {
    List<CsvFile> files = new ArrayList<>();
    files.add(new CsvFile(data, delimiter, charset));
    if (hasTestFile()) {
      files.add(new CsvFile(test, delimiter, charset));
    }
    Map<String, TaskKind> asked = new LinkedHashMap<>();
    texts.forEach(column -> asked.put(column, TaskKind.CLASSIFICATION));
    kinds.forEach(kind -> asked.put(column(kind), TaskKind.valueOf(kindName(kind))));
    return new TableReader(files, missing, maxCategories, MemoryLimit.ofThisJvm())
        .read(new TableColumns(targets, ignored, asked));
  }

  private static String column(String kind) {
    return kind.substring(0, kind.lastIndexOf(':'));
  }

  private static String kindName(String kind) {
    return kind.substring(kind.lastIndexOf(':') + 1).toUpperCase(Locale.ROOT);
  }
}
