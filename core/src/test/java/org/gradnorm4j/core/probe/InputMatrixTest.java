package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.gradnorm4j.core.probe.InputNetworks.Kind;
import org.gradnorm4j.core.probe.InputNetworks.Role;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Every array a user hands in, in every data type, layout and shape. What plain DL4J trains with,
 * an attached network trains with, bit for bit, and measures as it does the same numbers in an
 * ordinary array; what plain DL4J refuses, it refuses in the same words; the analysis too. The
 * layer that is measured is the one that gets the features.
 */
@Tag(TestSize.EXHAUSTIVE)
class InputMatrixTest {

  /** How the elements lie in memory. */
  enum Layout {
    ROWS(array -> array.dup('c')),
    COLUMNS(array -> array.dup('f')),
    VIEW(InputMatrixTest::view),
    REPEATED(InputMatrixTest::repeated);

    private final UnaryOperator<INDArray> of;

    Layout(UnaryOperator<INDArray> of) {
      this.of = of;
    }
  }

  /** Part of a larger array, with gaps and an offset. */
  private static INDArray view(INDArray array) {
    long[] larger = Arrays.stream(array.shape()).map(size -> size + 2).toArray();
    INDArrayIndex[] part =
        Arrays.stream(array.shape())
            .mapToObj(size -> NDArrayIndex.interval(1, size + 1))
            .toArray(INDArrayIndex[]::new);
    return Nd4j.zeros(array.dataType(), larger).get(part).assign(array);
  }

  /** The first example for all of them, by a stride of 0. */
  private static INDArray repeated(INDArray array) {
    INDArray examples = array.dup('c');
    long[] strides = examples.stride().clone();
    strides[0] = 0;
    return Nd4j.create(examples.data(), examples.shape(), strides, 0, 'c');
  }

  static Stream<Arguments> cases() {
    return Arrays.stream(Kind.values())
        .flatMap(
            kind ->
                Arrays.stream(Role.values())
                    .flatMap(
                        role ->
                            Stream.of(DataType.FLOAT, DataType.DOUBLE)
                                .map(type -> arguments(kind, role, type))));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyArray_isTakenOrRefusedAsByPlainDl4j(Kind kind, Role role, DataType type) {
    int every = TestSize.of(3, 1); // by turns, so that each type, layout and shape has its share
    int turn = 0;
    InputTrial trial = new InputTrial(kind, type);
    for (DataType arrayType : DataType.values()) {
      for (Layout layout : Layout.values()) {
        for (long[] shape : kind.shapes(role)) {
          if (isArray(arrayType, layout, shape)
              && !isUnknownToBlas(role, type, arrayType, layout)
              && turn++ % every == 0) {
            INDArray values = InputNetworks.bits(shape).castTo(arrayType);
            trial.train(role, () -> layout.of.apply(values));
          }
        }
      }
    }
    assertThat(trial.faults()).isEmpty();
    assertThat(trial.trained())
        .isGreaterThanOrEqualTo(13 * 3 / every); // types, rows and columns and view
    assertThat(trial.measured()).isGreaterThan(trial.trained() / 2);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void analysis_takesWhatPlainDl4jTakes(Kind kind, Role role, DataType type) {
    InputTrial trial = new InputTrial(kind, type);
    for (DataType arrayType :
        List.of(DataType.BOOL, DataType.UINT8, DataType.INT64, DataType.FLOAT16)) {
      for (long[] shape : kind.shapes(role)) {
        INDArray values = InputNetworks.bits(shape).castTo(arrayType);
        trial.analyze(role, () -> view(values));
      }
    }
    assertThat(trial.faults()).isEmpty();
    assertThat(trial.trained()).isPositive();
    if (role != Role.FEATURE_MASK) { // of images DL4J takes integers in it for other numbers
      assertThat(trial.measured()).isEqualTo(trial.trained());
    }
  }

  /**
   * Whether there is such an array. Strides of 0 in more than two dimensions ND4J copies wrongly.
   */
  private static boolean isArray(DataType type, Layout layout, long[] shape) {
    boolean hasNumbers =
        type != DataType.COMPRESSED && type != DataType.UNKNOWN && type != DataType.UTF8;
    return hasNumbers
        && switch (layout) {
          case ROWS, COLUMNS -> true;
          case VIEW -> shape.length > 0;
          case REPEATED -> shape.length == 1 || shape.length == 2;
        };
  }

  /** DL4J hands BLAS a stride of 0, which computes nothing: what was there stays. */
  private static boolean isUnknownToBlas(
      Role role, DataType type, DataType arrayType, Layout layout) {
    return role == Role.FEATURES && type == arrayType && layout == Layout.REPEATED;
  }
}
