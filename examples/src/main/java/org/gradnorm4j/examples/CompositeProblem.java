package org.gradnorm4j.examples;

import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reading single digits, on cross-entropy and an L2 penalty.
 *
 * @param seed of the initial parameters
 * @param learningRate of Adam on the network
 * @param l2 weight of the penalty
 */
record CompositeProblem(long seed, double learningRate, double l2) {

  Problem problem(DigitSplit digits) {
    MultiLayerConfiguration network = CompositeNetwork.configuration(seed, learningRate, l2);
    Map<String, TaskKind> tasks = new LinkedHashMap<>();
    tasks.put(CompositeNetwork.CROSS_ENTROPY, TaskKind.CLASSIFICATION);
    tasks.put(CompositeNetwork.PENALTY, TaskKind.PENALTY);
    return new Problem(
        () -> new CompositeLearner(network),
        tasks,
        CompositeNetwork.OUTPUT,
        samples(digits.train()),
        samples(digits.test()));
  }

  /** Features: normalised pixels, row by row. Labels: one-hot. */
  private static Samples samples(Digits digits) {
    INDArray features = Nd4j.create(DataType.FLOAT, digits.size(), Digits.SIDE * Digits.SIDE);
    INDArray labels = Nd4j.create(DataType.FLOAT, digits.size(), Digits.CLASSES);
    for (int row = 0; row < digits.size(); row++) {
      features.putRow(row, Nd4j.createFromArray(Digits.normalize(digits.images()[row])));
      labels.putScalar(row, digits.labels()[row], 1.0);
    }
    return new Samples(features, new INDArray[] {labels});
  }
}
