package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** What is in the log of a training run. */
class GradNormLogListenerTest {
  private static final String LONG_NAME = "a task that has an uncommonly long name";

  private final LogRecorder log = new LogRecorder(GradNormLogListener.class);

  @AfterEach
  void stopListening() {
    log.close();
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .list()
                .layer(
                    new OutputLayer.Builder(
                            CompositeLoss.builder()
                                .term("squared", 1.0, new LossMSE())
                                .term(LONG_NAME, 1.0, new LossMAE())
                                .build())
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    net.init();
    return net;
  }

  private List<String> train(int measureEvery, int every, int steps) {
    MultiLayerNetwork net = network();
    GradNorm gradNorm = GradNorm.builder().measureEvery(measureEvery).build().attach(net);
    net.setListeners(new GradNormLogListener(gradNorm, every));
    fit(net, steps);
    last = gradNorm;
    return log.messages();
  }

  private static void fit(MultiLayerNetwork net, int steps) {
    INDArray x = Nd4j.linspace(-1, 1, 12).reshape(4, 3);
    INDArray y = Nd4j.linspace(2, 5, 8).reshape(4, 2);
    for (int i = 0; i < steps; i++) {
      net.fit(x, y);
    }
  }

  private GradNorm last;

  @Test
  void everyNthIteration_isLogged_oneAlignedLinePerTask() {
    List<String> lines = train(1, 2, 3);
    assertThat(lines).hasSize(8);
    assertThat(lines.get(0)).startsWith("Score at iteration 0 is ");
    assertThat(lines.get(1))
        .isEqualTo("  task                    loss    weight    share      rate");
    assertThat(lines.get(4)).startsWith("Score at iteration 2 is ");
    List<GradNormHistory.Row> rows = last.history().rows().skip(4).toList();
    double total = rows.get(0).weightedGradientNorm() + rows.get(1).weightedGradientNorm();
    String[] names = {"squared           ", "a task t…long name"};
    for (int task = 0; task < 2; task++) {
      GradNormHistory.Row row = rows.get(task);
      assertThat(lines.get(6 + task))
          .isEqualTo(
              String.format(
                  Locale.ROOT,
                  "  %s %9.4g %9.4g %6.1f %% %9.4g",
                  names[task],
                  row.loss(),
                  row.lossWeight(),
                  100 * row.weightedGradientNorm() / total,
                  row.relativeInverseTrainingRate()));
    }
    assertThat(lines).allMatch(line -> line.length() <= 59, "59 columns");
    assertThat(String.join("", lines)).doesNotContain("\u001b");
  }

  /** Iteration 2 is not measured; the numbers are those of iteration 0, and say so. */
  @Test
  void iterationThatIsNotMeasured_namesTheOneThatWas() {
    List<String> lines = train(4, 2, 3);
    assertThat(lines.get(5)).startsWith("  at 0  ");
    assertThat(lines.get(6)).isEqualTo(lines.get(2));
  }

  /**
   * A GradNorm of another process, in every state it can be in: the fit goes on, and the lines are
   * those of the step it remembers.
   */
  @ParameterizedTest
  @CsvSource({"true, false", "false, false", "true, true", "false, true"})
  void restored_logsTheStepItRemembers(boolean history, boolean frozen, @TempDir Path folder)
      throws Exception {
    List<String> lines = train(10, 1, 1);
    if (frozen) {
      last.freeze();
    }
    MultiLayerNetwork net = network();
    fit(net, 3);
    Path file = folder.resolve("file");
    if (history) {
      last.writeModel(net, file);
    } else {
      last.save(file);
    }
    GradNorm restored = history ? GradNorm.restoreFromModel(file) : GradNorm.restore(file);
    GradNormLogListener listener = new GradNormLogListener(restored, 1);
    restored.attach(net);
    net.setListeners(listener);
    fit(net, 1);
    List<String> now = log.messages().subList(lines.size(), log.messages().size());
    assertThat(now.get(0)).startsWith("Score at iteration 3 is ");
    assertThat(now.get(1)).startsWith("  at 0  ");
    assertThat(now.subList(2, 4)).isEqualTo(lines.subList(2, 4));
    assertThat(now).hasSize(4);
  }

  @Test
  void beforeTheFirstMeasuredStep_andDetached_onlyTheScoreIsLogged() {
    MultiLayerNetwork net = network();
    GradNorm gradNorm = GradNorm.builder().build();
    net.setListeners(new GradNormLogListener(gradNorm, 1));
    fit(net, 1);
    gradNorm.attach(net).freeze();
    fit(net, 1);
    gradNorm.detach();
    fit(net, 1);
    assertThat(log.messages())
        .hasSize(3)
        .allMatch(line -> line.startsWith("Score at iteration "), "the score");
  }

  @Test
  void absentTask_hasDashes() {
    MultiDataSet batch = TrainingProcess.batch(0); // task c has no labels in it
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    net.setListeners(new GradNormLogListener(gradNorm, 1));
    net.fit(batch);
    assertThat(log.messages().get(4)).matches("  c +– +1\\.000 +0\\.0 % +–");
  }

  @Test
  void interval_isChecked() {
    assertThatThrownBy(() -> new GradNormLogListener(GradNorm.builder().build(), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("iterations (0) must be >= 1");
  }
}
