package org.gradnorm4j.examples;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Examples in memory.
 *
 * @param features one example a row
 * @param labels for each task, one example a row
 * @param masks for each task, a column with 1 for a label and 0 for none; null if none is missing
 */
record Samples(INDArray features, INDArray[] labels, INDArray[] masks) {

  /** Keeps them as numbers row by row; copies those that are not. */
  Samples {
    features = byRows(features);
    labels = Arrays.stream(labels).map(Samples::byRows).toArray(INDArray[]::new);
    masks = Arrays.stream(masks).map(Samples::byRows).toArray(INDArray[]::new);
  }

  private static INDArray byRows(INDArray array) {
    boolean are =
        array == null
            || (array.dataType() == DataType.FLOAT
                && array.ordering() == 'c'
                && !array.isView()
                && Shape.hasDefaultStridesForShape(array));
    return are ? array : array.castTo(DataType.FLOAT).dup('c');
  }

  /** No label is missing. */
  Samples(INDArray features, INDArray[] labels) {
    this(features, labels, new INDArray[labels.length]);
  }

  int size() {
    return Math.toIntExact(features.rows());
  }

  /**
   * How many of the rows from {@code begin} up to {@code end} have a label of a task; all, if the
   * task has no labels of its own, as a penalty.
   */
  double labelled(int task, int begin, int end) {
    return task >= masks.length || masks[task] == null
        ? end - begin
        : masks[task]
            .get(NDArrayIndex.interval(begin, end), NDArrayIndex.all())
            .sumNumber()
            .doubleValue();
  }

  /** The rows asked for, copied. */
  MultiDataSet rows(int[] indices) {
    INDArray[] rowMasks =
        Arrays.stream(masks).allMatch(Objects::isNull) ? null : pull(masks, indices);
    return new MultiDataSet(
        pull(new INDArray[] {features}, indices), pull(labels, indices), null, rowMasks);
  }

  private static INDArray[] pull(INDArray[] arrays, int[] indices) {
    return Arrays.stream(arrays)
        .map(array -> array == null ? null : pull(array, indices))
        .toArray(INDArray[]::new);
  }

  /** ND4J's own pullRows takes some 300 us for it on two threads, as long as a step of training. */
  private static INDArray pull(INDArray array, int[] indices) {
    int width = Math.toIntExact(array.columns());
    float[] rows = new float[Math.multiplyExact(indices.length, width)];
    FloatIndexer source = (FloatIndexer) array.data().indexer();
    for (int i = 0; i < indices.length; i++) {
      source.get((long) indices[i] * width, rows, i * width, width);
    }
    return Nd4j.create(rows, new long[] {indices.length, width});
  }

  /** The rows from {@code begin} up to {@code end}, copied. */
  MultiDataSet rows(int begin, int end) {
    return rows(IntStream.range(begin, end).toArray());
  }
}
