package org.gradnorm4j.core;

import java.util.Arrays;
import java.util.List;

/**
 * What one training step showed: loss and gradient norm of every task, and the loss weights it was
 * trained with. Immutable; arrays are indexed like {@link #taskNames()} and copied in and out.
 *
 * <p>With N the minibatch size and &#8467;<sub>i</sub>(x) what the loss function of output i
 * returns for one example:
 *
 * <pre>
 *   L_i  =  1/N Σ_x ℓ_i(x)                 losses[i], without L1/L2 and without λ_i
 *   n_i  =  ‖∇_W L_i‖₂                      gradientNorms[i], without λ_i
 * </pre>
 *
 * W are the weights (not the biases) of the shared layer. If the network is configured with {@code
 * miniBatch(false)}, DL4J trains on sums, and both are sums over the minibatch instead.
 *
 * @param iteration DL4J's iteration count when the step began (0 for the first)
 * @param epoch DL4J's epoch count when the step began (0 for the first)
 * @param batchSize number of examples N in the minibatch
 * @param taskNames names of the tasks: outputs, terms, penalties
 * @param losses L<sub>i</sub>, one per task; copied
 * @param gradientNorms &#8214;&nabla;<sub>W</sub> L<sub>i</sub>&#8214;, one per task; copied
 * @param lossWeights &lambda;<sub>i</sub> this step was trained with, one per task; copied
 */
public record StepMeasurement(
    int iteration,
    int epoch,
    int batchSize,
    List<String> taskNames,
    double[] losses,
    double[] gradientNorms,
    double[] lossWeights) {

  /**
   * Checks that there is one value per task, and copies.
   *
   * @param iteration see above
   * @param epoch see above
   * @param batchSize see above
   * @param taskNames copied
   * @param losses copied
   * @param gradientNorms copied
   * @param lossWeights copied
   * @throws IllegalArgumentException if an array has another length than {@code taskNames}
   */
  public StepMeasurement {
    taskNames = List.copyOf(taskNames);
    losses = copy("losses", losses, taskNames);
    gradientNorms = copy("gradientNorms", gradientNorms, taskNames);
    lossWeights = copy("lossWeights", lossWeights, taskNames);
  }

  private static double[] copy(String name, double[] values, List<String> taskNames) {
    if (values.length != taskNames.size()) {
      throw new IllegalArgumentException(
          name + " (length " + values.length + ") must have one value per task " + taskNames);
    }
    return values.clone();
  }

  /**
   * Loss of every task.
   *
   * @return L<sub>i</sub>; a copy
   */
  @Override
  public double[] losses() {
    return losses.clone();
  }

  /**
   * Norm of every task's unweighted gradient.
   *
   * @return &#8214;&nabla;<sub>W</sub> L<sub>i</sub>&#8214;; a copy
   */
  @Override
  public double[] gradientNorms() {
    return gradientNorms.clone();
  }

  /**
   * Loss weights of the step.
   *
   * @return &lambda;<sub>i</sub>; a copy
   */
  @Override
  public double[] lossWeights() {
    return lossWeights.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StepMeasurement that
        && iteration == that.iteration
        && epoch == that.epoch
        && batchSize == that.batchSize
        && taskNames.equals(that.taskNames)
        && Arrays.equals(losses, that.losses)
        && Arrays.equals(gradientNorms, that.gradientNorms)
        && Arrays.equals(lossWeights, that.lossWeights);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(losses) + 31 * (Arrays.hashCode(gradientNorms) + 31 * iteration);
  }

  @Override
  public String toString() {
    return "StepMeasurement[iteration=%d, epoch=%d, batchSize=%d, taskNames=%s, losses=%s, gradientNorms=%s, lossWeights=%s]"
        .formatted(
            iteration,
            epoch,
            batchSize,
            taskNames,
            Arrays.toString(losses),
            Arrays.toString(gradientNorms),
            Arrays.toString(lossWeights));
  }
}
