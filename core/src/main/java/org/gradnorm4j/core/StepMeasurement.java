package org.gradnorm4j.core;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

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
 * <p>Attached networks make them. To test what reads them, make them by {@link #of(Tasks)}:
 *
 * <pre>{@code
 * StepMeasurement step =
 *     StepMeasurement.of(Tasks.of(List.of("depth", "normals")))
 *         .at(iteration, epoch)
 *         .batchSize(32)
 *         .losses(0.5, 2.0)
 *         .gradientNorms(0.1, 4.0)
 *         .lossWeights(1.0, 1.0)
 *         .build();
 * }</pre>
 */
public final class StepMeasurement {
  private final Tasks tasks;
  private final int iteration;
  private final int epoch;
  private final int batchSize;
  private final boolean[] present;
  private final double[] losses;
  private final double[] lossesPerLabel;
  private final double[] gradientNorms;
  private final double[] lossWeights;
  private final double[][] gram;

  /** The builder's arrays are its own copies, and never written into. */
  private StepMeasurement(Builder builder) {
    tasks = builder.tasks;
    List<String> taskNames = tasks.names();
    iteration = checked("iteration", builder.iteration);
    epoch = checked("epoch", builder.epoch);
    batchSize = checked("batchSize", builder.batchSize);
    present = builder.present == null ? allPresent(taskNames.size()) : builder.present;
    TaskArrays.checkLength("present", present.length, taskNames);
    losses = checked("losses", builder.losses);
    lossesPerLabel =
        builder.lossesPerLabel == null
            ? ofPresent(losses)
            : checked("lossesPerLabel", builder.lossesPerLabel);
    gradientNorms = checked("gradientNorms", builder.gradientNorms);
    lossWeights = checked("lossWeights", builder.lossWeights);
    gram = builder.gram;
    if (gram != null) {
      TaskArrays.checkLength("gram", gram.length, taskNames);
      for (double[] row : gram) {
        TaskArrays.checkLength("gram", row, taskNames);
      }
    }
  }

  private static int checked(String name, int count) {
    if (count < 0) {
      throw new IllegalArgumentException(name + " (" + count + ") must be >= 0");
    }
    return count;
  }

  private double[] checked(String name, double[] values) {
    TaskArrays.checkLength(name, values, tasks.names());
    return values;
  }

  private static boolean[] allPresent(int tasks) {
    boolean[] present = new boolean[tasks];
    Arrays.fill(present, true);
    return present;
  }

  /** The values of tasks that are present, NaN for others. */
  private double[] ofPresent(double[] values) {
    double[] result = values.clone();
    Arrays.setAll(result, i -> present[i] ? values[i] : Double.NaN);
    return result;
  }

  /**
   * A measurement of these tasks.
   *
   * @param tasks of a network
   * @return its builder
   */
  public static Builder of(Tasks tasks) {
    return new Builder(tasks);
  }

  /**
   * A measurement of tasks with these names.
   *
   * @param taskNames outputs, terms, penalties; copied
   * @return its builder
   */
  public static Builder of(List<String> taskNames) {
    return new Builder(Tasks.of(taskNames));
  }

  /**
   * The tasks, and what the network says of them beforehand.
   *
   * @return as they were given; not compared by {@link #equals}, which looks at their names
   */
  public Tasks tasks() {
    return tasks;
  }

  /**
   * When the step began.
   *
   * @return DL4J's iteration count, 0 for the first step
   */
  public int iteration() {
    return iteration;
  }

  /**
   * When the step began.
   *
   * @return DL4J's epoch count, 0 for the first epoch
   */
  public int epoch() {
    return epoch;
  }

  /**
   * Number of examples in the minibatch.
   *
   * @return N
   */
  public int batchSize() {
    return batchSize;
  }

  /**
   * The tasks, in the order of every array here.
   *
   * @return names of outputs, terms, penalties; unmodifiable
   */
  public List<String> taskNames() {
    return tasks.names();
  }

  /**
   * Which tasks have labels in the minibatch.
   *
   * @return false for an absent task; a copy
   */
  public boolean[] present() {
    return present.clone();
  }

  /**
   * Loss of every task.
   *
   * @return L<sub>i</sub>; a copy
   */
  public double[] losses() {
    return losses.clone();
  }

  /**
   * Loss of every task as a mean over its present labels.
   *
   * @return &Sigma; &#8467; / number of labels, NaN for an absent task; a copy
   */
  public double[] lossesPerLabel() {
    return lossesPerLabel.clone();
  }

  /**
   * Norm of every task's unweighted gradient.
   *
   * @return &#8214;&nabla;<sub>W</sub> L<sub>i</sub>&#8214;; a copy
   */
  public double[] gradientNorms() {
    return gradientNorms.clone();
  }

  /**
   * Loss weights of the step.
   *
   * @return &lambda;<sub>i</sub>; a copy
   */
  public double[] lossWeights() {
    return lossWeights.clone();
  }

  /**
   * {@link #losses()} by task.
   *
   * @return L<sub>i</sub> by name, in the order of the tasks; unmodifiable
   */
  public Map<String, Double> lossesByTask() {
    return tasks.byName(losses);
  }

  /**
   * {@link #gradientNorms()} by task.
   *
   * @return &#8214;&nabla;<sub>W</sub> L<sub>i</sub>&#8214; by name, in the order of the tasks;
   *     unmodifiable
   */
  public Map<String, Double> gradientNormsByTask() {
    return tasks.byName(gradientNorms);
  }

  /**
   * {@link #lossWeights()} by task.
   *
   * @return &lambda;<sub>i</sub> by name, in the order of the tasks; unmodifiable
   */
  public Map<String, Double> lossWeightsByTask() {
    return tasks.byName(lossWeights);
  }

  /**
   * Whether the Gram matrix was measured.
   *
   * @return true if {@link #gram()} may be asked for
   */
  public boolean hasGram() {
    return gram != null;
  }

  /**
   * The Gram matrix of the tasks' unweighted gradients on W, G<sub>ij</sub> =
   * &lang;&nabla;<sub>W</sub>L<sub>i</sub>, &nabla;<sub>W</sub>L<sub>j</sub>&rang;. Its diagonal
   * has the squares of {@link #gradientNorms()}. Where workers of a ParallelWrapper were measured
   * together, both are means over their steps, and the mean of squares is no less than the square
   * of the mean.
   *
   * <p>Not compared by {@link #equals}, and not kept in files.
   *
   * @return T &times; T, symmetric; 0 in the row and column of an absent task; a copy
   * @throws IllegalStateException if it was not measured, as nobody asked for it
   */
  public double[][] gram() {
    if (gram == null) {
      throw new IllegalStateException(
          "the Gram matrix was not measured. Ask for it: by GradientNormProbe.measureGram(true), or by a strategy with Need.GRAM");
    }
    return copy(gram);
  }

  private static double[][] copy(double[][] matrix) {
    return Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StepMeasurement that
        && iteration == that.iteration
        && epoch == that.epoch
        && batchSize == that.batchSize
        && taskNames().equals(that.taskNames())
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
        "StepMeasurement[iteration=%d, epoch=%d, batchSize=%d, taskNames=%s, present=%s, losses=%s, lossesPerLabel=%s, gradientNorms=%s, lossWeights=%s%s]",
        iteration,
        epoch,
        batchSize,
        taskNames(),
        Arrays.toString(present),
        Arrays.toString(losses),
        Arrays.toString(lossesPerLabel),
        Arrays.toString(gradientNorms),
        Arrays.toString(lossWeights),
        gram == null ? "" : ", gram=" + Arrays.deepToString(gram));
  }

  /** Collects what a step showed. Checked by {@link #build()}. */
  public static final class Builder {
    private final Tasks tasks;
    private int iteration;
    private int epoch;
    private int batchSize;
    private boolean[] present;
    private double[] losses;
    private double[] lossesPerLabel;
    private double[] gradientNorms;
    private double[] lossWeights;
    private double[][] gram;

    private Builder(Tasks tasks) {
      this.tasks = tasks;
    }

    /**
     * When the step began; the very beginning, if not called.
     *
     * @param iteration DL4J's iteration count, &ge; 0
     * @param epoch DL4J's epoch count, &ge; 0
     * @return this
     */
    public Builder at(int iteration, int epoch) {
      this.iteration = iteration;
      this.epoch = epoch;
      return this;
    }

    /**
     * Number of examples in the minibatch; 0, if not called.
     *
     * @param batchSize N, &ge; 0
     * @return this
     */
    public Builder batchSize(int batchSize) {
      this.batchSize = batchSize;
      return this;
    }

    /**
     * Which tasks have labels in the minibatch; all, if not called.
     *
     * @param present one per task, false for an absent one; copied
     * @return this
     */
    public Builder present(boolean... present) {
      this.present = present.clone();
      return this;
    }

    /**
     * Loss of every task. Needed.
     *
     * @param losses L<sub>i</sub>, one per task; copied
     * @return this
     */
    public Builder losses(double... losses) {
      this.losses = losses.clone();
      return this;
    }

    /**
     * Loss of every task as a mean over its present labels. If not called, {@code losses} of the
     * tasks that are present, NaN of others.
     *
     * @param lossesPerLabel one per task, NaN where there are no labels; copied
     * @return this
     */
    public Builder lossesPerLabel(double... lossesPerLabel) {
      this.lossesPerLabel = lossesPerLabel.clone();
      return this;
    }

    /**
     * Norm of every task's unweighted gradient. Needed.
     *
     * @param gradientNorms &#8214;&nabla;<sub>W</sub> L<sub>i</sub>&#8214;, one per task; copied
     * @return this
     */
    public Builder gradientNorms(double... gradientNorms) {
      this.gradientNorms = gradientNorms.clone();
      return this;
    }

    /**
     * Loss weights of the step. Needed.
     *
     * @param lossWeights &lambda;<sub>i</sub>, one per task; copied
     * @return this
     */
    public Builder lossWeights(double... lossWeights) {
      this.lossWeights = lossWeights.clone();
      return this;
    }

    /**
     * The Gram matrix of the unweighted gradients; none, if not called.
     *
     * @param gram T &times; T; copied
     * @return this
     */
    public Builder gram(double[][] gram) {
      this.gram = copy(gram);
      return this;
    }

    /**
     * Checks, and builds.
     *
     * @return the measurement
     * @throws IllegalArgumentException if an array is missing, or has another length than there are
     *     tasks; if a count is negative
     */
    public StepMeasurement build() {
      return new StepMeasurement(this);
    }
  }
}
