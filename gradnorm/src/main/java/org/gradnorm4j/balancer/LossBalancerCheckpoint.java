package org.gradnorm4j.balancer;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.gradnorm4j.core.parallel.RoundListener;
import org.gradnorm4j.history.History;
import org.gradnorm4j.persist.AtomicFile;
import org.gradnorm4j.persist.HistoryLog;
import org.gradnorm4j.persist.ModelFile;
import org.gradnorm4j.persist.StepCounts;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A listener that saves the network, its updater and the balancer while training goes on, each time
 * into a file from which everything goes on bit for bit, as {@link LossBalancer#restoreFromModel}
 * says.
 *
 * <pre>{@code
 * net.addListeners(
 *     LossBalancerCheckpoint.builder(balancer, Path.of("checkpoints"))
 *         .everyIterations(1000).keepLast(3).build());
 * net.fit(iterator, 20);
 * }</pre>
 *
 * after a crash
 *
 * <pre>{@code
 * Path last = LossBalancerCheckpoint.last(Path.of("checkpoints")).orElseThrow();
 * ComputationGraph net = ModelSerializer.restoreComputationGraph(last.toFile(), true);
 * LossBalancer balancer = LossBalancer.restoreFromModel(last).attach(net);
 * }</pre>
 *
 * <p>A file appears under its name when all of it is on the disk: a process may be killed at any
 * moment, and {@link #last} still finds a whole one. Files are named {@code checkpoint-} with the
 * number of iterations done.
 *
 * <p>The history is in a file beside them, {@code history-....log}, to which each checkpoint
 * appends the steps since the one before: it costs the same after a thousand steps and after a
 * million. A folder can be moved as a whole. A checkpoint whose history is lost can still be gone
 * on with, by {@link LossBalancer#restore}. {@link LossBalancer#writeModel} writes one file that
 * has everything.
 *
 * <p>A checkpoint that cannot be written, on a full disk say, is logged and counted ({@link
 * #failures()}), leaves nothing behind, and training goes on; {@link Builder#throwOnFailure} ends
 * it.
 *
 * <p>A ParallelWrapper takes the network's listeners over when it is built; give it later ones by
 * {@code wrapper.setListeners}. What is due in a round is saved after it, when all workers are as
 * the network is: where parameters and updaters are averaged, there, be it after further rounds;
 * else, as with shared gradients, when {@code wrapper.fit} ends. The same rounds then give the same
 * bits in a new process, if parameters are averaged. Deeplearning4j counts no epochs there.
 *
 * <p>Deeplearning4j's own {@code CheckpointListener} works beside this, and its files open as ever,
 * but they know nothing of the loss weights; the last one can be cut short by a kill; and as
 * listeners are called before Deeplearning4j counts the iteration and applies constraints, a
 * network from them goes on with the count of one step before.
 */
public final class LossBalancerCheckpoint extends BaseTrainingListener implements RoundListener {
  private static final Logger log = LoggerFactory.getLogger(LossBalancerCheckpoint.class);
  private static final String PREFIX = "checkpoint-";
  private static final String SUFFIX = ".zip";
  private static final int DIGITS = 10; // of the largest int

  private final LossBalancer balancer;
  private final Path folder;
  private final CheckpointHistory history;
  private final int iterations;
  private final int epochs;
  private final int kept;
  private final boolean throwing;
  private boolean due;
  private boolean warnedOfWaiting;
  private boolean warnedOfEpochs;
  private boolean warnedOfDetached;
  private final AtomicInteger failures = new AtomicInteger();

  private LossBalancerCheckpoint(Builder builder) throws IOException {
    balancer = builder.balancer;
    folder = builder.folder;
    iterations = builder.iterations;
    epochs = builder.epochsOrDefault();
    kept = builder.kept;
    throwing = builder.throwing;
    Files.createDirectories(folder);
    AtomicFile.clean(folder);
    history = new CheckpointHistory(folder);
    history.deleteUnused(inOrder(folder));
  }

  /**
   * Starts from the defaults: every epoch, if iterations are not set; the last three are kept.
   *
   * @param balancer attached to the network that the listener will be added to
   * @param folder for the checkpoints of this run, and nothing else; created if it does not exist
   * @return a new builder
   */
  public static Builder builder(LossBalancer balancer, Path folder) {
    return new Builder(balancer, folder);
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
        for (Path file : all) {
          if (Files.isRegularFile(file)) {
            files.add(file);
          }
        }
      }
    }
    Collections.sort(files); // the numbers are of one width
    return files;
  }

  /**
   * How many checkpoints could not be written. The log tells why.
   *
   * @return a count since this was built
   */
  public int failures() {
    return failures.get();
  }

  /** Saves, if it is time; called by Deeplearning4j. */
  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    if (iterations > 0 && (iteration + 1) % iterations == 0) {
      if (RoundListener.isInRound()) {
        checkAttached();
      } else {
        save(model, StepCounts.of(model).afterIteration());
      }
    }
  }

  /** Only what is attached hears where a round ends. */
  private synchronized void checkAttached() {
    if (!warnedOfDetached && !balancer.isAttached()) {
      warnedOfDetached = true;
      log.warn(
          "no checkpoints: a ParallelWrapper trains a network that the balancer is not attached to. Attach it, or call writeModel(network, file) after wrapper.fit(...)");
    }
  }

  /** Saves, if it is time and the network is whole; called by ParallelTraining. */
  @Override
  public void roundDone(Model network, boolean whole) {
    StepCounts counts = StepCounts.of(network);
    due |= iterations > 0 && counts.iterations() % iterations == 0;
    if (due && whole) {
      due = false;
      save(network, counts);
    } else if (due && !warnedOfWaiting) {
      warnedOfWaiting = true;
      log.warn(
          "the checkpoint of {} iterations waits, as others will: the workers of the ParallelWrapper differ after this round. It is written when parameters and updaters are averaged, or when wrapper.fit(...) ends; for one after each round, set averagingFrequency(1) with TrainingMode.AVERAGING",
          counts.iterations());
    }
    if (epochs > 0 && !warnedOfEpochs) {
      warnedOfEpochs = true;
      log.warn(
          "everyEpochs ({}) saves nothing while a ParallelWrapper trains: Deeplearning4j counts no epochs then. Set everyIterations(...), or call writeModel(network, file) after wrapper.fit(...)",
          epochs);
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
    Path file = folder.resolve(name(counts.iterations()));
    try {
      Files.createDirectories(folder); // somebody may have cleared away
      counts.during(model, () -> write(model, file));
    } catch (IOException | RuntimeException | LinkageError e) {
      failures.incrementAndGet();
      String what =
          String.format(
              Locale.ROOT,
              "checkpoint %s could not be written: %s. Earlier ones are whole",
              file,
              e);
      if (throwing) {
        throw new IllegalStateException(what, e);
      }
      log.error("{}; training goes on", what, e);
      return;
    }
    deleteOlderThan(file);
  }

  private void write(Model model, Path file) throws IOException {
    History steps = balancer.history();
    if (steps.size() == 0) { // none are kept, or there is none yet
      balancer.writeModel(model, file);
    } else {
      HistoryLog.Mark mark = history.write(steps);
      ModelFile.write(file, model, balancer.savedRun().toBytes(mark), null);
    }
  }

  private static String name(int iterations) {
    return String.format(Locale.ROOT, "%s%0" + DIGITS + "d%s", PREFIX, iterations, SUFFIX);
  }

  private void deleteOlderThan(Path newest) {
    try {
      List<Path> files = inOrder(folder);
      int written = files.indexOf(newest) + 1; // what comes after it is not older
      for (Path old : files.subList(0, Math.max(0, written - kept))) {
        Files.deleteIfExists(old);
      }
      history.deleteUnused(inOrder(folder));
    } catch (IOException e) {
      log.warn("older checkpoints in {} could not be deleted", folder, e);
    }
  }

  /** Settings of a {@link LossBalancerCheckpoint}. */
  public static final class Builder {
    private static final int UNSET = -1;

    private final LossBalancer balancer;
    private final Path folder;
    private int iterations;
    private int epochs = UNSET;
    private int kept = 3;
    private boolean throwing;

    private Builder(LossBalancer balancer, Path folder) {
      this.balancer = Objects.requireNonNull(balancer, "balancer");
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
     * Saves when the number of epochs done is a multiple of this. Default: 1, or 0 if {@link
     * #everyIterations} is set.
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
     * How many checkpoints stay; older ones, and history that only they need, are deleted once a
     * new one is written. Default: 3. Those with more iterations than the new one, of a run that
     * was gone back on, stay as well.
     *
     * @param count &ge; 1
     * @return this
     * @throws IllegalArgumentException if less than 1
     */
    public Builder keepLast(int count) {
      kept = checked("keepLast", count, 1);
      return this;
    }

    /**
     * Whether a checkpoint that cannot be written ends the training, by an IllegalStateException
     * with the cause. Default: false, it is logged and counted.
     *
     * @param ends true to end it
     * @return this
     */
    public Builder throwOnFailure(boolean ends) {
      throwing = ends;
      return this;
    }

    private int epochsOrDefault() {
      return epochs != UNSET ? epochs : iterations > 0 ? 0 : 1;
    }

    private static int checked(String name, int count, int least) {
      if (count < least) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "%s (%d) must be >= %d", name, count, least));
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
    public LossBalancerCheckpoint build() throws IOException {
      if (iterations == 0 && epochsOrDefault() == 0) {
        throw new IllegalArgumentException(
            "everyIterations (0) or everyEpochs (0) must be > 0, or nothing would be saved");
      }
      return new LossBalancerCheckpoint(this);
    }
  }
}
