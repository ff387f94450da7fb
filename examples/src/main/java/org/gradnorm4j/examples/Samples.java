package org.gradnorm4j.examples;

import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Examples in memory.
 *
 * @param features one example a row
 * @param labels for each task, one example a row
 */
record Samples(INDArray features, INDArray[] labels) {

  int size() {
    return Math.toIntExact(features.rows());
  }

  /** The rows asked for, copied. */
  MultiDataSet rows(int[] indices) {
    INDArray[] rowLabels = new INDArray[labels.length];
    for (int task = 0; task < labels.length; task++) {
      rowLabels[task] = Nd4j.pullRows(labels[task], 1, indices);
    }
    return new MultiDataSet(new INDArray[] {Nd4j.pullRows(features, 1, indices)}, rowLabels);
  }

  /** The rows from {@code begin} up to {@code end}, copied. */
  MultiDataSet rows(int begin, int end) {
    return rows(IntStream.range(begin, end).toArray());
  }
}
