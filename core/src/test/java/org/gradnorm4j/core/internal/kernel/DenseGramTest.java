package org.gradnorm4j.core.internal.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.gradnorm4j.core.internal.kernel.DenseNormKernel.Method;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** Whatever way the Gram matrix of a dense layer goes, in whatever parts: the same numbers. */
class DenseGramTest {
  private static final LayerWorkspaceMgr NONE = LayerWorkspaceMgr.noWorkspaces();

  private static DenseLayer layer(int in, int out, Activation activation, DataType type) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(type)
                .list()
                .layer(
                    new org.deeplearning4j.nn.conf.layers.DenseLayer.Builder()
                        .nOut(out)
                        .activation(activation)
                        .build())
                .layer(new LossLayer.Builder(new LossMSE()).build())
                .setInputType(InputType.feedForward(in))
                .build());
    net.init();
    return (DenseLayer) net.getLayer(0);
  }

  private static double[][] gram(
      DenseLayer layer, Method method, long mostElements, INDArray[] epsilons) {
    DenseNormKernel kernel = new DenseNormKernel(layer, method, mostElements);
    kernel.forward(layer.activate(true, NONE));
    double[][] gram = new double[epsilons.length][epsilons.length];
    kernel.addGram(epsilons, gram, NONE);
    return gram;
  }

  /** Random shapes; some inputs are linearly dependent or zero, some tasks send nothing. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
  void allWays_agree(int seed) {
    Random random = new Random(seed);
    DataType type = seed % 4 == 0 ? DataType.FLOAT : DataType.DOUBLE;
    Activation activation =
        List.of(Activation.RELU, Activation.IDENTITY, Activation.TANH).get(seed % 3);
    int in = 1 + random.nextInt(30);
    int n = 1 + random.nextInt(40);
    DenseLayer layer = layer(in, 1 + random.nextInt(20), activation, type);
    Nd4j.getRandom().setSeed(seed);
    INDArray x = Nd4j.randn(type, n, in);
    for (int row = 1; row < n; row += 3) {
      x.putRow(row, row % 2 == 0 ? x.getRow(row - 1).mul(-2) : Nd4j.zeros(type, in));
    }
    layer.setInput(seed % 2 == 0 ? x : x.dup('f'), NONE);
    INDArray[] epsilons = new INDArray[1 + random.nextInt(24)];
    for (int task = 0; task < epsilons.length; task++) {
      if (task % 5 != 3) {
        epsilons[task] =
            Nd4j.randn(type, layer.activate(true, NONE).shape())
                .muli(Math.pow(10, random.nextInt(7) - 3));
      }
    }
    double[][] expected = gram(layer, Method.DIRECT, Long.MAX_VALUE, epsilons);
    double[] norms = new double[epsilons.length];
    new DenseNormKernel(layer, Method.DIRECT, 0).addSquaredNorms(epsilons, norms, NONE);
    double tolerance = type == DataType.FLOAT ? 1e-5 : 1e-13;
    for (Method method : Method.values()) {
      for (long mostElements : new long[] {Long.MAX_VALUE, 2L * epsilons.length * in, 0}) {
        double[][] actual = gram(layer, method, mostElements, epsilons);
        for (int i = 0; i < norms.length; i++) {
          assertThat(actual[i][i]).isCloseTo(norms[i], within(tolerance * norms[i]));
          for (int j = 0; j < norms.length; j++) {
            assertThat(actual[i][j])
                .as("%s in parts of %s, %s with %s", method, mostElements, i, j)
                .isEqualTo(actual[j][i])
                .isCloseTo(
                    expected[i][j], within(tolerance * Math.sqrt(expected[i][i] * expected[j][j])));
          }
        }
      }
    }
  }
}
