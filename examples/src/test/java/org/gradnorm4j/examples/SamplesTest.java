package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The rows of a minibatch; oracle: ND4J's own pullRows. */
class SamplesTest {
  private static final int[] ROWS = {4, 0, 4, 6};

  /** Ways for the same numbers to lie in memory. */
  enum Layout {
    ROW_BY_ROW,
    COLUMN_BY_COLUMN,
    TRANSPOSED,
    VIEW,
    DOUBLES;

    INDArray of(INDArray array) {
      return switch (this) {
        case ROW_BY_ROW -> array.dup('c');
        case COLUMN_BY_COLUMN -> array.dup('f');
        case TRANSPOSED -> array.transpose().dup('c').transpose();
        case VIEW ->
            Nd4j.hstack(array, array, array)
                .get(
                    NDArrayIndex.all(),
                    NDArrayIndex.interval(array.columns(), 2L * array.columns()));
        case DOUBLES -> array.castTo(DataType.DOUBLE);
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void rows_areThoseAskedFor_inTheirOrder(Layout layout) {
    INDArray features = Nd4j.arange(0, 21).castTo(DataType.FLOAT).reshape('c', 7, 3);
    INDArray labels = features.getColumns(1).mul(-1.0f);
    INDArray mask = features.getColumns(2).gt(9.0).castTo(DataType.FLOAT);
    Samples samples =
        new Samples(
            layout.of(features),
            new INDArray[] {layout.of(labels), layout.of(features)},
            new INDArray[] {layout.of(mask), null});
    MultiDataSet rows = samples.rows(ROWS);
    assertRows(rows.getFeatures(0), features);
    assertRows(rows.getLabels(0), labels);
    assertRows(rows.getLabels(1), features);
    assertRows(rows.getLabelsMaskArray(0), mask);
    assertThat(rows.getLabelsMaskArray(1)).isNull();
    rows.getFeatures(0).assign(99.0f);
    assertRows(samples.rows(ROWS).getFeatures(0), features);
  }

  private static void assertRows(INDArray actual, INDArray all) {
    assertThat(actual.dataType()).isEqualTo(DataType.FLOAT);
    assertThat(actual).isEqualTo(Nd4j.pullRows(all.dup('c'), 1, ROWS));
  }
}
