package org.gradnorm4j.core;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

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
 * <p>A task is absent if its label mask leaves out all of its labels: Deeplearning4j then counts
 * its loss and gradient as 0, and so they appear here. If the mask leaves out some of them, the sum
 * is over the rest and N stays, as Deeplearning4j has it; {@code lossesPerLabel} is &Sigma; &#8467;
 * over the number of labels that are left: examples, time steps in series, pixels in images; in a
 * mask by element, its share of them. It is the same as L<sub>i</sub> if every example has one
 * label and no mask. A weight penalty is always present.
 *
 * @param iteration DL4J's iteration count when the step began (0 for the first)
 * @param epoch DL4J's epoch count when the step began (0 for the first)
 * @param batchSize number of examples N in the minibatch
 * @param taskNames names of the tasks: outputs, terms, penalties
 * @param present whether the minibatch has labels of the task, one per task; copied
 * @param losses L<sub>i</sub>, one per task; copied
 * @param lossesPerLabel L<sub>i</sub> as a mean over the labels that are present, one per task; NaN
 *     where there are none; copied
 * @param gradientNorms &#8214;&nabla;<sub>W</sub> L<sub>i</sub>&#8214;, one per task; copied
 * @param lossWeights &lambda;<sub>i</sub> this step was trained with, one per task; copied
 */
public record StepMeasurement(
    int iteration,
    int epoch,
    int batchSize,
    List<String> taskNames,
    boolean[] present,
    double[] losses,
    double[] lossesPerLabel,
    double[] gradientNorms,
    double[] lossWeights) {

  /**
   * Checks that there is one value per task, and copies.
   *
   * @param iteration see above
   * @param epoch see above
   * @param batchSize see above
   * @param taskNames copied
   * @param present copied
   * @param losses copied
   * @param lossesPerLabel copied
   * @param gradientNorms copied
   * @param lossWeights copied
   * @throws IllegalArgumentException if an array has another length than {@code taskNames}
   */
  public StepMeasurement {
    taskNames = List.copyOf(taskNames);
    checkLength("present", present.length, taskNames);
    present = present.clone();
    losses = copy("losses", losses, taskNames);
    lossesPerLabel = copy("lossesPerLabel", lossesPerLabel, taskNames);
    gradientNorms = copy("gradientNorms", gradientNorms, taskNames);
    lossWeights = copy("lossWeights", lossWeights, taskNames);
  }

  /**
   * With labels for every task and no masks: {@code lossesPerLabel} are the losses.
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
  public StepMeasurement(
      int iteration,
      int epoch,
      int batchSize,
      List<String> taskNames,
      double[] losses,
      double[] gradientNorms,
      double[] lossWeights) {
    this(
        iteration,
        epoch,
        batchSize,
        taskNames,
        allPresent(taskNames.size()),
        losses,
        losses,
        gradientNorms,
        lossWeights);
  }

  private static boolean[] allPresent(int tasks) {
    boolean[] present = new boolean[tasks];
    Arrays.fill(present, true);
    return present;
  }

  private static double[] copy(String name, double[] values, List<String> taskNames) {
    checkLength(name, values.length, taskNames);
    return values.clone();
  }

  private static void checkLength(String name, int length, List<String> taskNames) {
    if (length != taskNames.size()) {
      throw new IllegalArgumentException(
          name + " (length " + length + ") must have one value per task " + taskNames);
    }
  }

  /**
   * Which tasks have labels in the minibatch.
   *
   * @return false for an absent task; a copy
   */
  @Override
  public boolean[] present() {
    return present.clone();
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
   * Loss of every task as a mean over its present labels.
   *
   * @return &Sigma; &#8467; / number of labels, NaN for an absent task; a copy
   */
  @Override
  public double[] lossesPerLabel() {
    return lossesPerLabel.clone();
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
        && Arrays.equals(present, that.present)
        && Arrays.equals(losses, that.losses)
        && Arrays.equals(lossesPerLabel, that.lossesPerLabel)
        && Arrays.equals(gradientNorms, that.gradientNorms)
        && Arrays.equals(lossWeights, that.lossWeights);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(losses) + 31 * (Arrays.hashCode(gradientNorms) + 31 * iteration);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "StepMeasurement[iteration=%d, epoch=%d, batchSize=%d, taskNames=%s, present=%s, losses=%s, lossesPerLabel=%s, gradientNorms=%s, lossWeights=%s]",
        iteration,
        epoch,
        batchSize,
        taskNames,
        Arrays.toString(present),
        Arrays.toString(losses),
        Arrays.toString(lossesPerLabel),
        Arrays.toString(gradientNorms),
        Arrays.toString(lossWeights));
  }
}
