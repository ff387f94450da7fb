package org.gradnorm4j.strategies;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.LossWeighting;
import org.gradnorm4j.weighting.LossWeightings;
import org.gradnorm4j.weighting.Timing;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Every strategy of the same step against the slow road: plain Deeplearning4j, a backward pass for
 * each task, norms and Gram matrix from the gradients themselves, their weighted sum put into the
 * shared layers by hand.
 */
class SlowRoadTest {
  private static final String[] TASKS = {"a", "b", "c"};
  private static final int STEPS = 50;
  private static final int BATCH = 6;
  private static final double RATE = 0.05;

  enum Trunk {
    DENSE(InputType.feedForward(4), new DenseLayer.Builder().nOut(5)),
    CONVOLUTION(InputType.convolutional(4, 4, 1), new ConvolutionLayer.Builder(2, 2).nOut(3)),
    LSTM(InputType.recurrent(4, 3), new LSTM.Builder().nOut(5));

    final InputType input;
    final Layer.Builder<?> layer;

    Trunk(InputType input, Layer.Builder<?> layer) {
      this.input = input;
      this.layer = layer;
    }
  }

  private static Stream<Arguments> all() {
    return LossWeightings.ids().stream()
        .filter(id -> !id.equals(FixedWeights.ID) && !id.equals(Stch.ID))
        .filter(id -> LossWeightings.named(id).timing() == Timing.SAME_STEP)
        .flatMap(id -> Arrays.stream(Trunk.values()).map(trunk -> Arguments.of(id, trunk)));
  }

  private static ComputationGraph network(Trunk trunk) {
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(4)
            .dataType(DataType.DOUBLE)
            .activation(Activation.TANH)
            .updater(new Sgd(RATE))
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(trunk.input)
            .addLayer("trunk", trunk.layer.build(), "in");
    for (String task : TASKS) {
      graph.addLayer(
          task,
          trunk == Trunk.LSTM
              ? new RnnOutputLayer.Builder(LossFunction.MSE)
                  .nOut(2)
                  .activation(Activation.IDENTITY)
                  .build()
              : new OutputLayer.Builder(LossFunction.MSE)
                  .nOut(2)
                  .activation(Activation.IDENTITY)
                  .build(),
          "trunk");
    }
    ComputationGraph net = new ComputationGraph(graph.setOutputs(TASKS).build());
    net.init();
    return net;
  }

  private static MultiDataSet batch(Trunk trunk, int step) {
    Nd4j.getRandom().setSeed(step + 1);
    long[] shape = trunk.input.getShape(true);
    shape[0] = BATCH;
    INDArray x = Nd4j.randn(DataType.DOUBLE, shape);
    long[] labels = trunk == Trunk.LSTM ? new long[] {BATCH, 2, 3} : new long[] {BATCH, 2};
    INDArray y = Nd4j.randn(DataType.DOUBLE, labels).addi(1.0);
    return new MultiDataSet(
        new INDArray[] {x},
        new INDArray[] {y, y.mul(-3), Nd4j.randn(DataType.DOUBLE, labels).muli(0.3)});
  }

  @ParameterizedTest
  @MethodSource("all")
  void parametersAfter50Steps_areEqual(String id, Trunk trunk) {
    ComputationGraph fast = network(trunk);
    LossBalancer balancer = LossBalancer.of(LossWeightings.named(id)).attach(fast);
    ComputationGraph slow = network(trunk);
    slow.setParams(fast.params().dup());
    Slow<?> road = new Slow<>(LossWeightings.named(id), slow);
    for (int step = 0; step < STEPS; step++) {
      MultiDataSet batch = batch(trunk, step);
      road.step(batch, step);
      fast.fit(batch);
    }
    assertThat(balancer.skips().values())
        .allSatisfy(causes -> assertThat(causes.values()).containsOnly(0));
    INDArray difference = fast.params().sub(slow.params());
    assertThat(difference.norm2Number().doubleValue() / slow.params().norm2Number().doubleValue())
        .isLessThanOrEqualTo(1e-9);
  }

  /** Plain Deeplearning4j with a strategy beside it. */
  private static final class Slow<S extends Record> {
    private final ComputationGraph net;
    private final Tasks tasks = Tasks.of(List.of(TASKS));
    private DryRun<S> run;

    Slow(LossWeighting<S> weighting, ComputationGraph net) {
      this.net = net;
      run = DryRun.begin(weighting, tasks);
    }

    void step(MultiDataSet batch, int step) {
      INDArray[] outputs = net.output(true, batch.getFeatures());
      INDArray[] gradients = new INDArray[TASKS.length]; // of all parameters, sums over the batch
      double[] losses = new double[TASKS.length];
      INDArray[] shared = new INDArray[TASKS.length];
      for (int task = 0; task < TASKS.length; task++) {
        INDArray[] labels = outputs.clone(); // the others have no error, and no gradient
        labels[task] = batch.getLabels(task);
        net.setInputs(batch.getFeatures());
        net.setLabels(labels);
        net.computeGradientAndScore();
        gradients[task] = net.gradient().gradient().dup();
        losses[task] = net.score();
        shared[task] = weights(net.gradient().gradientForVariable()).div(BATCH);
      }
      double[][] gram = new double[TASKS.length][TASKS.length];
      double[] norms = new double[TASKS.length];
      for (int i = 0; i < TASKS.length; i++) {
        for (int j = 0; j < TASKS.length; j++) {
          gram[i][j] = shared[i].mul(shared[j]).sumNumber().doubleValue();
        }
        norms[i] = Math.sqrt(gram[i][i]);
      }
      run =
          run.take(
              StepMeasurement.of(tasks)
                  .at(step, 0)
                  .batchSize(BATCH)
                  .losses(losses)
                  .gradientNorms(norms)
                  .gram(gram)
                  .lossWeights(1, 1, 1)
                  .build());
      assertThat(run.step().skipped()).isFalse();
      descend(gradients);
    }

    /** W and RW, without biases, one after the other. */
    private static INDArray weights(Map<String, INDArray> gradients) {
      return Nd4j.concat(
          0,
          gradients.entrySet().stream()
              .filter(entry -> entry.getKey().matches("trunk_R?W"))
              .map(entry -> Nd4j.toFlattened('c', entry.getValue()).reshape(-1))
              .toArray(INDArray[]::new));
    }

    /** The trunk by the weighted sum, each head by its own gradient, weighted or not. */
    private void descend(INDArray[] gradients) {
      long trunk = net.getLayer("trunk").numParams();
      double[] parameters = net.params().toDoubleVector();
      for (int task = 0; task < TASKS.length; task++) {
        double[] gradient = gradients[task].toDoubleVector();
        double weight = run.lossWeights()[task];
        for (int i = 0; i < gradient.length; i++) {
          boolean weighted = i < trunk || run.weighting().headsWeighted();
          parameters[i] -= RATE / BATCH * (weighted ? weight : 1.0) * gradient[i];
        }
      }
      net.setParams(Nd4j.createFromArray(new double[][] {parameters}));
    }
  }
}
