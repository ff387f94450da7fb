package org.gradnorm4j.core.internal.kernel;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
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
    return isGapless(a, true);
  }

  /** Whether elements lie in column order without gaps. */
  static boolean isColumnOrder(INDArray a) {
    return isGapless(a, false);
  }

  private static boolean isGapless(INDArray a, boolean lastIndexFirst) {
    long stride = 1;
    for (int i = 0; i < a.rank(); i++) {
      int axis = lastIndexFirst ? a.rank() - 1 - i : i;
      if (a.size(axis) != 1 && a.stride(axis) != stride) {
        return false;
      }
      stride *= a.size(axis);
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
    return Blas.isDouble(a)
        ? LONGS.walk((pieces, length) -> step(pieces[0], length), a, steps)
        : INTS.walk((pieces, length) -> step(pieces[0], length), a, steps);
  }

  /**
   * The values where steps is 1, and 0 where it is 0: bit for bit what ReLU's backward pass gives.
   *
   * @param steps of {@link #step}
   * @param result may be values
   * @return whether it was done
   */
  static boolean select(INDArray steps, INDArray values, INDArray result) {
    return Blas.isDouble(steps)
        ? LONGS.walk(
            (pieces, length) -> select(pieces[0], pieces[1], length), steps, values, result)
        : INTS.walk(
            (pieces, length) -> select(pieces[0], pieces[1], length), steps, values, result);
  }

  /**
   * a ⊙ b.
   *
   * @param result may be a or b
   * @return whether it was done
   */
  static boolean multiply(INDArray a, INDArray b, INDArray result) {
    return Blas.isDouble(a)
        ? DOUBLES.walk((pieces, length) -> multiply(pieces[0], pieces[1], length), a, b, result)
        : FLOATS.walk((pieces, length) -> multiply(pieces[0], pieces[1], length), a, b, result);
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

  private static final int ONE_FLOAT = Float.floatToRawIntBits(1f);
  private static final long ONE_DOUBLE = Double.doubleToRawLongBits(1.0);
  private static final int NAN_FLOAT = Float.floatToRawIntBits(Float.POSITIVE_INFINITY) + 1;
  private static final long NAN_DOUBLE = Double.doubleToRawLongBits(Double.POSITIVE_INFINITY) + 1;

  private static final Elements<IntBuffer, int[]> INTS =
      new Elements<>(
          ByteBuffer::asIntBuffer,
          (memory, at, piece, length) -> memory.get(at, piece, 0, length),
          (memory, at, piece, length) -> memory.put(at, piece, 0, length),
          ThreadLocal.withInitial(() -> new int[2][PIECE]));
  private static final Elements<LongBuffer, long[]> LONGS =
      new Elements<>(
          ByteBuffer::asLongBuffer,
          (memory, at, piece, length) -> memory.get(at, piece, 0, length),
          (memory, at, piece, length) -> memory.put(at, piece, 0, length),
          ThreadLocal.withInitial(() -> new long[2][PIECE]));
  private static final Elements<FloatBuffer, float[]> FLOATS =
      new Elements<>(
          ByteBuffer::asFloatBuffer,
          (memory, at, piece, length) -> memory.get(at, piece, 0, length),
          (memory, at, piece, length) -> memory.put(at, piece, 0, length),
          ThreadLocal.withInitial(() -> new float[2][PIECE]));
  private static final Elements<DoubleBuffer, double[]> DOUBLES =
      new Elements<>(
          ByteBuffer::asDoubleBuffer,
          (memory, at, piece, length) -> memory.get(at, piece, 0, length),
          (memory, at, piece, length) -> memory.put(at, piece, 0, length),
          ThreadLocal.withInitial(() -> new double[2][PIECE]));

  /** Copies between memory, from an index on, and the beginning of a piece. */
  private interface Copy<B, A> {
    void copy(B memory, int at, A piece, int length);
  }

  /** Works on the beginnings of the pieces that were fetched, and leaves its result in the last. */
  private interface Kernel<A> {
    void apply(A[] pieces, int length);
  }

  /**
   * Elements of one type.
   *
   * @param pieces two a thread, kept: made anew they would be most of what a step allocates
   */
  private record Elements<B, A>(
      Function<ByteBuffer, B> view, Copy<B, A> fetch, Copy<B, A> write, ThreadLocal<A[]> pieces) {

    /** From all arrays but the last into the last; false if the loops cannot walk them. */
    boolean walk(Kernel<A> kernel, INDArray... arrays) {
      Rows rows = Rows.of(arrays);
      if (rows == null) {
        return false;
      }
      List<B> memory = Arrays.stream(arrays).map(array -> view.apply(bytes(array))).toList();
      A[] fetched = pieces.get();
      int result = arrays.length - 1;
      for (int i = 0; i < rows.pieces; i++) {
        for (int k = 0; k < result; k++) {
          fetch.copy(memory.get(k), rows.start(k, i), fetched[k], rows.size(i));
        }
        kernel.apply(fetched, rows.size(i));
        write.copy(memory.get(result), rows.start(result, i), fetched[result - 1], rows.size(i));
      }
      Reference.reachabilityFence(arrays); // the memory does not hold them
      return true;
    }
  }

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
    return new NativeAddress.Bytes(a, extent(a)).asByteBuffer().order(ByteOrder.nativeOrder());
  }
}
