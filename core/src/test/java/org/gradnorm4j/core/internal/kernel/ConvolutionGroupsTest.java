package org.gradnorm4j.core.internal.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Percentage.withPercentage;

import java.lang.ref.Reference;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The convolution kernel with its tasks in groups: the same numbers, in bounded memory. */
class ConvolutionGroupsTest {
  private static final int OUT = 6;
  private static final int PLACES = 4 * 6 * 6; // N·H·W; more than the 2·3·3 of a patch

  private static org.deeplearning4j.nn.layers.convolution.ConvolutionLayer layer(
      Activation activation) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(OUT).activation(activation).build())
                .layer(new OutputLayer.Builder().nOut(2).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.convolutional(8, 8, 2))
                .build());
    net.init();
    net.initGradientsView();
    return (org.deeplearning4j.nn.layers.convolution.ConvolutionLayer) net.getLayer(0);
  }

  /** Every fifth task is absent. */
  private static INDArray[] epsilons(int tasks) {
    INDArray[] epsilons = new INDArray[tasks];
    Random random = new Random(7);
    for (int task = 0; task < tasks; task++) {
      if (task % 5 != 3) {
        epsilons[task] =
            Nd4j.createFromArray(random.doubles(4 * OUT * 6 * 6).toArray())
                .subi(0.4)
                .muli(Math.pow(10, task % 7 - 3))
                .reshape(4, OUT, 6, 6);
      }
    }
    return epsilons;
  }

  private static double[] squaredNorms(
      org.deeplearning4j.nn.layers.convolution.ConvolutionLayer layer,
      long mostElements,
      INDArray[] epsilons) {
    LayerWorkspaceMgr workspaces = LayerWorkspaceMgr.noWorkspaces();
    ConvolutionNormKernel kernel =
        new ConvolutionNormKernel(layer, mostElements, TaskRows.MOST_ELEMENTS);
    kernel.forward(layer.activate(true, workspaces));
    double[] norms = new double[epsilons.length];
    kernel.addSquaredNorms(epsilons, norms, workspaces);
    return norms;
  }

  private static double[][] gram(
      org.deeplearning4j.nn.layers.convolution.ConvolutionLayer layer,
      long mostElements,
      long mostRowElements,
      INDArray[] epsilons) {
    LayerWorkspaceMgr workspaces = LayerWorkspaceMgr.noWorkspaces();
    ConvolutionNormKernel kernel = new ConvolutionNormKernel(layer, mostElements, mostRowElements);
    kernel.forward(layer.activate(true, workspaces));
    double[][] gram = new double[epsilons.length][epsilons.length];
    kernel.addGram(epsilons, gram, workspaces);
    return gram;
  }

  private static void setInput(org.deeplearning4j.nn.layers.convolution.ConvolutionLayer layer) {
    Nd4j.getRandom().setSeed(3);
    layer.setInput(Nd4j.randn(DataType.DOUBLE, 4, 2, 8, 8), LayerWorkspaceMgr.noWorkspaces());
  }

  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      names = {"RELU", "TANH", "IDENTITY"})
  void groupsOfAnySize_giveTheNormsOfTheLayersOwnBackwardPass(Activation activation) {
    for (int tasks : new int[] {1, 2, 5, 8, 40}) {
      var layer = layer(activation);
      setInput(layer);
      INDArray[] epsilons = epsilons(tasks);
      double[] expected = new double[tasks];
      for (int task = 0; task < tasks; task++) {
        if (epsilons[task] != null) {
          layer.activate(true, LayerWorkspaceMgr.noWorkspaces());
          Gradient gradient =
              layer
                  .backpropGradient(epsilons[task].dup(), LayerWorkspaceMgr.noWorkspaces())
                  .getFirst();
          expected[task] = Math.pow(gradient.getGradientFor("W").norm2Number().doubleValue(), 2);
        }
      }
      for (int group : new int[] {1, 2, 3, tasks}) {
        double[] norms = squaredNorms(layer, (long) group * OUT * PLACES, epsilons);
        for (int task = 0; task < tasks; task++) {
          assertThat(norms[task])
              .as("task %s of %s, %s at a time", task, tasks, group)
              .isCloseTo(expected[task], withPercentage(1e-10));
        }
      }
      assertThat(squaredNorms(layer, 0, epsilons)) // one task at a time is the least
          .isEqualTo(squaredNorms(layer, OUT * PLACES, epsilons));
    }
  }

  /** In groups of tasks as the norms, and in parts of the channels. */
  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      names = {"RELU", "TANH", "IDENTITY"})
  void gram_isThatOfTheLayersOwnBackwardPass(Activation activation) {
    int weights = OUT * 2 * 3 * 3;
    for (int tasks : new int[] {1, 2, 5, 40}) {
      var layer = layer(activation);
      setInput(layer);
      INDArray[] epsilons = epsilons(tasks);
      INDArray gradients = Nd4j.zeros(DataType.DOUBLE, tasks, weights);
      for (int task = 0; task < tasks; task++) {
        if (epsilons[task] != null) {
          layer.activate(true, LayerWorkspaceMgr.noWorkspaces());
          Gradient gradient =
              layer
                  .backpropGradient(epsilons[task].dup(), LayerWorkspaceMgr.noWorkspaces())
                  .getFirst();
          gradients.putRow(task, gradient.getGradientFor("W").dup('c').reshape(weights));
        }
      }
      INDArray expected = gradients.mmul(gradients.transpose());
      for (long[] bounds :
          new long[][] {
            {1 << 20, 1 << 20},
            {3L * OUT * PLACES, 1 << 20},
            {1 << 20, (long) tasks * weights / 2},
            {0, 0}
          }) {
        double[][] gram = gram(layer, bounds[0], bounds[1], epsilons);
        for (int i = 0; i < tasks; i++) {
          for (int j = 0; j < tasks; j++) {
            double scale = Math.sqrt(expected.getDouble(i, i) * expected.getDouble(j, j));
            assertThat(gram[i][j])
                .as("%s with %s of %s", i, j, tasks)
                .isCloseTo(expected.getDouble(i, j), within(1e-12 * scale));
          }
        }
      }
    }
  }

  /** What the kernel keeps, for 40 tasks, 32 of them present. */
  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      names = {"RELU", "TANH", "IDENTITY"})
  void fortyTasks_keepNoMoreThanTheBound(Activation activation) {
    var layer = layer(activation);
    setInput(layer);
    INDArray[] epsilons = epsilons(40);
    long forward = 8L * OUT * PLACES; // z, f'(z) or the like
    for (int group : new int[] {1, 2, 16}) {
      LayerWorkspaceMgr workspaces = LayerWorkspaceMgr.noWorkspaces();
      ConvolutionNormKernel kernel =
          new ConvolutionNormKernel(layer, (long) group * OUT * PLACES, TaskRows.MOST_ELEMENTS);
      INDArray output = layer.activate(true, workspaces);
      long before = Nd4j.getEnvironment().getDeviceCouner(0);
      kernel.forward(output);
      kernel.addSquaredNorms(epsilons, new double[40], workspaces);
      long patches = 8L * PLACES * 2 * 3 * 3;
      long deltasAndGradients = 2 * 8L * group * OUT * PLACES;
      assertThat(Nd4j.getEnvironment().getDeviceCouner(0) - before)
          .isLessThan(deltasAndGradients + patches + 4 * forward);
      Reference.reachabilityFence(kernel);
    }
  }
}
