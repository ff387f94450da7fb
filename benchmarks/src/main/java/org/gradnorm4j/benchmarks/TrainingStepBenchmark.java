package org.gradnorm4j.benchmarks;

import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.gradnorm.GradNorm;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One training step of a {@link Workload}: Deeplearning4j alone, with GradNorm attached, and with a
 * backward pass per task. For profiles ({@code -prof gc}, {@code -prof stack}); for ratios see
 * {@link OverheadReport}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
public class TrainingStepBenchmark {
  /** What is trained. */
  @Param({"MLP_SMALL", "MLP_WIDE", "LENET", "LENET_CONV"})
  public Workload workload;

  /** Number of tasks. */
  @Param({"2", "10"})
  public int tasks;

  /** Of the parameters. */
  @Param({"FLOAT", "DOUBLE"})
  public DataType precision;

  private MultiDataSet batch;
  private ComputationGraph plain;
  private ComputationGraph balanced;
  private BackwardPerTask perTask;

  /** Builds three equal networks. */
  @Setup
  public void setUp() {
    plain = workload.network(tasks, precision);
    balanced = workload.network(tasks, precision);
    perTask = new BackwardPerTask(workload.network(tasks, precision));
    batch = workload.batch(plain, precision);
    GradNorm.builder().sharedLayer(Workload.SHARED).build().attach(balanced);
  }

  /** Deeplearning4j alone. */
  @Benchmark
  public void plain() {
    plain.fit(batch);
  }

  /** With GradNorm attached: measuring, the update rule and the history included. */
  @Benchmark
  public void gradNorm() {
    balanced.fit(batch);
  }

  /**
   * The same norms without this library.
   *
   * @return the norms
   */
  @Benchmark
  public double[] backwardPerTask() {
    return perTask.fit(batch);
  }
}
