package org.gradnorm4j.examples;

import java.util.Arrays;
import org.apache.commons.math3.util.FastMath;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;

/** The s_i of {@link UncertaintyWeighting}, and the optimiser that moves them. */
final class LogVariances {
  private final IUpdater updater;
  private double[] values;
  private GradientUpdater<?> optimizer;
  private int updates;

  /**
   * All 0, which weights every loss by 1.
   *
   * @param updater copied
   */
  LogVariances(IUpdater updater) {
    this.updater = updater.clone();
  }

  /**
   * One step of the optimiser; none if a loss is not finite.
   *
   * @param losses L_i of the step, not modified
   * @param epoch Deeplearning4j's count, for a learning rate that changes with it
   * @return λ_i = exp(−s_i) of the next step
   */
  @SuppressWarnings("try") // the scope is there to be open, not to be named
  double[] update(double[] losses, int epoch) {
    if (values == null) {
      values = new double[losses.length];
    }
    if (Arrays.stream(losses).allMatch(Double::isFinite)) {
      // Training has its workspaces open: what is made here must outlive them.
      try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
        descend(losses, epoch);
      }
    }
    return Arrays.stream(values).map(s -> FastMath.exp(-s)).toArray();
  }

  private void descend(double[] losses, int epoch) {
    double[] gradient = new double[losses.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = 1.0 - FastMath.exp(-values[i]) * losses[i];
    }
    if (optimizer == null) {
      long state = updater.stateSize(gradient.length);
      optimizer =
          updater.instantiate(state == 0 ? null : Nd4j.zeros(DataType.DOUBLE, 1, state), true);
    }
    INDArray step = Nd4j.create(gradient, new long[] {1, gradient.length}, DataType.DOUBLE);
    optimizer.applyUpdater(step, updates++, epoch);
    for (int i = 0; i < gradient.length; i++) {
      values[i] -= step.getDouble(i);
    }
  }
}
