package org.gradnorm4j.core;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** An array that takes results, kept from step to step outside of workspaces. */
final class KeptArray {
  private final char order;
  private INDArray array;

  KeptArray(char order) {
    this.order = order;
  }

  /**
   * The array of the last step if it still fits, with what is in it, else a new one of zeros.
   *
   * @param shape of the array asked for
   */
  @SuppressWarnings("try") // the scope is there to be open, not to be named
  INDArray sized(DataType type, long... shape) {
    if (array == null || array.dataType() != type || !Arrays.equals(array.shape(), shape)) {
      try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
        array = Nd4j.createUninitialized(type, shape, order).assign(0.0);
      }
    }
    return array;
  }
}
