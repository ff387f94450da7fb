package org.gradnorm4j.core.internal.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Kept memory is that of the largest array, and nothing else. */
class KeptArrayTest {

  /** ND4J's own count of the bytes in arrays; garbage of others can only make it less. */
  private static long bytesInArrays() {
    return Nd4j.getEnvironment().getDeviceCouner(0);
  }

  @ParameterizedTest
  @ValueSource(chars = {'c', 'f'})
  void threeHundredShapes_takeTheMemoryOfTheLargest(char order) {
    KeptArray kept = new KeptArray(order);
    Random random = new Random(1);
    long before = bytesInArrays();
    long largest = 0;
    for (int i = 0; i < 300; i++) {
      long[] shape = {1 + random.nextInt(700), 1 + random.nextInt(700)};
      INDArray array = kept.sized(DataType.FLOAT, shape);
      assertThat(array.shape()).isEqualTo(shape);
      assertThat(array.stride()).isEqualTo(Nd4j.getStrides(shape, order));
      assertThat(array.isAttached()).isFalse();
      assertThat(array.sumNumber().doubleValue()).isZero(); // what others wrote is gone
      assertThat(kept.sized(DataType.FLOAT, shape)).isSameAs(array);
      array.assign(i + 1.0);
      assertThat(array.minNumber().doubleValue()).isEqualTo(i + 1.0);
      assertThat(array.maxNumber().doubleValue()).isEqualTo(i + 1.0);
      largest = Math.max(largest, 4 * shape[0] * shape[1]);
      assertThat(bytesInArrays() - before).isLessThan(largest + 100_000); // sums and the like
    }
    INDArray doubles = kept.sized(DataType.DOUBLE, 3, 2);
    assertThat(doubles.dataType()).isEqualTo(DataType.DOUBLE);
    assertThat(bytesInArrays() - before).isLessThan(100_000);
  }
}
