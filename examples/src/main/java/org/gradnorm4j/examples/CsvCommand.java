package org.gradnorm4j.examples;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The {@code csv} command. */
@Command(
    name = "csv",
    description = {
      "Tells whether a table of yours needs GradNorm: predicts several of its columns from the"
          + " others, by one network with equal loss weights, by one with GradNorm, and by one"
          + " network for each target alone, each at several seeds; and compares their errors on"
          + " rows they were not trained on.",
      "Inputs are standardised on the training rows; text becomes one-hot; a missing input is the"
          + " mean, or a category of its own; a missing target is left out of the loss. Histories"
          + " and models are those of the first seed; encoding.json says how the models take their"
          + " inputs."
    })
final class CsvCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private final TrainingOptions options = new TableTrainingOptions(1.5, 1e-3, 64);
  @Mixin private final TableOptions table = new TableOptions();

  @Option(
      names = "--test-split",
      paramLabel = "SHARE",
      description =
          "Share of the rows to test on, drawn anew for each seed. Default: ${DEFAULT-VALUE}.")
  private double testSplit = 0.2;

  @Option(
      names = "--raw-targets",
      description =
          "Leave numeric targets in their units when training, so that large numbers make large"
              + " losses. Default: they are standardised on the training rows. Errors are in the"
              + " units of the file in either case.")
  private boolean rawTargets;

  @Option(
      names = "--trunk",
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "WIDTH",
      defaultValue = "64,64",
      description = "Widths of the layers that all targets share. Default: ${DEFAULT-VALUE}.")
  private List<Integer> trunk;

  @Option(
      names = "--heads",
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "WIDTH",
      defaultValue = "32",
      description =
          "Widths of the hidden layers of each target's own; 0 for none. Default:"
              + " ${DEFAULT-VALUE}.")
  private List<Integer> heads;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Times each training row is seen. Default: ${DEFAULT-VALUE}.")
  private int epochs = 30;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      description =
          "Train everything so many times: at --seed, --seed + 1 and so on. Default:"
              + " ${DEFAULT-VALUE}.")
  private int seeds = 5;

  @Override
  public Integer call() throws IOException {
    check();
    RunFiles files = options.createFiles();
    PrintWriter out = spec.commandLine().getOut();
    options.useThreads();
    Console.printKernel(out);
    Table read = table.read();
    TableData data =
        new TableData(
            table.data(),
            read,
            table.targets(),
            table.hasTestFile() ? Double.NaN : testSplit,
            rawTargets);
    TableSplit first = data.split(options.seed());
    Console.print(description(data, first), out);
    printRemarks(read.remarks(), out);
    TableNetwork network =
        new TableNetwork(
            trunk, heads.equals(List.of(0)) ? List.of() : heads, options.learningRate());
    TableStudy study = new TableStudy(data, network, options, epochs);
    TableResults results =
        new TableResults(
            data.splitsAnew() ? (double) first.test().length / first.train().length : 0.0);
    List<Path> written = new ArrayList<>();
    for (int i = 0; i < seeds; i++) {
      written.addAll(study.run(options.seed() + i, results, i == 0 ? files : null, out));
    }
    TableAnswer answer = new TableAnswer(data.tasks(), results);
    answer.print(out);
    written.add(
        files.writeJson(
            "summary.json",
            TableSummary.of(
                table.data().toString(), answer.needed(), data.tasks(), results, study.runs())));
    Console.printWritten(written, out);
    return 0;
  }

  private void check() {
    options.check();
    table.check(options);
    options.require(
        testSplit > 0.0 && testSplit < 1.0,
        "--test-split",
        testSplit,
        "must be between 0 and 1",
        "0.2 is the default");
    trunk.forEach(width -> options.requireAtLeast(1, "--trunk", width, "64,64 is the default"));
    if (!heads.equals(List.of(0))) {
      heads.forEach(width -> options.requireAtLeast(1, "--heads", width, "32 is the default"));
    }
    options.requireAtLeast(1, "--epochs", epochs, "30 is the default");
    options.requireAtLeast(1, "--seeds", seeds, "5 is the default");
  }

  private String description(TableData data, TableSplit split) {
    Table read = data.table();
    String inputs =
        read.columns().entrySet().stream()
            .filter(column -> !data.targets().contains(column.getKey()))
            .map(column -> column.getKey() + " (" + kind(column.getValue()) + ")")
            .collect(Collectors.joining(", "));
    String targets =
        data.tasks().stream()
            .map(task -> task + missing(read.columns().get(task.name())))
            .collect(Collectors.joining(", "));
    String unused =
        read.rows() == split.train().length + split.test().length
            ? ""
            : " (without any target: left out)";
    return String.format(
        Locale.ROOT,
        """
        csv: %s: %d to train on, %d to test on%s%s
        inputs: %s
        targets: %s, %s for training
        """,
        Console.count(read.rows(), "row", "rows"),
        split.train().length,
        split.test().length,
        data.splitsAnew() ? ", drawn anew for each seed" : "",
        unused,
        inputs,
        targets,
        rawTargets ? "left raw" : "numbers standardised");
  }

  private static void printRemarks(List<String> remarks, PrintWriter out) {
    if (!remarks.isEmpty()) {
      out.println("Is this what you meant?");
      remarks.forEach(remark -> Console.print("  " + remark, out));
    }
  }

  private static String kind(Table.Column column) {
    String kind =
        column.isNumeric()
            ? "number"
            : Console.count(column.categories().size(), "category", "categories");
    return kind + missing(column);
  }

  private static String missing(Table.Column column) {
    long missing = Arrays.stream(column.cells()).filter(Double::isNaN).count();
    return missing == 0 ? "" : String.format(Locale.ROOT, ", %d missing", missing);
  }
}
