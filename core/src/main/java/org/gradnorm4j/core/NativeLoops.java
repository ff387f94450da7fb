package org.gradnorm4j.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Element by element work on FLOAT and DOUBLE arrays in the memory of the process. It is fetched
 * piece by piece into Java arrays that stay in the processor's cache, where the JIT compiler turns
 * plain loops without branches into vector instructions; loops over the memory itself it does not,
 * and they take three times as long. ND4J's own operation for the derivative of ReLU takes longer
 * than those.
 *
 * <p>Arrays are walked row by row; one without gaps is a single row.
 */
final class NativeLoops {
  private NativeLoops() {}

  /** Whether elements lie in row order without gaps. */
  static boolean isRowOrder(INDArray a) {
    long stride = 1;
    for (int i = a.rank() - 1; i >= 0; i--) {
      if (a.size(i) != 1 && a.stride(i) != stride) {
        return false;
      }
      stride *= a.size(i);
    }
    return true;
  }

  /** Whether elements lie in column order without gaps. */
  static boolean isColumnOrder(INDArray a) {
    long stride = 1;
    for (int i = 0; i < a.rank(); i++) {
      if (a.size(i) != 1 && a.stride(i) != stride) {
        return false;
      }
      stride *= a.size(i);
    }
    return true;
  }

  /** Bytes from the first element to behind the last. */
  private static long extent(INDArray a) {
    long last = 0;
    for (int i = 0; i < a.rank(); i++) {
      last += (a.size(i) - 1) * a.stride(i);
    }
    return (last + 1) * a.dataType().width();
  }

  /**
   * 1 where a &gt; 0, else 0.
   *
   * @param steps takes the result; may be a
   * @return whether it was done: the loops cannot walk every array
   */
  static boolean step(INDArray a, INDArray steps) {
    Rows rows = Rows.of(a, steps);
    if (rows == null) {
      return false;
    }
    if (a.dataType() == DataType.DOUBLE) {
      LongBuffer from = bytes(a).asLongBuffer();
      LongBuffer to = bytes(steps).asLongBuffer();
      long[] x = LONGS.get()[0];
      for (int i = 0; i < rows.pieces; i++) {
        from.get(rows.start(0, i), x, 0, rows.size(i));
        step(x, rows.size(i));
        to.put(rows.start(1, i), x, 0, rows.size(i));
      }
    } else {
      IntBuffer from = bytes(a).asIntBuffer();
      IntBuffer to = bytes(steps).asIntBuffer();
      int[] x = INTS.get()[0];
      for (int i = 0; i < rows.pieces; i++) {
        from.get(rows.start(0, i), x, 0, rows.size(i));
        step(x, rows.size(i));
        to.put(rows.start(1, i), x, 0, rows.size(i));
      }
    }
    return true;
  }

  /**
   * The values where steps is 1, and 0 where it is 0: bit for bit what ReLU's backward pass gives.
   *
   * @param steps of {@link #step}
   * @param result may be values
   * @return whether it was done
   */
  static boolean select(INDArray steps, INDArray values, INDArray result) {
    Rows rows = Rows.of(steps, values, result);
    if (rows == null) {
      return false;
    }
    if (steps.dataType() == DataType.DOUBLE) {
      LongBuffer first = bytes(steps).asLongBuffer();
      LongBuffer second = bytes(values).asLongBuffer();
      LongBuffer to = bytes(result).asLongBuffer();
      long[] x = LONGS.get()[0];
      long[] y = LONGS.get()[1];
      for (int i = 0; i < rows.pieces; i++) {
        first.get(rows.start(0, i), x, 0, rows.size(i));
        second.get(rows.start(1, i), y, 0, rows.size(i));
        select(x, y, rows.size(i));
        to.put(rows.start(2, i), y, 0, rows.size(i));
      }
    } else {
      IntBuffer first = bytes(steps).asIntBuffer();
      IntBuffer second = bytes(values).asIntBuffer();
      IntBuffer to = bytes(result).asIntBuffer();
      int[] x = INTS.get()[0];
      int[] y = INTS.get()[1];
      for (int i = 0; i < rows.pieces; i++) {
        first.get(rows.start(0, i), x, 0, rows.size(i));
        second.get(rows.start(1, i), y, 0, rows.size(i));
        select(x, y, rows.size(i));
        to.put(rows.start(2, i), y, 0, rows.size(i));
      }
    }
    return true;
  }

  /**
   * a ⊙ b.
   *
   * @param result may be a or b
   * @return whether it was done
   */
  static boolean multiply(INDArray a, INDArray b, INDArray result) {
    Rows rows = Rows.of(a, b, result);
    if (rows == null) {
      return false;
    }
    if (a.dataType() == DataType.DOUBLE) {
      DoubleBuffer first = bytes(a).asDoubleBuffer();
      DoubleBuffer second = bytes(b).asDoubleBuffer();
      DoubleBuffer to = bytes(result).asDoubleBuffer();
      double[] x = DOUBLES.get()[0];
      double[] y = DOUBLES.get()[1];
      for (int i = 0; i < rows.pieces; i++) {
        first.get(rows.start(0, i), x, 0, rows.size(i));
        second.get(rows.start(1, i), y, 0, rows.size(i));
        multiply(x, y, rows.size(i));
        to.put(rows.start(2, i), y, 0, rows.size(i));
      }
    } else {
      FloatBuffer first = bytes(a).asFloatBuffer();
      FloatBuffer second = bytes(b).asFloatBuffer();
      FloatBuffer to = bytes(result).asFloatBuffer();
      float[] x = FLOATS.get()[0];
      float[] y = FLOATS.get()[1];
      for (int i = 0; i < rows.pieces; i++) {
        first.get(rows.start(0, i), x, 0, rows.size(i));
        second.get(rows.start(1, i), y, 0, rows.size(i));
        multiply(x, y, rows.size(i));
        to.put(rows.start(2, i), y, 0, rows.size(i));
      }
    }
    return true;
  }

