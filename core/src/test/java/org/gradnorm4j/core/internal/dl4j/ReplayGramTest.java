package org.gradnorm4j.core.internal.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.BitSet;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** An LSTM, W [3, 16] and RW [4, 16], replayed with its gradients kept all or some at a time. */
class ReplayGramTest {
  private static final int TASKS = 7;
  private static final int WEIGHTS = 3 * 16 + 4 * 16;

  private static GraphVertex lstm(DataType type) {
    ComputationGraphConfiguration configuration =
        new NeuralNetConfiguration.Builder()
            .seed(3)
            .dataType(type)
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(InputType.recurrent(3, 5))
            .addLayer("lstm", new LSTM.Builder().nOut(4).build(), "in")
            .addLayer(
                "out",
                new RnnOutputLayer.Builder().nOut(2).activation(Activation.SOFTMAX).build(),
                "lstm")
            .setOutputs("out")
            .build();
    ComputationGraph net = new ComputationGraph(configuration);
    net.init();
    net.initGradientsView();
    return net.getVertex("lstm");
  }

  private static double[][] gram(GraphVertex vertex, INDArray[] epsilons, long mostElements) {
    Nd4j.getRandom().setSeed(5);
    LayerWorkspaceMgr none = LayerWorkspaceMgr.noWorkspaces();
    vertex.setInput(0, Nd4j.randn(vertex.params().dataType(), 2, 3, 5), none);
    vertex.doForward(true, none);
    TrainingStep step = new TrainingStep(TASKS);
    step.open(new double[TASKS], true);
    step.measureGram();
    Replay replay = new Replay(vertex, true, new boolean[1], new BitSet(), step, mostElements);
    replay.run(epsilons, false);
    step.releaseWorkspaces();
    return step.gram();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 5, 6})
  void blocks_giveTheSameAsAllAtOnce(int tasksAtATime) {
    for (DataType type : new DataType[] {DataType.DOUBLE, DataType.FLOAT}) {
      GraphVertex vertex = lstm(type);
      INDArray[] epsilons = new INDArray[TASKS];
      for (int task = 0; task < TASKS; task++) {
        if (task != 4) {
          double size = Math.pow(10, type == DataType.FLOAT ? 10 * (task - 3) : task - 3);
          epsilons[task] = Nd4j.randn(type, 2, 4, 5).muli(size);
        }
      }
      double[][] expected = gram(vertex, epsilons, Long.MAX_VALUE);
      double[][] actual = gram(vertex, epsilons, (long) tasksAtATime * WEIGHTS);
      for (int i = 0; i < TASKS; i++) {
        assertThat(expected[i][i] > 0.0).isEqualTo(i != 4);
        for (int j = 0; j < TASKS; j++) {
          double scale = Math.sqrt(expected[i][i] * expected[j][j]);
          assertThat(actual[i][j])
              .as("%s with %s", i, j)
              .isEqualTo(actual[j][i])
              .isCloseTo(expected[i][j], within((type == DataType.FLOAT ? 1e-6 : 1e-14) * scale));
        }
      }
    }
  }
}
