package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The {@code toy} command.
 *
 * <p>The paper leaves open how x is distributed, whether s in N(0, s) is a standard deviation or a
 * variance, and every setting of the training. The defaults here, x uniform in (-1, 1) and s as a
 * standard deviation, are readings, not the paper's word.
 */
@Command(
    name = "toy",
    description = {
      "Trains the regression toy of the GradNorm paper (section 4): tasks"
          + " sigma_i tanh((B + eps_i) x) that differ in scale. Its measure is the normalized test"
          + " loss, the sum over the tasks of test loss / initial test loss.",
      "The paper leaves inputs, the reading of N(0, s), sizes and learning rates open: each is an"
          + " option, and its default is a choice made here. Which balancer does better depends"
          + " on them."
    })
final class ToyCommand extends TrainingCommand {
  private static final Map<Integer, double[]> SIGMAS =
      Map.of(2, new double[] {1, 100}, 10, new double[] {48, 3, 54, 16, 9, 30, 52, 26, 47, 81});
  private static final int REPORTS = 10;

  @Option(
      names = "--tasks",
      paramLabel = "T",
      description =
          "Number of tasks; other than 2 or 10 needs --sigmas."
              + " Default: as many as --sigmas has; else 2, and with --report 10 after that.")
  private Integer tasks;

  @Option(
      names = "--sigmas",
      split = TrainingOptions.LIST,
      splitSynopsisLabel = ",",
      paramLabel = "S",
      description =
          "Scale of each task, separated by commas. Default: 1,100 for 2 tasks;"
              + " 48,3,54,16,9,30,52,26,47,81 for 10.")
  private double[] sigmas;

  @Option(
      names = "--inputs",
      paramLabel = "DIST",
      description = "Distribution of x: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private ToyInputs inputs = ToyInputs.UNIFORM;

  @Option(
      names = "--deviation",
      paramLabel = "READING",
      description =
          "What s is in the paper's N(0, s): ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private ToyDeviation deviation = ToyDeviation.STD;

  @Option(
      names = "--train-size",
      paramLabel = "N",
      description = "Training examples. Default: ${DEFAULT-VALUE}.")
  private int trainSize = 10_000;

  @Option(
      names = "--test-size",
      paramLabel = "N",
      description = "Test examples. Default: ${DEFAULT-VALUE}.")
  private int testSize = 1_000;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Training steps. Default: ${DEFAULT-VALUE}.")
  private int steps = 2_000;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      description =
          "Run so many times: at --seed, --seed + 1 and so on. Default: ${DEFAULT-VALUE}.")
  private int seeds = 1;

  @Option(
      names = "--report",
      description =
          "Draw the toy's panels of the paper's Figure 2, loss weights and normalized test loss over"
              + " the steps, into figure.png. Without --balancer: of equal weights, uncertainty"
              + " weighting and GradNorm.")
  private boolean report;

  private final MultiTaskOptions multiTask;
  private boolean bothFigures;
  private ToyFigure figure;

  ToyCommand() {
    this(new MultiTaskOptions(0.12, 1e-3, 100));
  }

  private ToyCommand(MultiTaskOptions options) {
    super(options);
    multiTask = options;
  }

  @Override
  void check() {
    bothFigures = report && tasks == null && sigmas == null;
    if (tasks == null) {
      tasks = sigmas == null ? 2 : sigmas.length;
    }
    options.requireAtLeast(2, "--tasks", tasks, "There is nothing to balance in a single task");
    options.require(
        sigmas != null || SIGMAS.containsKey(tasks),
        "--tasks",
        tasks,
        "has default scales for 2 and 10 only",
        "Give one per task with --sigmas");
    options.require(
        sigmas().length == tasks,
        "--sigmas",
        Arrays.toString(sigmas),
        "must have one value per task",
        String.format(Locale.ROOT, "Give %d, or set --tasks %d", tasks, sigmas().length));
    for (double sigma : sigmas()) {
      options.requirePositive("--sigmas", sigma, "1,100 is the paper's pair");
    }
    options.requireAtLeast(1, "--train-size", trainSize, "10000 is the default");
    options.requireAtLeast(1, "--test-size", testSize, "1000 is the default");
    options.requireAtLeast(1, "--steps", steps, "2000 is the default");
    options.requireAtLeast(1, "--seeds", seeds, "1 is the default");
    if (report && !spec.commandLine().getParseResult().hasMatchedOption("--balancer")) {
      multiTask.useAllBalancers();
    }
  }

  @Override
  Problem problem(long seed) {
    return new ToyProblem(
            sigmas(), inputs, deviation, trainSize, testSize, options.learningRate(), seed)
        .problem();
  }

  @Override
  Schedule schedule(Problem problem) {
    return new Schedule(options.batch(), steps, Math.max(1, steps / REPORTS));
  }

  @Override
  int seeds() {
    return seeds;
  }

  @Override
  void train(RunFiles files) throws IOException {
    if (bothFigures) {
      for (int count : List.of(2, 10)) {
        tasks = count;
        trainAndDraw(files.folder(count + "-tasks"));
      }
    } else {
      trainAndDraw(files);
    }
  }

  private void trainAndDraw(RunFiles files) throws IOException {
    figure = new ToyFigure(sigmas());
    super.train(files);
  }

  @Override
  RunListener listener(Balancer balancer, Weighting weighting, Problem problem, Schedule schedule) {
    return report
        ? figure.add(new TrainingCurve(balancer, weighting, problem.test(), schedule))
        : RunListener.none();
  }

  @Override
  List<Path> finish(RunFiles files) throws IOException {
    return report ? List.of(figure.write(files)) : List.of();
  }

  private double[] sigmas() {
    return sigmas != null ? sigmas : SIGMAS.get(tasks);
  }
}
