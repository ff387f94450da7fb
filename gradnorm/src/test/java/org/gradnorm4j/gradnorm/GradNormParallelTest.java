package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.deeplearning4j.parallelism.ParallelWrapper.TrainingMode;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.parallel.ParallelTraining;
import org.gradnorm4j.core.probe.GradientNormProbe;
import org.gradnorm4j.testing.Networks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.TestMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Several workers, one GradNorm: against the rule on one thread, given what each worker's minibatch
 * measures at the parameters that worker had.
 */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // else DL4J would wait on
@Tag(TestSize.EXHAUSTIVE)
class GradNormParallelTest {
  private static final String[] TASKS = {"a", "b", "c"};
  private static final int ROUNDS = TestSize.of(40, 200);

  private static MultiDataSet batch(int seed) {
    Nd4j.getRandom().setSeed(seed);
    INDArray x = Nd4j.randn(DataType.DOUBLE, 8, 4);
    x.putScalar(0, seed * 1e-3); // by which it is known again
    INDArray y = Nd4j.randn(DataType.DOUBLE, 8, 2).addi(1.0);
    return new MultiDataSet(
        new INDArray[] {x}, new INDArray[] {y, y.mul(-3), y.add(x.sum(true, 1))});
  }

  @ParameterizedTest
  @CsvSource({"2, AVERAGING", "4, AVERAGING", "2, SHARED_GRADIENTS", "4, SHARED_GRADIENTS"})
  void weights_areThoseOfOneThread(int workers, TrainingMode mode) {
    MultiDataSet[] batches = new MultiDataSet[ROUNDS * workers];
    Arrays.setAll(batches, i -> batch(i + 1));
    ComputationGraph net = Networks.network(TASKS);
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    Map<Double, INDArray> params = new ConcurrentHashMap<>();
    ParallelWrapper wrapper =
        new ParallelWrapper.Builder<>(net)
            .workers(workers)
            .prefetchBuffer(2)
            .trainingMode(mode)
            .build();
    wrapper.setListeners(
        new BaseTrainingListener() {
          @Override
          public void onForwardPass(Model model, Map<String, INDArray> activations) {
            INDArray features = ((ComputationGraph) model).getInput(0);
            params.put(features.getDouble(0), model.params().dup());
          }
        });
    ParallelTraining.attach(wrapper);
    wrapper.fit(new TestMultiDataSetIterator(1, batches));
    assertThat(gradNorm.history().size()).isEqualTo(ROUNDS); // no update is lost

    ComputationGraph reference = Networks.network(TASKS);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(reference, steps::add);
    Rules.Rule rule = Rules.of(GradNorm.builder(), TASKS);
    DryRun<GradNormState> state = rule.init(Rules.ones(3));
    for (int round = 0; round < ROUNDS; round++) {
      double[] weights = new double[3];
      for (int i = 0; i < 3; i++) {
        weights[i] = gradNorm.history().view().lossWeight(round, i);
      }
      assertThat(weights).containsExactly(state.lossWeights(), within(1e-9));
      steps.clear();
      for (int worker = 0; worker < workers; worker++) {
        MultiDataSet batch = batches[round * workers + worker];
        reference.setParams(params.get(batch.getFeatures(0).getDouble(0)));
        reference.fit(batch);
      }
      StepMeasurement mean =
          StepMeasurement.of(List.of(TASKS))
              .at(round, 0)
              .batchSize(8 * workers)
              .losses(mean(steps, StepMeasurement::losses))
              .gradientNorms(mean(steps, StepMeasurement::gradientNorms))
              .lossWeights(state.lossWeights())
              .build();
      state = rule.update(state, mean);
    }
    assertThat(gradNorm.lossWeights().values())
        .usingElementComparator((x, y) -> Math.abs(x - y) < 1e-9 ? 0 : 1)
        .containsExactly(state.lossWeights()[0], state.lossWeights()[1], state.lossWeights()[2]);
    assertThat(state.lossWeights()[1]).isLessThan(0.7); // they have moved
  }

  private static double[] mean(
      List<StepMeasurement> steps, Function<StepMeasurement, double[]> values) {
    double[] mean = new double[3];
    for (StepMeasurement step : steps) {
      Arrays.setAll(mean, i -> mean[i] + values.apply(step)[i] / steps.size());
    }
    return mean;
  }
}
