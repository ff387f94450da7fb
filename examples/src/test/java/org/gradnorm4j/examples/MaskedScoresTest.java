package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Scores over labelled rows only, against the network's outputs row by row. */
class MaskedScoresTest {
  /** More rows than are scored at a time, and one such part without any label of the number. */
  private static final int ROWS = 1100;

  @Test
  void scores_areMeansOverTheLabelledRows() {
    TableEncoding.Column number = new TableEncoding.Column("y", 0.0, 1.0, null, null);
    TableEncoding.Column text = new TableEncoding.Column("k", null, null, List.of("a", "b"), false);
    TableEncoding.Column input = new TableEncoding.Column("x", 0.0, 1.0, null, null);
    var configuration =
        new TableNetwork(List.of(4), List.of(), 0.1)
            .configuration(
                new TableEncoding(List.of(input), List.of(number, text)), Set.of("y", "k"), 7);
    Nd4j.getRandom().setSeed(11);
    INDArray features = Nd4j.randn(DataType.FLOAT, ROWS, 1);
    INDArray numbers = Nd4j.randn(DataType.FLOAT, ROWS, 1);
    INDArray classes = Nd4j.zeros(DataType.FLOAT, ROWS, 2);
    INDArray numberMask = Nd4j.zeros(DataType.FLOAT, ROWS, 1);
    INDArray classMask = Nd4j.zeros(DataType.FLOAT, ROWS, 1);
    for (int row = 0; row < ROWS; row++) {
      classes.putScalar(row, row % 3 == 0 ? 1 : 0, 1.0);
      numberMask.putScalar(row, 0, row >= 500 && row % 4 == 0 ? 1.0 : 0.0);
      classMask.putScalar(row, 0, row % 5 == 0 ? 0.0 : 1.0);
    }
    Samples samples =
        new Samples(
            features, new INDArray[] {numbers, classes}, new INDArray[] {numberMask, classMask});

    TaskScores scores =
        new GraphLearner(configuration, List.of(TaskKind.REGRESSION, TaskKind.CLASSIFICATION))
            .scores(samples);

    ComputationGraph plain = new ComputationGraph(configuration.clone());
    plain.init();
    INDArray[] outputs = plain.output(features);
    double squares = 0.0;
    double logs = 0.0;
    double correct = 0.0;
    for (int row = 0; row < ROWS; row++) {
      if (numberMask.getDouble(row, 0) == 1.0) {
        squares += Math.pow(outputs[0].getDouble(row, 0) - numbers.getDouble(row, 0), 2);
      }
      if (classMask.getDouble(row, 0) == 1.0) {
        int label = row % 3 == 0 ? 1 : 0;
        double probability = outputs[1].getDouble(row, label);
        logs -= Math.log(probability);
        correct += probability > 0.5 ? 1.0 : 0.0;
      }
    }
    assertThat(scores.losses()[0]).isCloseTo(squares / 150, within(1e-5));
    assertThat(scores.losses()[1]).isCloseTo(logs / 880, within(1e-5));
    assertThat(scores.accuracies()[0]).isNaN();
    assertThat(scores.accuracies()[1]).isCloseTo(correct / 880, within(1e-6));
  }
}
