package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.gradnorm.WeightUpdate;
import org.gradnorm4j.strategies.EqualWeights;
import org.gradnorm4j.weighting.LossWeighting;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that all commands have. */
abstract class TrainingOptions {
  /** Separates the values of an option, as a regular expression. */
  static final String LIST = "\\s*,\\s*";

  /** The description of {@code --balancer}. */
  static final String BALANCER =
      "How loss weights are chosen: ${COMPLETION-CANDIDATES}. Several, separated by commas,"
          + " run one after the other on the same initial parameters and minibatches."
          + " Default: ${DEFAULT-VALUE}.";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--alpha",
      paramLabel = "A",
      description =
          "GradNorm's restoring force, >= 0: how strongly tasks are held to a common training"
              + " rate. Default: ${DEFAULT-VALUE}.")
  private double alpha;

  @Option(
      names = "--weight-learning-rate",
      paramLabel = "R",
      description = "Adam's learning rate for the loss weights. Default: ${DEFAULT-VALUE}.")
  private double weightLearningRate = 0.025;

  @Option(
      names = "--weight-update",
      paramLabel = "RULE",
      description =
          "How GradNorm moves the loss weights: ${COMPLETION-CANDIDATES} (the paper adds; nothing"
              + " keeps a weight positive then). Default: ${DEFAULT-VALUE}.")
  private WeightUpdate weightUpdate = WeightUpdate.MULTIPLICATIVE;

  @Option(
      names = "--learning-rate",
      paramLabel = "R",
      description = "Adam's learning rate for the network. Default: ${DEFAULT-VALUE}.")
  private double learningRate;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Examples in a minibatch. Default: ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Seed of data, initial parameters and minibatches, >= 1. Default: ${DEFAULT-VALUE}.")
  private long seed = 1;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description =
          "Folder for summary.json and history.csv, created if missing."
              + " Default: gradnorm-out/${COMMAND-NAME}.")
  private Path output;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Processors to compute on. Networks of this size are most often fastest on one."
              + " Default: ${DEFAULT-VALUE}.")
  private int threads = 1;

  /** The defaults that differ from command to command. */
  TrainingOptions(double alpha, double learningRate, int batch) {
    this.alpha = alpha;
    this.learningRate = learningRate;
    this.batch = batch;
  }

  /** In the order to run them. */
  abstract Set<? extends Balancer> balancers();

  /** Null for a balancer that has none. */
  Double alpha(Balancer balancer) {
    return balancer.isGradNorm() ? alpha : null;
  }

  double learningRate() {
    return learningRate;
  }

  int batch() {
    return batch;
  }

  long seed() {
    return seed;
  }

  /** For one run. */
  Weighting weighting(Balancer balancer, String sharedLayer) {
    return new BalancerWeighting(
        balancer.isGradNorm()
            ? GradNorm.builder()
                .sharedLayer(sharedLayer)
                .alpha(alpha)
                .weightUpdate(weightUpdate)
                .lossWeightUpdater(weightUpdater())
                .build()
            : LossBalancer.builder(strategy(balancer)).sharedLayer(sharedLayer).build());
  }

  /** Of a balancer that is not GradNorm: the weights stay as configured. */
  LossWeighting<?> strategy(Balancer balancer) {
    return EqualWeights.create();
  }

  IUpdater weightUpdater() {
    return new Adam(weightLearningRate);
  }

  /** Before anything is computed. */
  void useThreads() {
    Threads.use(threads);
  }

  /** The output folder, created. */
  RunFiles createFiles() {
    Path folder = output != null ? output : Path.of("gradnorm-out", command.name());
    RunFiles files = new RunFiles(folder);
    try {
      files.create();
    } catch (IOException e) {
      throw bad("--output", folder, "must be a folder that can be written to", "Name another");
    }
    return files;
  }

  void check() {
    require(
        alpha >= 0.0 && Double.isFinite(alpha),
        "--alpha",
        alpha,
        "must be >= 0 and finite",
        "0.12 to 3 is usual");
    requirePositive("--weight-learning-rate", weightLearningRate, "0.025 is GradNorm's");
    requirePositive("--learning-rate", learningRate, "0.001 is usual for Adam");
    requireAtLeast(1, "--threads", threads, "1 is the default");
    requireAtLeast(1, "--batch", batch, "64 to 256 is usual");
    requireAtLeast(1, "--seed", seed, "ND4J takes 0 for \"random\"");
  }

  void requirePositive(String option, double value, String remedy) {
    require(value > 0.0 && Double.isFinite(value), option, value, "must be > 0 and finite", remedy);
  }

  void requireAtLeast(long least, String option, long value, String remedy) {
    require(value >= least, option, value, "must be >= " + least, remedy);
  }

  void require(boolean condition, String option, Object value, String rule, String remedy) {
    if (!condition) {
      throw bad(option, value, rule, remedy);
    }
  }

  private ParameterException bad(String option, Object value, String rule, String remedy) {
    return new ParameterException(
        command.commandLine(),
        String.format(Locale.ROOT, "%s (%s) %s. %s", option, value, rule, remedy));
  }
}
