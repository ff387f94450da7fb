package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.CompositeLoss;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.slf4j.LoggerFactory;

/** What is in the log of a training run. */
class GradNormLogListenerTest {
  private static final String LONG_NAME = "a task that has an uncommonly long name";

  private final Logger logger = (Logger) LoggerFactory.getLogger(GradNormLogListener.class);
  private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

  @BeforeEach
  void listen() {
    logger.setLevel(Level.INFO);
    logger.setAdditive(false);
    logger.addAppender(appender);
    appender.start();
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(appender);
    logger.setAdditive(true);
    logger.setLevel(null);
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
    INDArray x = Nd4j.linspace(-1, 1, 12).reshape(4, 3);
    INDArray y = Nd4j.linspace(2, 5, 8).reshape(4, 2);
    for (int i = 0; i < steps; i++) {
      net.fit(x, y);
    }
    last = gradNorm;
    return appender.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
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

  @Test
  void interval_isChecked() {
    assertThatThrownBy(() -> new GradNormLogListener(GradNorm.builder().build(), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("iterations (0) must be >= 1");
  }
}
