package org.gradnorm4j.examples;

import java.util.Arrays;
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
          "Number of tasks; other than 2 or 10 needs --sigmas. Default: ${DEFAULT-VALUE}.")
  private int tasks = 2;

  @Option(
      names = "--sigmas",
      split = ",",
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

  ToyCommand() {
    super(new MultiTaskOptions(0.12, 1e-3, 100));
  }

  @Override
  void check() {
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
        "Give %d, or set --tasks %d".formatted(tasks, sigmas().length));
    for (double sigma : sigmas()) {
      options.requirePositive("--sigmas", sigma, "1,100 is the paper's pair");
    }
    options.requireAtLeast(1, "--train-size", trainSize, "10000 is the default");
    options.requireAtLeast(1, "--test-size", testSize, "1000 is the default");
    options.requireAtLeast(1, "--steps", steps, "2000 is the default");
  }

  @Override
  Problem problem() {
    return new ToyProblem(
            sigmas(),
            inputs,
            deviation,
            trainSize,
            testSize,
            options.learningRate(),
            options.seed())
        .problem();
  }

  @Override
  Schedule schedule(Problem problem) {
    return new Schedule(options.batch(), steps, Math.max(1, steps / REPORTS));
  }

  private double[] sigmas() {
    return sigmas != null ? sigmas : SIGMAS.get(tasks);
  }
}
