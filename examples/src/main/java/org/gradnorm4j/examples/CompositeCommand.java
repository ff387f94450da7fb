package org.gradnorm4j.examples;

import java.io.IOException;
import org.apache.commons.math3.random.Well19937c;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The {@code composite} command. */
@Command(
    name = "composite",
    description = {
      "Trains a network with one hidden layer to read handwritten digits, on the composite loss"
          + " cross-entropy + L2, and analyses the gradient of each term before, in the middle of"
          + " and after training. Writes the last analysis to analysis-BALANCER.json and .csv.",
      "GradNorm begins with the configured weights, 1 and --l2, and keeps their sum. It brings both"
          + " gradients to a common scale, which is more L2 than a classifier needs: accuracy"
          + " falls."
    })
final class CompositeCommand extends TrainingCommand {
  @Mixin private final DigitOptions digits = new DigitOptions(3);

  @Option(
      names = "--l2",
      paramLabel = "W",
      description = "Configured weight of the L2 penalty. Default: ${DEFAULT-VALUE}.")
  private double l2 = 1e-3;

  CompositeCommand() {
    super(new CompositeOptions(1.5, 1e-3, 64));
  }

  @Override
  void check() {
    digits.check(options);
    options.requirePositive("--l2", l2, "0.001 is the default");
  }

  @Override
  Problem problem(long seed) throws IOException {
    return new CompositeProblem(seed, options.learningRate(), l2)
        .problem(digits.read(new Well19937c(seed)));
  }

  @Override
  Schedule schedule(Problem problem) {
    return digits.schedule(problem, options.batch());
  }

  @Override
  RunListener listener(Balancer balancer, Weighting weighting, Problem problem, Schedule schedule) {
    return new AnalysisReport(weighting, problem.train(), schedule, spec.commandLine().getOut());
  }
}
