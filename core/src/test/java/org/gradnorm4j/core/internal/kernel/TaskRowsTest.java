package org.gradnorm4j.core.internal.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Inner products against the sums of products of doubles. */
class TaskRowsTest {
  private static final int LENGTH = 33;

  /** Norms from 10⁻⁹ to 10⁹, or beyond what floats can be squared to; one row is zero. */
  private static double[][] values(int count, boolean extreme) {
    Random random = new Random(count);
    double[][] values = new double[count][LENGTH];
    for (int i = 0; i < count; i++) {
      double size = Math.pow(10, (extreme ? 30 : 9) * (random.nextDouble() * 2 - 1));
      for (int k = 0; k < LENGTH; k++) {
        values[i][k] = i == 1 ? 0.0 : (float) (size * random.nextGaussian());
      }
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 16, 17, 40})
  void products_areThoseOfDoubles(int count) {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      for (boolean extreme : new boolean[] {false, true}) {
        double[][] values = values(count, extreme);
        TaskRows rows = new TaskRows();
        rows.begin(type, count, LENGTH);
        for (int i = 0; i < count; i++) {
          INDArray all = Nd4j.createFromArray(values[i]).castTo(type);
          rows.put(i, List.of(all.reshape(3, 11))); // any shape
        }
        int[] tasks = IntStream.range(0, count).map(i -> count - i).toArray();
        double[][] gram = new double[count + 2][count + 2];
        gram[0][0] = 5.0;
        rows.addProducts(tasks, gram);
        double tolerance = type == DataType.FLOAT ? 1e-6 : 1e-15;
        for (int i = 0; i < count; i++) {
          for (int j = 0; j < count; j++) {
            double product = 0.0;
            double scale = 0.0;
            for (int k = 0; k < LENGTH; k++) {
              product += values[i][k] * values[j][k];
              scale += Math.abs(values[i][k] * values[j][k]);
            }
            assertThat(gram[tasks[i]][tasks[j]]).isCloseTo(product, within(4 * tolerance * scale));
          }
        }
        assertThat(gram[0]).startsWith(5.0, 0.0);
        assertThat(gram[count + 1]).containsOnly(0.0);
      }
    }
  }

  @Test
  void put_fillsUpWithZeros() {
    TaskRows rows = new TaskRows();
    rows.begin(DataType.DOUBLE, 1, 5);
    rows.view(0, 'c', 5).assign(7.0);
    rows.put(0, List.of(Nd4j.createFromArray(1.0, 2.0), Nd4j.createFromArray(3.0)));
    assertThat(rows.view(0, 'c', 5).toDoubleVector()).containsExactly(1, 2, 3, 0, 0);
  }

  @Test
  void oneRowWithOthers_addsToBothSides() {
    TaskRows rows = new TaskRows();
    rows.begin(DataType.DOUBLE, 3, 2);
    rows.put(0, List.of(Nd4j.createFromArray(1.0, 2.0)));
    rows.put(1, List.of(Nd4j.createFromArray(-1.0, 1.0)));
    rows.put(2, List.of(Nd4j.createFromArray(10.0, 100.0)));
    double[][] gram = {{0, 0, 1}, {0, 0, 0}, {1, 0, 0}};
    rows.addProducts(2, 0, new int[] {2, 1}, gram);
    assertThat(gram).isDeepEqualTo(new double[][] {{0, 90, 211}, {90, 0, 0}, {211, 0, 0}});
  }

  @Test
  void parts_areWithinTheBound_andOneAtLeast() {
    assertThat(TaskRows.parts(100, 5, 4, 9)).isEqualTo(5);
    assertThat(TaskRows.parts(100, 5, 2, 9)).isEqualTo(9);
    assertThat(TaskRows.parts(1, 5, 2, 9)).isEqualTo(1);
  }
}
