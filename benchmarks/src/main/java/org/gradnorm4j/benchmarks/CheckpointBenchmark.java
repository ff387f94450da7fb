package org.gradnorm4j.benchmarks;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.LossBalancerCheckpoint;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryBytes;
import org.gradnorm4j.history.HistoryLimit;
import org.gradnorm4j.history.HistoryRecorder;
import org.gradnorm4j.persist.ModelFile;
import org.gradnorm4j.weighting.BalancedStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One checkpoint, every ten steps, after few steps and after many: they should take the same. Most
 * of it is waiting for the disk, so compare medians.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "-Xmx2g")
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class CheckpointBenchmark {
  private static final int STEPS_BETWEEN = 10;
  private static final int TASKS = 2;

  /** What is kept of a history. */
  public enum Kept {
    /** Every step. */
    ALL(History.all()),
    /** The default: older ones are thinned. */
    DEFAULT(HistoryLimit.byDefault());

    private final HistoryLimit limit;

    Kept(HistoryLimit limit) {
      this.limit = limit;
    }
  }

  /** Number of steps before the first checkpoint. */
  @Param({"1000", "1000000"})
  public int steps;

  /** How much of them is kept. */
  @Param public Kept kept;

  private Path folder;
  private ComputationGraph net;
  private MultiDataSet batch;
  private LossBalancerCheckpoint checkpoint;

  /** Goes on with a run of so many steps, and writes its first checkpoint. */
  @Setup
  public void setUp() throws IOException {
    folder = Files.createTempDirectory("checkpoints");
    net = Workload.MLP_SMALL.network(TASKS, DataType.FLOAT);
    batch = Workload.MLP_SMALL.batch(net, DataType.FLOAT);
    GradNorm gradNorm =
        GradNorm.restoreFromModel(writeLongRun(folder.resolve("model.zip"))).attach(net);
    checkpoint = LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(1).build();
    train();
    save();
  }

  /** A run whose steps were all as its last one. */
  private Path writeLongRun(Path file) throws IOException {
    GradNorm gradNorm =
        GradNorm.builder().sharedLayer(Workload.SHARED).history(kept.limit).build().attach(net);
    net.fit(batch);
    BalancedStep last = gradNorm.lastStep().orElseThrow();
    HistoryRecorder recorder =
        new HistoryRecorder(
            kept.limit,
            gradNorm.history().taskNames(),
            gradNorm.history().quantities(),
            gradNorm.history().settings());
    for (int step = 0; step < steps; step++) {
      recorder.add(last);
    }
    Path state = folder.resolve("state.json");
    gradNorm.save(state);
    gradNorm.detach();
    ModelFile.write(
        file,
        net,
        Files.readAllBytes(state),
        out -> HistoryBytes.write(recorder.history().view(), out));
    return file;
  }

  /** The steps in between. */
  @Setup(Level.Invocation)
  public void train() {
    for (int step = 0; step < STEPS_BETWEEN; step++) {
      net.fit(batch);
    }
  }

  /** Network, updater, state, and the history of these steps. */
  @Benchmark
  public void save() {
    checkpoint.iterationDone(net, net.getIterationCount(), net.getEpochCount());
  }

  /** Deletes what was written. */
  @TearDown
  public void tearDown() throws IOException {
    if (checkpoint.failures() > 0) {
      throw new IOException("a checkpoint could not be written");
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
