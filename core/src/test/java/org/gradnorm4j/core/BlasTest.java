package org.gradnorm4j.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Both ways to BLAS against three nested loops. */
class BlasTest {
  private static final int N = 5;
  private static final int K = 3;

  static Stream<Arguments> waysAndArrays() {
    return Stream.of(new OpenBlas(), new Blas.Nd4jBlas())
        .flatMap(
            blas ->
                Stream.of(DataType.FLOAT, DataType.DOUBLE)
                    .flatMap(
                        type ->
                            Stream.of("rows", "columns", "part of a larger array")
                                .map(layout -> Arguments.of(blas, type, layout))));
  }

  private static INDArray array(DataType type, String layout, int rows, int columns) {
    INDArray larger = Nd4j.rand(type, rows + 2, columns);
    return switch (layout) {
      case "rows" -> Nd4j.rand(type, rows, columns);
      case "columns" -> Nd4j.rand(type, rows, columns).dup('f');
      default -> larger.get(NDArrayIndex.interval(1, rows + 1), NDArrayIndex.all());
    };
  }

  @ParameterizedTest
  @MethodSource("waysAndArrays")
  void products_areThoseOfTheLoops(Blas blas, DataType type, String layout) {
    Nd4j.getRandom().setSeed(1);
    INDArray a = array(type, layout, N, K);
    INDArray b = array(type, layout, N, 4);
    double tolerance = type == DataType.DOUBLE ? 1e-15 : 1e-6;

    INDArray gram = Nd4j.zeros(type, N, N);
    blas.gram(a, gram);
    INDArray product = Nd4j.zeros(type, 4, K).transpose();
    blas.transposedProduct(a, b, product);
    double dot = 0.0;
    double squares = 0.0;
    for (int i = 0; i < N; i++) {
      for (int j = 0; j <= i; j++) {
        double expected = 0.0;
        for (int k = 0; k < K; k++) {
          expected += a.getDouble(i, k) * a.getDouble(j, k);
        }
        assertThat(gram.getDouble(i, j)).isCloseTo(expected, within(4 * tolerance));
      }
      for (int k = 0; k < K; k++) {
        dot += a.getDouble(i, k) * a.getDouble(i, k);
      }
    }
    INDArray other = Nd4j.zeros(type, N, N);
    blas.gram(b, other);
    double expectedDot = 0.0;
    double diagonal = 0.0;
    for (int i = 0; i < N; i++) {
      for (int j = 0; j < N; j++) {
        int row = Math.max(i, j);
        int column = Math.min(i, j);
        double both = gram.getDouble(row, column) * other.getDouble(row, column);
        expectedDot += both;
        diagonal += i == j ? both : 0.0;
      }
    }
    assertThat(blas.dotOfGrams(gram, other, diagonal))
        .isCloseTo(expectedDot, within(100 * tolerance));
    for (int k = 0; k < K; k++) {
      for (int m = 0; m < 4; m++) {
        double expected = 0.0;
        for (int i = 0; i < N; i++) {
          expected += a.getDouble(i, k) * b.getDouble(i, m);
        }
        assertThat(product.getDouble(k, m)).isCloseTo(expected, within(8 * tolerance));
        if (m == 2) { // the third column: elements 2K to 3K, in column order
          squares += expected * expected;
        }
      }
    }
    assertThat(blas.dot(a, a)).isCloseTo(dot, within(20 * tolerance));
    assertThat(blas.squaredNorm(product, 2 * K, K)).isCloseTo(squares, within(100 * tolerance));
  }

  @Test
  void theCpuBackend_isCalledDirectly() {
    assertThat(Blas.INSTANCE).isInstanceOf(OpenBlas.class);
  }

  @Test
  void onlyArraysWithoutGaps_areDense() {
    INDArray array = Nd4j.rand(DataType.DOUBLE, 4, 6);
    INDArray someColumns = array.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 3));
    assertThat(List.of(array, array.transpose(), array.dup('f'))).allMatch(Blas::isDense);
    assertThat(Blas.isDense(someColumns)).isFalse();
    assertThat(Blas.dense(someColumns)).isEqualTo(someColumns).matches(Blas::isDense);
    assertThat(Blas.dense(array)).isSameAs(array);
  }
}
