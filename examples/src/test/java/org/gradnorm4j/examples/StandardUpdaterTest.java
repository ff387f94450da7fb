package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.gradnorm.GradNorm;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Oracle: the updater that Deeplearning4j makes itself, to the last bit. */
class StandardUpdaterTest {
  private static final int STEPS = 20;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void parametersAndState_areThoseOfPlainTraining(boolean attached) {
    ComputationGraph plain = new ComputationGraph(configuration());
    plain.init();
    ComputationGraph other = new ComputationGraph(configuration());
    other.init();
    StandardUpdater.install(other);
    if (attached) {
      GradNorm.builder().sharedLayer("shared").build().attach(plain);
      GradNorm.builder().sharedLayer("shared").build().attach(other);
    }
    for (int step = 0; step < STEPS; step++) {
      MultiDataSet batch = batch(step);
      plain.fit(batch);
      other.fit(batch);
    }
    assertThat(other.params()).isEqualTo(plain.params());
    assertThat(other.updaterState()).isEqualTo(plain.updaterState());
    assertThat(plain.params().distance2(before())).isGreaterThan(0.1);
  }

  /** The way for gradients from elsewhere asks the network for its parameters once per block. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void ownGradient_takesTheOtherWay(boolean installed) {
    AtomicInteger asked = new AtomicInteger();
    ComputationGraph net =
        new ComputationGraph(configuration()) {
          private static final long serialVersionUID = 1L;

          @Override
          public INDArray params() {
            if (StackWalker.getInstance()
                .walk(
                    frames ->
                        frames.anyMatch(frame -> frame.getMethodName().equals("getParams")))) {
              asked.incrementAndGet();
            }
            return super.params();
          }
        };
    net.init();
    if (installed) {
      StandardUpdater.install(net);
    }
    net.fit(batch(0));
    assertThat(asked.get() == 0).isEqualTo(installed);
  }

  private static INDArray before() {
    ComputationGraph net = new ComputationGraph(configuration());
    net.init();
    return net.params();
  }

  /** Two updaters, three kinds of regularisation, and parameters that are no minibatch sums. */
  private static ComputationGraphConfiguration configuration() {
    return new NeuralNetConfiguration.Builder()
        .seed(3)
        .updater(new Adam(1e-2))
        .weightDecay(1e-2)
        .graphBuilder()
        .addInputs("in")
        .addLayer("norm", new BatchNormalization.Builder().nIn(4).nOut(4).build(), "in")
        .addLayer(
            "shared",
            new DenseLayer.Builder().nIn(4).nOut(8).l1(1e-3).activation(Activation.RELU).build(),
            "norm")
        .addLayer("a", output(), "shared")
        .addLayer(
            "b",
            new OutputLayer.Builder(LossFunction.MSE)
                .nIn(8)
                .nOut(1)
                .activation(Activation.IDENTITY)
                .updater(new Nesterovs(1e-2, 0.9))
                .build(),
            "shared")
        .addLayer("c", output(), "shared")
        .setOutputs("a", "b", "c")
        .build();
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder(LossFunction.MSE)
        .nIn(8)
        .nOut(1)
        .l2(1e-2)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static MultiDataSet batch(int step) {
    Nd4j.getRandom().setSeed(100 + step);
    INDArray x = Nd4j.randn(16, 4);
    INDArray y = x.sum(true, 1);
    return new MultiDataSet(new INDArray[] {x}, new INDArray[] {y, y.mul(-3), y.mul(y)});
  }
}
