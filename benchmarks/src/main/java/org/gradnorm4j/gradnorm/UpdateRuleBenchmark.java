package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;
import org.nd4j.linalg.learning.config.Adam;
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
 * One step's loss weights from its measurement, without a network. Is in the rule's package, as it
 * is not public.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class UpdateRuleBenchmark {
  /** Number of tasks. */
  @Param({"2", "10", "40"})
  public int tasks;

  private GradNormRule rule;
  private GradNormState state;
  private StepMeasurement measurement;

  /** A measurement of random numbers. */
  @Setup
  public void setUp() {
    List<String> names = IntStream.range(0, tasks).mapToObj(i -> "task" + i).toList();
    double[] ones = new double[tasks];
    Arrays.fill(ones, 1.0);
    double[] unknown = new double[tasks];
    Arrays.fill(unknown, Double.NaN);
    rule =
        new GradNormRule(
            GradNorm.builder().settings(),
            WeightOptimizer.of(new Adam(0.025)),
            names,
            tasks,
            unknown);
    state = rule.init(ones);
    Random random = new Random(1);
    measurement =
        StepMeasurement.of(names)
            .batchSize(100)
            .losses(random.doubles(tasks, 0.5, 1.5).toArray())
            .gradientNorms(random.doubles(tasks, 0.1, 10).toArray())
            .lossWeights(ones)
            .build();
  }

  /**
   * The equations, one step of the weights' optimiser, and the record.
   *
   * @return state and record after the step
   */
  @Benchmark
  public Object update() {
    return rule.update(state, measurement);
  }
}
