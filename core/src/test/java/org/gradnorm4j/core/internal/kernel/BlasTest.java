package org.gradnorm4j.core.internal.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.scalar.RectifiedLinearDerivative;
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
    double diagonals = 0.0;
    for (int i = 0; i < N; i++) {
      diagonals += gram.getDouble(i, i) * other.getDouble(i, i);
    }
    assertThat(blas.diagonalDot(gram, other)).isCloseTo(diagonals, within(20 * tolerance));
    assertThat(blas.dot(a, a)).isCloseTo(dot, within(20 * tolerance));
    assertThat(blas.squaredNorm(product, 2 * K, K)).isCloseTo(squares, within(100 * tolerance));
  }

  @ParameterizedTest
  @MethodSource("waysAndArrays")
  void sumsOfProducts_haveTheRangeOfDoubles(Blas blas, DataType type, String layout) {
    for (double size : new double[] {1e-30, 1e30}) {
      INDArray a = Blas.dense(array(type, layout, 40, 40).assign(size));
      assertThat(blas.dot(a, a) / 1600).isCloseTo(size * size, within(1e-6 * size * size));
      assertThat(blas.squaredNorm(a, 1, 40) / 40)
          .isCloseTo(size * size, within(1e-6 * size * size));
      assertThat(blas.diagonalDot(a, a) / 40).isCloseTo(size * size, within(1e-6 * size * size));
    }
  }

  /** −0, infinities and NaN of both signs among them. */
  private static INDArray values(DataType type, String layout, int columns) {
    INDArray array = array(type, layout, 19, columns).subi(0.5);
    double[] special = {0.0, -0.0, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN};
    for (int i = 0; i < special.length; i++) {
      array.putScalar(i + 2, i, special[i]);
      array.putScalar(2, i, special[i]);
    }
    return array;
  }

  private static double[] elements(INDArray array) {
    return array.dup('c').data().asDouble();
  }

  private static long[] bits(INDArray array) {
    return Arrays.stream(elements(array)).mapToLong(Double::doubleToRawLongBits).toArray();
  }

  @ParameterizedTest
  @MethodSource("waysAndArrays")
  void elementByElement_isWhatNd4jDoes_bitForBit(Blas blas, DataType type, String layout) {
    elementByElement(blas, type, layout, 7);
    elementByElement(blas, type, layout, 2500); // in several pieces
  }

  private static void elementByElement(Blas blas, DataType type, String layout, int columns) {
    Nd4j.getRandom().setSeed(2);
    INDArray a = values(type, layout, columns);
    INDArray b = values(type, layout, columns);
    INDArray result = Nd4j.zeros(type, 19, columns);

    blas.step(a, result);
    double[] ones = Arrays.stream(elements(a)).map(x -> x > 0.0 ? 1.0 : 0.0).toArray();
    assertThat(elements(result)).isEqualTo(ones);
    INDArray steps = result.dup();
    INDArray expected = Nd4j.zeros(type, 19, columns);
    Nd4j.exec(new RectifiedLinearDerivative(a.dup(), b.dup(), expected, 0.0));
    blas.select(steps, b, result);
    assertThat(bits(result)).isEqualTo(bits(expected));

    INDArray part = // a task's columns
        Nd4j.zeros(type, 19, columns + 9).get(all(), interval(3, columns + 3));
    blas.select(steps, b, part);
    assertThat(bits(part)).isEqualTo(bits(expected));

    blas.multiply(a, b, result);
    assertThat(bits(result)).isEqualTo(bits(a.mul(b)));

    INDArray sum = b.dup();
    blas.add(sum, a);
    assertThat(bits(sum)).isEqualTo(bits(b.add(a)));

    INDArray scaled = a.dup();
    blas.scale(scaled, 0.3);
    assertThat(bits(scaled)).isEqualTo(bits(a.mul(0.3)));
    blas.scale(a, 0.3);
    assertThat(bits(a)).isEqualTo(bits(scaled));
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

  /** Of doubles not all kernels of OpenBLAS have it right, and those that do not are not used. */
  @ParameterizedTest
  @MethodSource("types")
  void triangularFactor_hasTheInnerProducts_ofWhatItIsTheFactorOf(DataType type) {
    Nd4j.getRandom().setSeed(1);
    INDArray x = Nd4j.randn(type, 200, 210);
    INDArray a = Nd4j.randn(type, 200, 7);
    INDArray factor = x.dup('c');
    boolean done = new OpenBlas().factor(factor);
    assertThat(done).isEqualTo(OpenBlasFactor.isRight(type));
    if (type == DataType.FLOAT) {
      assertThat(done).isTrue();
    }
    if (done) {
      INDArray coordinates = a.dup('c');
      new OpenBlas().multiplyByFactor(factor, coordinates);
      INDArray actual = coordinates.transpose().mmul(coordinates);
      INDArray gradient = x.transpose().mmul(a);
      INDArray expected = gradient.transpose().mmul(gradient);
      double tolerance = type == DataType.DOUBLE ? 1e-14 : 1e-5;
      assertThat(actual.sub(expected).norm2Number().doubleValue())
          .isLessThan(tolerance * expected.norm2Number().doubleValue());
    }
    assertThat(new Blas.Nd4jBlas().factor(x)).isFalse();
  }

  static Stream<DataType> types() {
    return Stream.of(DataType.FLOAT, DataType.DOUBLE);
  }
}
