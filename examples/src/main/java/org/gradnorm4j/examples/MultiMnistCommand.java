package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The {@code multimnist} command. */
@Command(
    name = "multimnist",
    description =
        "Trains a convolutional network to read two overlapping handwritten digits, the left and"
            + " the right one.")
final class MultiMnistCommand extends TrainingCommand {
  private static final int BUNDLED_PAIRINGS = 2;

  @Option(
      names = "--mnist",
      paramLabel = "DIR",
      description =
          "Folder with MNIST or Fashion-MNIST: train-images-idx3-ubyte, train-labels-idx1-ubyte,"
              + " t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, plain or .gz."
              + " Default: 5,000 digits of MNIST that come with this program.")
  private Path mnist;

  @Option(
      names = "--pairings",
      paramLabel = "N",
      description =
          "Training images made of each training digit, each with another right digit."
              + " Default: 2 for the digits that come with this program, 1 with --mnist.")
  private Integer pairings;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes through the training images. Default: ${DEFAULT-VALUE}.")
  private int epochs = 2;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Stop after so many steps, however many epochs that is.")
  private Integer steps;

  MultiMnistCommand() {
    super(new TrainingOptions(1.5, 2e-3, 64));
  }

  @Override
  void check() {
    options.requireAtLeast(1, "--epochs", epochs, "2 is the default");
    if (pairings != null) {
      options.requireAtLeast(1, "--pairings", pairings, "2 is the default");
    }
    if (steps != null) {
      options.requireAtLeast(1, "--steps", steps, "Leave it out to train for all epochs");
    }
  }

  @Override
  Problem problem() throws IOException {
    MultiMnist pairs = new MultiMnist(pairings(), options.seed());
    return mnist == null
        ? pairs.ofBundledDigits(options.learningRate())
        : pairs.ofIdxFolder(mnist, options.learningRate());
  }

  @Override
  Schedule schedule(Problem problem) {
    int perEpoch = Schedule.stepsPerEpoch(problem.train().size(), options.batch());
    int all = Math.multiplyExact(epochs, perEpoch);
    return new Schedule(options.batch(), steps == null ? all : Math.min(steps, all), perEpoch);
  }

  private int pairings() {
    if (pairings != null) {
      return pairings;
    }
    return mnist == null ? BUNDLED_PAIRINGS : 1;
  }
}
