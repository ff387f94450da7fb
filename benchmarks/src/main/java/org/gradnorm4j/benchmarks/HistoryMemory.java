package org.gradnorm4j.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryLimit;
import org.gradnorm4j.history.HistoryRecorder;
import org.gradnorm4j.history.Row;
import org.gradnorm4j.report.Report;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What the history of a long run takes: records made-up steps of ten tasks with GradNorm's
 * quantities in a history with the default limit, prints at each power of ten how much is kept and
 * how many bytes of heap it takes, and writes the report. Ends with 1 if the heap is not bounded, a
 * count is wrong, or the largest spike of the run is not in history and report.
 */
@Command(
    name = "HistoryMemory",
    mixinStandardHelpOptions = true,
    description = "Prints the heap that the history of a long run takes.")
public final class HistoryMemory implements Callable<Integer> {
  private static final int TASKS = 10;
  private static final int SPIKED_TASK = 3;
  private static final double SPIKE = 1e9;
  private static final int FIRST_PRINTED = 10_000;

  /** Ten tasks and GradNorm's quantities take 54 MB when the history is full. */
  private static final long MOST_BYTES = 70_000_000;

  private static final List<Quantity> QUANTITIES =
      List.of(
          GradNorm.TARGET_GRADIENT_NORM,
          GradNorm.RELATIVE_INVERSE_TRAINING_RATE,
          GradNorm.LOSS_RATIO,
          GradNorm.GRADIENT_LOSS);

  @Option(names = "--steps", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  private int steps = 10_000_000;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Where the report goes. Default: ${DEFAULT-VALUE}.")
  private Path report = Path.of("history-memory.html");

  private final PrintStream out = System.out;
  private final List<String> taskNames =
      IntStream.range(0, TASKS).mapToObj(i -> "task " + i).toList();
  private final HistoryRecorder recorder =
      new HistoryRecorder(
          HistoryLimit.byDefault(), taskNames, QUANTITIES, Map.of("strategy", "made up"));
  private final Random random = new Random(11);

  private HistoryMemory() {}

  /**
   * Runs it and ends the JVM.
   *
   * @param args see {@code --help}; not modified
   */
  public static void main(String[] args) {
    System.exit(new CommandLine(new HistoryMemory()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    History history = recorder.history();
    int spike = steps / 8;
    long before = heapBytes();
    long bytes = 0;
    long nextPrinted = FIRST_PRINTED;
    out.printf(Locale.ROOT, "%12s %12s %16s%n", "steps", "rows kept", "bytes of heap");
    for (int step = 0; step < steps; step++) {
      recorder.add(step(step, step == spike));
      if (step + 1 == nextPrinted || step + 1 == steps) {
        bytes = heapBytes() - before;
        out.printf(Locale.ROOT, "%,12d %,12d %,16d%n", step + 1, history.size(), bytes);
        nextPrinted *= 10;
      }
    }
    boolean kept = printSpike(history, spike);
    Report.of(history).write(report);
    String page = Files.readString(report);
    boolean counted = page.contains("data-steps=\"" + steps + "\"");
    out.printf(Locale.ROOT, "report: %s, %,d bytes%n", report, Files.size(report));
    return kept && counted && bytes <= MOST_BYTES ? 0 : 1;
  }

  /** Where the largest weighted norm of the run is, after all the merging. */
  private boolean printSpike(History history, int spike) {
    Row largest =
        history
            .rows()
            .filter(row -> row.task().equals(taskNames.get(SPIKED_TASK)))
            .max((a, b) -> Double.compare(a.weightedGradientNorm(), b.weightedGradientNorm()))
            .orElseThrow();
    boolean kept =
        largest.weightedGradientNorm() == SPIKE
            && largest.iteration() >= spike
            && largest.iteration() < spike + largest.steps();
    out.printf(
        Locale.ROOT,
        "spike of %s at iteration %,d: %s in the section of %,d steps to iteration %,d%n",
        SPIKE,
        spike,
        kept ? "kept" : "LOST",
        largest.steps(),
        largest.iteration());
    return kept;
  }

  private BalancedStep step(int iteration, boolean spiked) {
    double[] norms = values();
    if (spiked) {
      norms[SPIKED_TASK] = SPIKE;
    }
    double[] weights = new double[TASKS];
    Arrays.fill(weights, 1.0);
    StepMeasurement measurement =
        StepMeasurement.of(taskNames)
            .at(iteration, iteration / 1_000)
            .batchSize(32)
            .losses(values())
            .gradientNorms(norms)
            .lossWeights(weights)
            .build();
    Map<Quantity, double[]> quantities = new LinkedHashMap<>();
    for (Quantity quantity : QUANTITIES) {
      quantities.put(quantity, quantity.isPerTask() ? values() : new double[] {1.0});
    }
    return BalancedStep.of(measurement, quantities, weights, Map.of());
  }

  private double[] values() {
    double[] values = new double[TASKS];
    for (int i = 0; i < TASKS; i++) {
      values[i] = 1.0 + i + random.nextDouble();
    }
    return values;
  }

  /** What is reachable. */
  private static long heapBytes() {
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    memory.gc();
    memory.gc();
    return memory.getHeapMemoryUsage().getUsed();
  }
}
