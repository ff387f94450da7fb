package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;

/**
 * A listener that saves the network, its updater and GradNorm while training goes on, each time
 * into one file from which everything goes on bit for bit, as {@link GradNorm#restoreFromModel}
 * says.
 *
 * <pre>{@code
 * net.addListeners(
 *     GradNormCheckpoint.builder(gradNorm, Path.of("checkpoints"))
 *         .everyIterations(1000).everyEpochs(1).keepLast(3).build());
 * net.fit(iterator, 20);
 * }</pre>
 *
 * after a crash
 *
 * <pre>{@code
 * Path last = GradNormCheckpoint.last(Path.of("checkpoints")).orElseThrow();
 * ComputationGraph net = ModelSerializer.restoreComputationGraph(last.toFile(), true);
 * GradNorm gradNorm = GradNorm.restoreFromModel(last).attach(net);
 * }</pre>
 *
 * <p>A file appears under its name when all of it is on the disk: a process may be killed at any
 * moment, and {@link #last} still finds a whole one. Files are named {@code checkpoint-} with the
 * number of iterations done.
 *
 * <p>Deeplearning4j's own {@code CheckpointListener} works beside GradNorm, and its files open as
 * ever, but they know nothing of the loss weights; the last one can be cut short by a kill; and as
 * listeners are called before Deeplearning4j counts the iteration and applies constraints, a
 * network from them goes on with the count of one step before.
 */
public final class GradNormCheckpoint extends BaseTrainingListener {
  private static final String PREFIX = "checkpoint-";
  private static final String SUFFIX = ".zip";
  private static final int DIGITS = 10; // of the largest int

  private final GradNorm gradNorm;
  private final Path folder;
  private final int iterations;
  private final int epochs;
  private final int kept;

  private GradNormCheckpoint(Builder builder) throws IOException {
    gradNorm = builder.gradNorm;
    folder = builder.folder;
    iterations = builder.iterations;
    epochs = builder.epochs;
    kept = builder.kept;
    Files.createDirectories(folder);
    AtomicFile.clean(folder);
  }

  /**
   * Starts from the defaults: every epoch, the last three are kept.
   *
   * @param gradNorm attached to the network that the listener will be added to
   * @param folder for the checkpoints of this run, and nothing else; created if it does not exist
   * @return a new builder
   */
  public static Builder builder(GradNorm gradNorm, Path folder) {
    return new Builder(gradNorm, folder);
  }

  /**
   * The newest checkpoint in a folder.
   *
   * @param folder of checkpoints
   * @return the one with the most iterations; empty if there is none, or no folder
   * @throws IOException if the folder cannot be read
   */
  public static Optional<Path> last(Path folder) throws IOException {
    List<Path> files = inOrder(folder);
    return files.isEmpty() ? Optional.empty() : Optional.of(files.get(files.size() - 1));
  }

  private static List<Path> inOrder(Path folder) throws IOException {
    List<Path> files = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> all =
          Files.newDirectoryStream(folder, PREFIX + "[0-9]".repeat(DIGITS) + SUFFIX)) {
        all.forEach(files::add);
      }
    }
    Collections.sort(files); // the numbers are of one width
    return files;
  }

  /** Saves, if it is time; called by Deeplearning4j. */
  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    if (iterations > 0 && (iteration + 1) % iterations == 0) {
      save(model, StepCounts.of(model).afterIteration());
    }
  }

  /** Saves, if it is time; called by Deeplearning4j. */
  @Override
  public void onEpochEnd(Model model) {
    StepCounts counts = StepCounts.of(model);
    if (epochs > 0 && (counts.epochs() + 1) % epochs == 0) {
      save(model, counts.afterEpoch());
    }
  }

  private void save(Model model, StepCounts counts) {
    String number = "%0" + DIGITS + "d";
    Path file = folder.resolve(PREFIX + number.formatted(counts.iterations()) + SUFFIX);
    try {
      counts.during(model, () -> gradNorm.writeModel(model, file));
      List<Path> files = inOrder(folder);
      int written = files.indexOf(file) + 1; // what comes after it is not older
      for (Path old : files.subList(0, Math.max(0, written - kept))) {
        Files.deleteIfExists(old);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "checkpoint %s could not be written. Earlier ones are whole".formatted(file), e);
    }
  }

  /** Settings of a {@link GradNormCheckpoint}. */
  public static final class Builder {
    private final GradNorm gradNorm;
    private final Path folder;
    private int iterations;
    private int epochs = 1;
    private int kept = 3;

    private Builder(GradNorm gradNorm, Path folder) {
      this.gradNorm = Objects.requireNonNull(gradNorm, "gradNorm");
      this.folder = Objects.requireNonNull(folder, "folder");
    }

    /**
     * Saves when the number of iterations done is a multiple of this. Default: 0, not by
     * iterations.
     *
     * @param count &ge; 0
     * @return this
     * @throws IllegalArgumentException if negative
     */
    public Builder everyIterations(int count) {
      iterations = checked("everyIterations", count, 0);
      return this;
    }

    /**
     * Saves when the number of epochs done is a multiple of this. Default: 1.
     *
     * @param count &ge; 0; 0 for not by epochs
     * @return this
     * @throws IllegalArgumentException if negative
     */
    public Builder everyEpochs(int count) {
      epochs = checked("everyEpochs", count, 0);
      return this;
    }

    /**
     * How many checkpoints stay; older ones are deleted once a new one is written. Default: 3.
     * Those with more iterations than the new one, of a run that was gone back on, stay as well.
     *
     * @param count &ge; 1
     * @return this
     * @throws IllegalArgumentException if less than 1
     */
    public Builder keepLast(int count) {
      kept = checked("keepLast", count, 1);
      return this;
    }

    private static int checked(String name, int count, int least) {
      if (count < least) {
        throw new IllegalArgumentException("%s (%d) must be >= %d".formatted(name, count, least));
      }
      return count;
    }

    /**
     * Builds, and removes from the folder what a killed process has left there half written.
     *
     * @return a listener to be added to the network
     * @throws IOException if the folder cannot be created or read
     * @throws IllegalArgumentException if neither iterations nor epochs are to be saved
     */
    public GradNormCheckpoint build() throws IOException {
      if (iterations == 0 && epochs == 0) {
        throw new IllegalArgumentException(
            "everyIterations (0) or everyEpochs (0) must be > 0, or nothing would be saved");
      }
      return new GradNormCheckpoint(this);
    }
  }
}
