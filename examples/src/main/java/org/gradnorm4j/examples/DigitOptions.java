package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.commons.math3.random.RandomGenerator;
import picocli.CommandLine.Option;

/** The options of a command that trains on handwritten digits. */
final class DigitOptions {
  @Option(
      names = "--mnist",
      paramLabel = "DIR",
      description =
          "Folder with MNIST or Fashion-MNIST: train-images-idx3-ubyte, train-labels-idx1-ubyte,"
              + " t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, plain or .gz."
              + " Default: 5,000 digits of MNIST that come with this program.")
  private Path mnist;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes through the training images. Default: ${DEFAULT-VALUE}.")
  private int epochs;

  private final int defaultEpochs;

  DigitOptions(int epochs) {
    this.epochs = epochs;
    this.defaultEpochs = epochs;
  }

  void check(TrainingOptions options) {
    options.requireAtLeast(1, "--epochs", epochs, defaultEpochs + " is the default");
  }

  /** Whether the digits are the program's own. */
  boolean isBundled() {
    return mnist == null;
  }

  DigitSplit read(RandomGenerator random) throws IOException {
    return isBundled() ? DigitSplit.ofBundledDigits(random) : DigitSplit.ofIdxFolder(mnist);
  }

  /** All epochs, with a report after each. */
  Schedule schedule(Problem problem, int batchSize) {
    int perEpoch = Schedule.stepsPerEpoch(problem.train().size(), batchSize);
    return new Schedule(batchSize, Math.multiplyExact(epochs, perEpoch), perEpoch);
  }
}
