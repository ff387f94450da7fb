package org.gradnorm4j.benchmarks;

import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.gradnorm.GradNorm;
import org.nd4j.linalg.api.buffer.DataType;
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

/** Attaching to a network and detaching from it again. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class AttachBenchmark {
  /** Number of tasks. */
  @Param({"2", "10"})
  public int tasks;

  private ComputationGraph net;

  /** Builds the network. */
  @Setup
  public void setUp() {
    net = Workload.MLP_SMALL.network(tasks, DataType.FLOAT);
  }

  /** Both. */
  @Benchmark
  public void attachAndDetach() {
    GradNorm.builder().sharedLayer(Workload.SHARED).build().attach(net).detach();
  }
}
