package org.gradnorm4j.optimizer;

import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;

/** Any ND4J updater as an optimiser of the loss weights, in double precision. */
final class UpdaterOptimizer implements WeightOptimizer {
  private final IUpdater configuration;

  /**
   * Tries the updater out, so that one that cannot work is refused here and not in mid-training.
   */
  UpdaterOptimizer(IUpdater configuration) {
    this.configuration = configuration.clone();
    try {
      step(init(2), new double[2], 0, 0);
    } catch (RuntimeException e) { // such as AdaBelief in ND4J 1.0.0-M2.1
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "lossWeightUpdater (%s) does not work in this version of ND4J: %s. Use another, such as Adam",
              configuration,
              e),
          e);
    }
  }

  @Override
  public IUpdater updater() {
    return configuration.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof UpdaterOptimizer that && configuration.equals(that.configuration);
  }

  @Override
  public int hashCode() {
    return configuration.hashCode();
  }

  /** The updater, to be read. */
  @Override
  public String toString() {
    return configuration.toString();
  }

  @Override
  public double[] init(int tasks) {
    return new double[Math.toIntExact(configuration.stateSize(tasks))];
  }

  @Override
  @SuppressWarnings("try") // the scope is there to be open, not to be named
  public Step step(double[] state, double[] gradient, int iteration, int epoch) {
    try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      INDArray stateView = state.length == 0 ? null : row(state);
      // AdaGrad starts its history at a small constant: only the updater knows.
      boolean initialize = iteration == 0;
      GradientUpdater<?> updater = configuration.instantiate(stateView, initialize);
      INDArray update = row(gradient);
      updater.applyUpdater(update, iteration, epoch);
      double[] newState = stateView == null ? state : stateView.toDoubleVector();
      return new Step(newState, update.toDoubleVector());
    }
  }

  private static INDArray row(double[] values) {
    return Nd4j.create(values, new long[] {1, values.length}, DataType.DOUBLE);
  }
}
