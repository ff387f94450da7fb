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
 * Element by element work on FLOAT and DOUBLE arrays in the memory of the process, by plain loops
 * without branches, which the JIT compiler turns into vector instructions. ND4J's own operation for
 * the derivative of ReLU takes some seven times as long.
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
      for (int r = 0; r < rows.count; r++) {
        step(from, rows.start(0, r), to, rows.start(1, r), rows.length);
      }
    } else {
      IntBuffer from = bytes(a).asIntBuffer();
      IntBuffer to = bytes(steps).asIntBuffer();
      for (int r = 0; r < rows.count; r++) {
        step(from, rows.start(0, r), to, rows.start(1, r), rows.length);
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
      LongBuffer mask = bytes(steps).asLongBuffer();
      LongBuffer from = bytes(values).asLongBuffer();
      LongBuffer to = bytes(result).asLongBuffer();
      for (int r = 0; r < rows.count; r++) {
        select(mask, rows.start(0, r), from, rows.start(1, r), to, rows.start(2, r), rows.length);
      }
    } else {
      IntBuffer mask = bytes(steps).asIntBuffer();
      IntBuffer from = bytes(values).asIntBuffer();
      IntBuffer to = bytes(result).asIntBuffer();
      for (int r = 0; r < rows.count; r++) {
        select(mask, rows.start(0, r), from, rows.start(1, r), to, rows.start(2, r), rows.length);
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
      DoubleBuffer x = bytes(a).asDoubleBuffer();
      DoubleBuffer y = bytes(b).asDoubleBuffer();
      DoubleBuffer to = bytes(result).asDoubleBuffer();
      for (int r = 0; r < rows.count; r++) {
        multiply(x, rows.start(0, r), y, rows.start(1, r), to, rows.start(2, r), rows.length);
      }
    } else {
      FloatBuffer x = bytes(a).asFloatBuffer();
      FloatBuffer y = bytes(b).asFloatBuffer();
      FloatBuffer to = bytes(result).asFloatBuffer();
      for (int r = 0; r < rows.count; r++) {
        multiply(x, rows.start(0, r), y, rows.start(1, r), to, rows.start(2, r), rows.length);
      }
    }
    return true;
  }

  /**
   * On the bits b of a float: b &gt; 0 says that it is positive, or a NaN, which is above the bits
   * of infinity. −b ∧ ¬b is negative for b &gt; 0 only.
   */
  private static void step(IntBuffer from, int a, IntBuffer to, int b, int length) {
    for (int i = 0; i < length; i++) {
      int bits = from.get(a + i);
      to.put(b + i, (-bits & ~bits & (bits - NAN_FLOAT)) >> 31 & ONE_FLOAT);
    }
  }

  private static void step(LongBuffer from, int a, LongBuffer to, int b, int length) {
    for (int i = 0; i < length; i++) {
      long bits = from.get(a + i);
      to.put(b + i, (-bits & ~bits & (bits - NAN_DOUBLE)) >> 63 & ONE_DOUBLE);
    }
  }

  /** The third bit of 1.0, and not of 0.0, is set: spread over all bits it lets all of a pass. */
  private static void select(
      IntBuffer mask, int a, IntBuffer from, int b, IntBuffer to, int c, int length) {
    for (int i = 0; i < length; i++) {
      to.put(c + i, from.get(b + i) & (mask.get(a + i) << 2 >> 31));
    }
  }

  private static void select(
      LongBuffer mask, int a, LongBuffer from, int b, LongBuffer to, int c, int length) {
    for (int i = 0; i < length; i++) {
      to.put(c + i, from.get(b + i) & (mask.get(a + i) << 2 >> 63));
    }
  }

  private static void multiply(
      FloatBuffer x, int a, FloatBuffer y, int b, FloatBuffer to, int c, int length) {
    for (int i = 0; i < length; i++) {
      to.put(c + i, x.get(a + i) * y.get(b + i));
    }
  }

  private static void multiply(
      DoubleBuffer x, int a, DoubleBuffer y, int b, DoubleBuffer to, int c, int length) {
    for (int i = 0; i < length; i++) {
      to.put(c + i, x.get(a + i) * y.get(b + i));
    }
  }

  private static final int ONE_FLOAT = Float.floatToRawIntBits(1f);
  private static final long ONE_DOUBLE = Double.doubleToRawLongBits(1.0);
  private static final int NAN_FLOAT = Float.floatToRawIntBits(Float.POSITIVE_INFINITY) + 1;
  private static final long NAN_DOUBLE = Double.doubleToRawLongBits(Double.POSITIVE_INFINITY) + 1;

  /** How to walk some arrays of one shape side by side. */
  private static final class Rows {
    private final int count;
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
      count = whole ? 1 : (int) arrays[0].size(0);
      length = (int) (arrays[0].length() / count);
      strides = new int[arrays.length];
      for (int i = 0; !whole && i < strides.length; i++) {
        strides[i] = arrays[i].stride(0);
      }
    }

    int start(int array, int row) {
      return strides[array] * row;
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
