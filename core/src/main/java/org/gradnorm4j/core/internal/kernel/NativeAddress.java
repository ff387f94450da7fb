package org.gradnorm4j.core.internal.kernel;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where an array lies; the memory stays ND4J's. An address alone keeps nothing alive: ND4J frees
 * the memory of an array that nobody can reach any more, also while somebody works on it. These
 * hold the array. An argument of a native method is reachable until that returns, and with it the
 * array; who works on the memory in Java has to see to it ({@code Reference.reachabilityFence}).
 */
final class NativeAddress {
  private NativeAddress() {}

  /** Of floats, from an element on. */
  static final class Floats extends FloatPointer {
    @SuppressWarnings("UnusedVariable") // to be held
    private final INDArray held;

    Floats(INDArray array, long from) {
      super((FloatPointer) null);
      held = array;
      address = addressOf(array, from);
    }
  }

  /** Of doubles, from an element on. */
  static final class Doubles extends DoublePointer {
    @SuppressWarnings("UnusedVariable") // to be held
    private final INDArray held;

    Doubles(INDArray array, long from) {
      super((DoublePointer) null);
      held = array;
      address = addressOf(array, from);
    }
  }

  /** Of the bytes from the first element to behind the last. */
  static final class Bytes extends BytePointer {
    @SuppressWarnings("UnusedVariable") // to be held
    private final INDArray held;

    Bytes(INDArray array, long extent) {
      super((BytePointer) null);
      held = array;
      address = addressOf(array, 0);
      capacity(extent);
    }
  }

  private static long addressOf(INDArray array, long from) {
    return array.data().address() + (array.offset() + from) * array.dataType().width();
  }
}
