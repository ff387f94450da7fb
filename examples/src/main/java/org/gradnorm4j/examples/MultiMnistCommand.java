package org.gradnorm4j.examples;

import java.io.IOException;
import org.apache.commons.math3.random.RandomGenerator;
import org.apache.commons.math3.random.Well19937c;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The {@code multimnist} command. */
@Command(
    name = "multimnist",
    description =
        "Trains a convolutional network to read two overlapping handwritten digits, the left and"
            + " the right one.")
final class MultiMnistCommand extends TrainingCommand {
  private static final int BUNDLED_PAIRINGS = 2;

  @Mixin private final DigitOptions digits = new DigitOptions(2);

  @Option(
      names = "--pairings",
      paramLabel = "N",
      description =
          "Training images made of each training digit, each with another right digit."
              + " Default: 2 for the digits that come with this program, 1 with --mnist.")
  private Integer pairings;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Stop after so many steps, however many epochs that is.")
  private Integer steps;

  MultiMnistCommand() {
    super(new MultiTaskOptions(1.5, 2e-3, 64));
  }

  @Override
  void check() {
    digits.check(options);
    if (pairings != null) {
      options.requireAtLeast(1, "--pairings", pairings, "2 is the default");
    }
    if (steps != null) {
      options.requireAtLeast(1, "--steps", steps, "Leave it out to train for all epochs");
    }
  }

  @Override
  Problem problem(long seed) throws IOException {
    RandomGenerator random = new Well19937c(seed);
    return new MultiMnist(pairings(), seed)
        .problem(digits.read(random), options.learningRate(), random);
  }

  @Override
  Schedule schedule(Problem problem) {
    Schedule all = digits.schedule(problem, options.batch());
    return steps == null ? all : all.atMost(steps);
  }

  private int pairings() {
    if (pairings != null) {
      return pairings;
    }
    return digits.isBundled() ? BUNDLED_PAIRINGS : 1;
  }
}