  /**
   * On the bits b of a float: b &gt; 0 says that it is positive, or a NaN, which is above the bits
   * of infinity. −b ∧ ¬b is negative for b &gt; 0 only.
   */
  private static void step(int[] x, int length) {
    for (int i = 0; i < length; i++) {
      x[i] = (-x[i] & ~x[i] & (x[i] - NAN_FLOAT)) >> 31 & ONE_FLOAT;
    }
  }

  private static void step(long[] x, int length) {
    for (int i = 0; i < length; i++) {
      x[i] = (-x[i] & ~x[i] & (x[i] - NAN_DOUBLE)) >> 63 & ONE_DOUBLE;
    }
  }

  /** The third bit of 1.0, and not of 0.0, is set: spread over all bits it lets all of y pass. */
  private static void select(int[] x, int[] y, int length) {
    for (int i = 0; i < length; i++) {
      y[i] &= x[i] << 2 >> 31;
    }
  }

  private static void select(long[] x, long[] y, int length) {
    for (int i = 0; i < length; i++) {
      y[i] &= x[i] << 2 >> 63;
    }
  }

  private static void multiply(float[] x, float[] y, int length) {
    for (int i = 0; i < length; i++) {
      y[i] = x[i] * y[i];
    }
  }

  private static void multiply(double[] x, double[] y, int length) {
    for (int i = 0; i < length; i++) {
      y[i] = x[i] * y[i];
    }
  }

  /** Elements; 8 kB of doubles. */
  private static final int PIECE = 1024;

  // Two pieces a thread, kept: made anew they would be most of what a step with GradNorm allocates.
  private static final ThreadLocal<int[][]> INTS = ThreadLocal.withInitial(() -> new int[2][PIECE]);
  private static final ThreadLocal<long[][]> LONGS =
      ThreadLocal.withInitial(() -> new long[2][PIECE]);
  private static final ThreadLocal<float[][]> FLOATS =
      ThreadLocal.withInitial(() -> new float[2][PIECE]);
  private static final ThreadLocal<double[][]> DOUBLES =
      ThreadLocal.withInitial(() -> new double[2][PIECE]);

  private static final int ONE_FLOAT = Float.floatToRawIntBits(1f);
  private static final long ONE_DOUBLE = Double.doubleToRawLongBits(1.0);
  private static final int NAN_FLOAT = Float.floatToRawIntBits(Float.POSITIVE_INFINITY) + 1;
  private static final long NAN_DOUBLE = Double.doubleToRawLongBits(Double.POSITIVE_INFINITY) + 1;

  /** How to walk some arrays of one shape side by side, in pieces of rows. */
  private static final class Rows {
    private final int pieces;
    private final int piecesOfRow;
    private final int length;
    private final int[] strides;

    /** All in row order, or matrices whose rows are; anything else cannot be walked. */
    static Rows of(INDArray... arrays) {
      DataType type = arrays[0].dataType();
      boolean walkable = type == DataType.FLOAT || type == DataType.DOUBLE;
      boolean rowOrder = true;
      boolean inRows = true;
      for (INDArray array : arrays) {
        walkable &= array.dataType() == type && extent(array) <= Integer.MAX_VALUE;
        rowOrder &= isRowOrder(array);
        inRows &= array.rank() == 2 && array.stride(1) == 1;
      }
      return walkable && (rowOrder || inRows) ? new Rows(rowOrder, arrays) : null;
    }

    private Rows(boolean whole, INDArray... arrays) {
      int count = whole ? 1 : (int) arrays[0].size(0);
      length = (int) (arrays[0].length() / count);
      piecesOfRow = (length + PIECE - 1) / PIECE;
      pieces = count * piecesOfRow;
      strides = new int[arrays.length];
      for (int i = 0; !whole && i < strides.length; i++) {
        strides[i] = arrays[i].stride(0);
      }
    }

    int start(int array, int piece) {
      return strides[array] * (piece / piecesOfRow) + piece % piecesOfRow * PIECE;
    }

    int size(int piece) {
      return Math.min(PIECE, length - piece % piecesOfRow * PIECE);
    }
  }

  private static ByteBuffer bytes(INDArray a) {
    return new Bytes(a).asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /** Where an array lies; the memory stays ND4J's. */
  private static final class Bytes extends BytePointer {
    Bytes(INDArray array) {
      super((BytePointer) null);
      address = array.data().address() + array.offset() * array.dataType().width();
      capacity(extent(array));
    }
  }
}
