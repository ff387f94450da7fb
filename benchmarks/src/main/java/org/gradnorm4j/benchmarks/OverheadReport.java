package org.gradnorm4j.benchmarks;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.commons.math3.stat.descriptive.DescriptiveStatistics;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.weighting.LossWeightings;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.MultiDataSet;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What GradNorm costs, as a ratio to plain {@code fit}. Steps of a plain network and of each
 * variant take turns in one JVM, so that what disturbs the machine disturbs all of them; a second
 * plain network is the control that shows how much is noise.
 */
@Command(
    name = "OverheadReport",
    mixinStandardHelpOptions = true,
    description = "Times training steps with GradNorm against plain ones.")
public final class OverheadReport implements Callable<Integer> {
  /** A round is so many steps of each, of which every-10 measures one. */
  private static final int STEPS = 10;

  private static final double WARM_UP_SECONDS = 10.0;
  private static final double MEASURED_SECONDS = 20.0;

  @Option(names = "--quick", description = "Two rounds of each row: shows that it runs.")
  private boolean quick;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Rounds of " + STEPS + " steps. Default: by time, 3 to 100.")
  private Integer rounds;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of ND4J and OpenBLAS: runs itself anew with OMP_NUM_THREADS set.")
  private Integer threads;

  @Option(
      names = "--workload",
      paramLabel = "NAME",
      split = ",",
      description = "mlp-small, mlp-wide, lenet, lenet-conv. Default: all.")
  private List<String> workloads = List.of();

  @Option(names = "--precision", description = "FLOAT or DOUBLE. Default: FLOAT.")
  private DataType precision = DataType.FLOAT;

  @Option(
      names = "--strategy",
      paramLabel = "ID",
      split = ",",
      description = "One more row for each: a strategy by its id, such as mgda, with its defaults.")
  private List<String> strategies = List.of();

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the rows as JSON.")
  private Path json;

  @Option(names = "--markdown", paramLabel = "FILE", description = "Writes a table.")
  private Path markdown;

  private final PrintStream out = System.out;

  /** A row of the report; times in microseconds per step, medians. */
  record Row(
      String workload,
      int tasks,
      String precision,
      String variant,
      double plainUs,
      double variantUs,
      double ratio,
      double ratioQ25,
      double ratioQ75) {}

  private OverheadReport() {}

