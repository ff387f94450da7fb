package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** What moves the loss weights in a training loop of one's own, and what does not. */
class NotAStepTest {

  private static MultiLayerNetwork network() {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .list()
                .layer(
                    new OutputLayer.Builder(
                            CompositeLoss.builder()
                                .term("squared", 1.0, new LossMSE())
                                .term("absolute", 1.0, new LossMAE())
                                .build())
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    net.init();
    net.setInput(Nd4j.ones(DataType.DOUBLE, 4, 3));
    net.setLabels(Nd4j.ones(DataType.DOUBLE, 4, 2).muli(3));
    return net;
  }

  @Test
  void gradientByHand_isAStep_unlessSaidOtherwise() {
    MultiLayerNetwork net = network();
    MultiLayerNetwork plain = network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    net.computeGradientAndScore();
    Map<String, Double> moved = gradNorm.lossWeights();
    assertThat(moved.get("squared")).isNotEqualTo(1.0);
    assertThat(gradNorm.history().size()).isEqualTo(1);

    gradNorm.notAStep(net::computeGradientAndScore);
    plain.computeGradientAndScore();
    INDArray gradient = net.gradient().gradient();
    assertThat(gradient.toDoubleVector()).isEqualTo(plain.gradient().gradient().toDoubleVector());
    assertThat(gradNorm.lossWeights()).isEqualTo(moved);
    assertThat(gradNorm.history().size()).isEqualTo(1);

    net.computeGradientAndScore();
    assertThat(gradNorm.history().size()).isEqualTo(2);
  }

  @Test
  void notAttached_itJustRuns() {
    int[] runs = new int[1];
    GradNorm gradNorm = GradNorm.builder().build();
    gradNorm.notAStep(() -> runs[0]++);
    assertThat(runs[0]).isEqualTo(1);
    assertThatThrownBy(() -> gradNorm.notAStep(null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("work (null) must not be null");
  }

  /** The network's monitor first, then ours: as a training thread and attaching have it. */
  @Test
  void readersAndDetach_inTheMiddleOfIt_fromAnotherThread() throws Exception {
    MultiLayerNetwork net = network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    gradNorm.notAStep(
        () -> {
          Thread other =
              new Thread(
                  () -> {
                    gradNorm.lossWeights();
                    gradNorm.detach();
                  });
          other.start();
          try {
            other.join(60_000);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          assertThat(other.isAlive()).isFalse();
        });
    MultiLayerNetwork plain = network();
    net.computeGradientAndScore();
    plain.computeGradientAndScore();
    assertThat(net.gradient().gradient().toDoubleVector())
        .isEqualTo(plain.gradient().gradient().toDoubleVector());
    assertThat(gradNorm.history().size()).isZero();
  }
}
