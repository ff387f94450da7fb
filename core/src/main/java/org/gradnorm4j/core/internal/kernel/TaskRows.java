package org.gradnorm4j.core.internal.kernel;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Rows that stand for the gradients of some tasks, and their inner products: the gradients
 * themselves, their coordinates in a common orthonormal basis, or a part of either, as inner
 * products add up over parts. The memory is kept from step to step.
 *
 * <p>The products are those of the elements' precision with the range of a double: a row of floats
 * whose squares are no floats is scaled by a power of two beforehand. With ε the unit roundoff and
 * c a small number, |computed − exact| ≤ c·ε·√length·‖row_i‖‖row_j‖ or better, each entry for
 * itself: a task with a small gradient loses nothing beside one with a large one.
 */
public final class TaskRows {
  /** The most elements that kernels keep rows of at a time: 64 MB of floats. */
  static final long MOST_ELEMENTS = 1 << 24;

  /** As many rows are multiplied in pairs; a symmetric product of so few takes longer. */
  private static final int FEW = 16;

  private final KeptArray memory = new KeptArray('c');
  private final KeptArray products = new KeptArray('c');
  private INDArray rows;
  private int count;
  private long length;

  /** Begins with so many rows; what is in them is of no more use. */
  public void begin(DataType type, int rowCount, long rowLength) {
    count = rowCount;
    length = rowLength;
    rows = memory.sized(type, rowCount, rowLength);
  }

  /**
   * A view of the rows from one on.
   *
   * @param order 'c' or 'f' of the view
   * @param shape of the view, with as many elements as are meant
   */
  INDArray view(int firstRow, char order, long... shape) {
    return Nd4j.create(
        rows.data(),
        shape,
        Nd4j.getStrides(shape, order),
        rows.offset() + firstRow * length,
        order);
  }

  /**
   * Copies arrays into a row, one after the other, with zeros behind them.
   *
   * @param arrays always the same, in the same order; not modified
   */
  public void put(int row, Iterable<INDArray> arrays) {
    INDArray target = view(row, 'c', length);
    long at = 0;
    for (INDArray array : arrays) {
      long[] shape = array.shape();
      Nd4j.create(rows.data(), shape, Nd4j.getStrides(shape, 'f'), target.offset() + at, 'f')
          .assign(array);
      at += array.length();
    }
    if (at < length) {
      target.get(NDArrayIndex.interval(at, length)).assign(0.0);
    }
  }

  /**
   * Adds ⟨row_i, row_j⟩ of the first rows, also to the entry across the diagonal.
   *
   * @param tasks of these rows, which are not to be used afterwards: they may be scaled
   * @param gram one row and column per task. Modified.
   */
  public void addProducts(int[] tasks, double[][] gram) {
    double[] squares = new double[tasks.length];
    double[] scales = new double[tasks.length];
    for (int i = 0; i < tasks.length; i++) {
      squares[i] = Blas.INSTANCE.squaredNorm(rows, i * length, length);
      scales[i] = scale(squares[i]);
      if (scales[i] != 1.0) {
        Blas.INSTANCE.scale(view(i, 'c', length), 1.0 / scales[i]);
      }
      gram[tasks[i]][tasks[i]] += squares[i];
    }
    INDArray all = tasks.length > FEW ? symmetricProduct(tasks.length) : null;
    for (int i = 1; i < tasks.length; i++) {
      for (int j = 0; j < i; j++) {
        if (squares[i] != 0.0 && squares[j] != 0.0) { // 0 · NaN is no product of gradients
          double product =
              all == null
                  ? Blas.INSTANCE.dotOfParts(rows, i * length, j * length, length)
                  : all.getDouble(i, j);
          add(gram, tasks[i], tasks[j], product * scales[i] * scales[j]);
        }
      }
    }
  }

  /**
   * Adds ⟨row, row_j⟩ of one row with the first ones.
   *
   * @param task of the row
   * @param tasks of the first rows
   * @param gram as above. Modified.
   */
  public void addProducts(int row, int task, int[] tasks, double[][] gram) {
    INDArray own = view(row, 'c', length);
    for (int j = 0; j < tasks.length; j++) {
      add(gram, task, tasks[j], Blas.INSTANCE.dot(own, view(j, 'c', length)));
    }
  }

  private static void add(double[][] gram, int i, int j, double product) {
    gram[i][j] += product;
    gram[j][i] += product;
  }

  /** Its lower triangle. */
  private INDArray symmetricProduct(int size) {
    INDArray result = products.sized(rows.dataType(), size, size);
    Blas.INSTANCE.gram(size == count ? rows : view(0, 'c', size, length), result);
    return result;
  }

  /** The power of two by which a row is divided so that its products are floats. */
  private double scale(double squaredNorm) {
    boolean ordinary =
        Blas.isDouble(rows)
            || squaredNorm == 0.0
            || !Double.isFinite(squaredNorm)
            || Blas.isInRangeOfFloats(squaredNorm);
    int exponent = Math.getExponent(Math.sqrt(squaredNorm));
    return ordinary ? 1.0 : Math.scalb(1.0, Math.max(-120, Math.min(120, exponent)));
  }

  /** The tasks that send something. */
  static int[] present(INDArray[] taskEpsilons) {
    int[] present = new int[taskEpsilons.length];
    int tasks = 0;
    for (int task = 0; task < taskEpsilons.length; task++) {
      if (taskEpsilons[task] != null) {
        present[tasks++] = task;
      }
    }
    return Arrays.copyOf(present, tasks);
  }

  /** As many as possible of the parts of all rows within a bound, and one at least. */
  static long parts(long mostElements, int rowCount, long partLength, long partCount) {
    return Math.max(1, Math.min(partCount, mostElements / (rowCount * partLength)));
  }
}