  /**
   * Runs the report and ends the JVM.
   *
   * @param args see {@code --help}; not modified
   */
  public static void main(String[] args) {
    System.setProperty("org.nd4j.log.initialization", "false"); // before ND4J loads
    int code =
        relaunched(args)
            ? 0
            : new CommandLine(new OverheadReport())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args);
    System.exit(code);
  }

  /** The number of threads is read from the environment when the native library is loaded. */
  private static boolean relaunched(String[] args) {
    OverheadReport report = new OverheadReport();
    try {
      new CommandLine(report).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(args);
    } catch (CommandLine.ParameterException e) {
      return false; // told when it is executed
    }
    String wanted = String.valueOf(report.threads);
    if (report.threads == null || wanted.equals(System.getenv("OMP_NUM_THREADS"))) {
      return false;
    }
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                OverheadReport.class.getName()));
    command.addAll(Arrays.asList(args));
    ProcessBuilder child = new ProcessBuilder(command).inheritIO();
    child.environment().put("OMP_NUM_THREADS", wanted);
    try {
      Process process = child.start();
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
      System.exit(process.waitFor());
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException("cannot run itself with OMP_NUM_THREADS=" + wanted, e);
    }
    return true;
  }

  @Override
  public Integer call() throws IOException {
    Set<Workload> chosen = chosen();
    Machine.describe().forEach(out::println);
    List<Row> rows = new ArrayList<>();
    for (Workload workload : chosen) {
      for (int tasks : workload.tasks()) {
        List<Row> some = rows(workload, tasks);
        some.forEach(row -> out.println(line(row)));
        rows.addAll(some);
      }
    }
    if (json != null) {
      Files.writeString(
          json,
          new GsonBuilder()
                  .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
                  .setPrettyPrinting()
                  .create()
                  .toJson(rows)
              + "\n");
    }
    if (markdown != null) {
      Files.writeString(markdown, table(rows));
    }
    return 0;
  }

  private Set<Workload> chosen() {
    Set<Workload> chosen = EnumSet.noneOf(Workload.class);
    for (String name : workloads) {
      chosen.add(
          Arrays.stream(Workload.values())
              .filter(workload -> workload.toString().equals(name))
              .findFirst()
              .orElseThrow(
                  () ->
                      new CommandLine.ParameterException(
                          new CommandLine(this),
                          "--workload ("
                              + name
                              + ") must be one of "
                              + Arrays.toString(Workload.values()))));
    }
    return chosen.isEmpty() ? EnumSet.allOf(Workload.class) : chosen;
  }

  private List<Row> rows(Workload workload, int tasks) {
    ComputationGraph plain = workload.network(tasks, precision);
    MultiDataSet batch = workload.batch(plain, precision);
    ComputationGraph control = workload.network(tasks, precision);
    ComputationGraph balanced = workload.network(tasks, precision);
    ComputationGraph everyTenth = workload.network(tasks, precision);
    BackwardPerTask perTask = new BackwardPerTask(workload.network(tasks, precision));
    GradNorm.builder().sharedLayer(Workload.SHARED).build().attach(balanced);
    GradNorm.builder().sharedLayer(Workload.SHARED).measureEvery(STEPS).build().attach(everyTenth);
    List<Runnable> steps =
        new ArrayList<>(
            List.of(
                () -> plain.fit(batch),
                () -> control.fit(batch),
                () -> balanced.fit(batch),
                () -> everyTenth.fit(batch)));
    for (String strategy : strategies) {
      ComputationGraph combined = workload.network(tasks, precision);
      LossBalancer.builder(LossWeightings.named(strategy))
          .sharedLayer(Workload.SHARED)
          .build()
          .attach(combined);
      steps.add(() -> combined.fit(batch));
    }
    String row = workload + " T=" + tasks;
    int warm = 0;
    long start = System.nanoTime();
    do { // as many turns as it takes for the JIT compiler to be done
      progress("%s: warming up, round %d", row, warm + 1);
      round(steps, warm++);
    } while (!quick && seconds(start) < WARM_UP_SECONDS);
    double roundSeconds = seconds(start) / warm;
    int count =
        rounds != null
            ? rounds
            : quick ? 2 : (int) Math.max(3, Math.min(100, MEASURED_SECONDS / roundSeconds));
    Map<String, Timing> timings = new LinkedHashMap<>();
    List<String> names =
        new ArrayList<>(List.of("control", "gradnorm", "gradnorm-every-10", "backward-per-task"));
    names.addAll(strategies);
    names.forEach(name -> timings.put(name, new Timing()));
    for (int i = 0; i < count; i++) {
      progress("%s: round %d of %d", row, i + 1, count);
      double[][] times = round(steps, i);
      for (int step = 0; step < STEPS; step++) {
        timings.get("control").add(times[0][step], times[1][step]);
        timings.get("gradnorm").add(times[0][step], times[2][step]);
        for (int j = 0; j < strategies.size(); j++) {
          timings.get(strategies.get(j)).add(times[0][step], times[4 + j][step]);
        }
      }
      double plainTime = Arrays.stream(times[0]).sum() / STEPS;
      timings.get("gradnorm-every-10").add(plainTime, Arrays.stream(times[3]).sum() / STEPS);
      if (i < 3) { // costs as much as a round or more, and its ratio is not close to 1
        timings.get("backward-per-task").add(plainTime, time(() -> perTask.fit(batch)));
      }
    }
    progress("");
    List<Row> rows = new ArrayList<>();
    timings.forEach((variant, timing) -> rows.add(timing.row(workload, tasks, precision, variant)));
    return rows;
  }

  /** Times of each network's steps, which take turns, a different one first in each turn. */
  private static double[][] round(List<Runnable> steps, int round) {
    double[][] times = new double[steps.size()][STEPS];
    for (int step = 0; step < STEPS; step++) {
      for (int i = 0; i < steps.size(); i++) {
        int which = (i + step + round) % steps.size();
        times[which][step] = time(steps.get(which));
      }
    }
    return times;
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  /** One line that is written over, where somebody is watching. */
  private static void progress(String format, Object... values) {
    if (CommandLine.Help.Ansi.AUTO.enabled()) {
      System.err.printf(Locale.ROOT, "\r%-60s\r", String.format(Locale.ROOT, format, values));
    }
  }

  /** Microseconds. */
  private static double time(Runnable step) {
    long start = System.nanoTime();
    step.run();
    return (System.nanoTime() - start) / 1e3;
  }

  /** Pairs of times of a plain step and one of a variant, next to each other. */
  private static final class Timing {
    private final DescriptiveStatistics plain = new DescriptiveStatistics();
    private final DescriptiveStatistics variant = new DescriptiveStatistics();
    private final DescriptiveStatistics ratio = new DescriptiveStatistics();

    void add(double plainTime, double variantTime) {
      plain.addValue(plainTime);
      variant.addValue(variantTime);
      ratio.addValue(variantTime / plainTime);
    }

    Row row(Workload workload, int tasks, DataType precision, String name) {
      return new Row(
          workload.toString(),
          tasks,
          precision.toString().toLowerCase(Locale.ROOT),
          name,
          plain.getPercentile(50),
          variant.getPercentile(50),
          ratio.getPercentile(50),
          ratio.getPercentile(25),
          ratio.getPercentile(75));
    }
  }

  private static String line(Row row) {
    return String.format(
        Locale.ROOT,
        "%-10s T=%-2d %-6s %-17s %7.0f us %8.0f us  %.3f [%.3f %.3f]",
        row.workload(),
        row.tasks(),
        row.precision(),
        row.variant(),
        row.plainUs(),
        row.variantUs(),
        row.ratio(),
        row.ratioQ25(),
        row.ratioQ75());
  }

  private static String table(List<Row> rows) {
    StringBuilder text = new StringBuilder();
    text.append(
        "| workload | T | precision | variant | plain step, µs | step, µs | ratio | quartiles |\n");
    text.append("|---|---|---|---|---|---|---|---|\n");
    for (Row row : rows) {
      text.append(
          String.format(
              Locale.ROOT,
              "| %s | %d | %s | %s | %.0f | %.0f | %.3f | %.3f to %.3f |%n",
              row.workload(),
              row.tasks(),
              row.precision(),
              row.variant(),
              row.plainUs(),
              row.variantUs(),
              row.ratio(),
              row.ratioQ25(),
              row.ratioQ75()));
    }
    return text.toString();
  }
}
