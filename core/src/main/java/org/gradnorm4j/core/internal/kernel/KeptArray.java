package org.gradnorm4j.core.internal.kernel;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An array that takes results, kept from step to step outside of workspaces. Its memory is that of
 * the largest shape so far: smaller ones are views of it. What it outgrows is released at once, as
 * native memory that waits for the garbage collector may wait for long.
 */
public final class KeptArray {
  private final char order;
  private INDArray memory;
  private INDArray array;

  public KeptArray(char order) {
    this.order = order;
  }

  /**
   * The array of the last step if it has this type and shape, with what is in it, else zeros in its
   * place, and in its memory if that is large enough. What was given before is then of no more use.
   *
   * @param shape of the array asked for
   */
  @SuppressWarnings("try") // the scope is there to be open, not to be named
  public INDArray sized(DataType type, long... shape) {
    if (array == null || array.dataType() != type || !Arrays.equals(array.shape(), shape)) {
      try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
        array = holds(type, shape) ? view(shape) : allocate(type, shape);
        array.assign(0.0);
      }
    }
    return array;
  }

  private boolean holds(DataType type, long[] shape) {
    return memory != null
        && memory.dataType() == type
        && memory.length() >= Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  private INDArray view(long[] shape) {
    return Nd4j.create(memory.data(), shape, Nd4j.getStrides(shape, order), 0, order);
  }

  private INDArray allocate(DataType type, long[] shape) {
    if (memory != null) {
      memory.close();
    }
    memory = Nd4j.createUninitialized(type, shape, order);
    return memory;
  }
}
