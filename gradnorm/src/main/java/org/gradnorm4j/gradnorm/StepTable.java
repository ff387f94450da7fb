package org.gradnorm4j.gradnorm;

import java.util.ArrayList;
import java.util.List;

/**
 * The numbers of every step, in chunks that are filled once and never copied: growing needs no
 * second copy, and a {@link View} of what is there can be read while more is added.
 */
final class StepTable {
  private static final int CHUNK_BITS = 8;
  private static final int CHUNK = 1 << CHUNK_BITS;
  private static final int COLUMNS = 5;

  /** What is stored; G_i is λ_i times the norm, as the rule computes it. */
  private static final int LOSS = 0;

  private static final int LOSS_WEIGHT = 1;
  private static final int GRADIENT_NORM = 2;
  private static final int TARGET_GRADIENT_NORM = 3;
  private static final int RELATIVE_RATE = 4;

  private static final byte ABSENT = 1;
  private static final byte SKIPPED = 2;

  /** Per step: iteration, epoch and mean of the loss ratios; per step and task the rest. */
  private record Chunk(
      int[] iterations, int[] epochs, double[] meanLossRatios, double[] values, byte[] flags) {}

  private final List<String> taskNames;
  private final List<Chunk> chunks = new ArrayList<>();
  private int size;
  private GradNormStep last;
  private int lastIteration;
  private boolean increasing = true;

  StepTable(List<String> taskNames) {
    this.taskNames = List.copyOf(taskNames);
  }

  /**
   * A task in a step.
   *
   * @param meanLossRatio of the step; the same for all its tasks
   * @param present whether the minibatch had labels of the task
   * @param skipped whether the step was; the same for all its tasks
   */
  record Row(
      int iteration,
      int epoch,
      double loss,
      double lossWeight,
      double gradientNorm,
      double targetGradientNorm,
      double relativeInverseTrainingRate,
      double meanLossRatio,
      boolean present,
      boolean skipped) {}

  synchronized void add(GradNormStep step) {
    var measurement = step.measurement();
    double[] losses = measurement.losses();
    double[] weights = measurement.lossWeights();
    double[] norms = measurement.gradientNorms();
    double[] targets = step.targetGradientNorms();
    double[] rates = step.relativeInverseTrainingRates();
    boolean[] present = measurement.present();
    double meanLossRatio = meanLossRatio(step);
    Row[] rows = new Row[losses.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] =
          new Row(
              measurement.iteration(),
              measurement.epoch(),
              losses[i],
              weights[i],
              norms[i],
              targets[i],
              rates[i],
              meanLossRatio,
              present[i],
              step.skipped());
    }
    add(rows);
    last = step;
  }

  /** Adds a step by its tasks; {@link #last} does not change. */
  synchronized void add(Row[] rows) {
    int tasks = rows.length;
    int at = size & (CHUNK - 1);
    if (at == 0) {
      chunks.add(
          new Chunk(
              new int[CHUNK],
              new int[CHUNK],
              new double[CHUNK],
              new double[CHUNK * tasks * COLUMNS],
              new byte[CHUNK * tasks]));
    }
    Chunk chunk = chunks.get(chunks.size() - 1);
    increasing &= size == 0 || rows[0].iteration() > lastIteration;
    lastIteration = rows[0].iteration();
    chunk.iterations[at] = rows[0].iteration();
    chunk.epochs[at] = rows[0].epoch();
    chunk.meanLossRatios[at] = rows[0].meanLossRatio();
    int next = at * tasks * COLUMNS;
    for (int task = 0; task < tasks; task++) {
      Row row = rows[task];
      chunk.values[next++] = row.present() ? row.loss() : Double.NaN;
      chunk.values[next++] = row.lossWeight();
      chunk.values[next++] = row.present() ? row.gradientNorm() : Double.NaN;
      chunk.values[next++] = row.targetGradientNorm();
      chunk.values[next++] = row.relativeInverseTrainingRate();
      chunk.flags[at * tasks + task] =
          (byte) ((row.present() ? 0 : ABSENT) | (row.skipped() ? SKIPPED : 0));
    }
    size++;
  }

  /** The mean that the step's relative rates are relative to; NaN if no task has one. */
  private static double meanLossRatio(GradNormStep step) {
    double[] rates = step.relativeInverseTrainingRates();
    double[] ratios = step.lossRatios();
    int task = 0;
    while (task < rates.length && !(rates[task] > 0.0)) {
      task++;
    }
    return task == rates.length ? Double.NaN : ratios[task] / rates[task];
  }

  /** The last step of a history whose rows were added one by one. */
  synchronized void last(GradNormStep step) {
    last = step;
  }

  synchronized int size() {
    return size;
  }

  /** All steps so far; steps that are added later do not show in it. */
  synchronized View view() {
    return new View(taskNames, chunks.toArray(Chunk[]::new), size, last, increasing);
  }

  /**
   * Immutable; step from 0 to size − 1, task from 0 to tasks − 1.
   *
   * @param last the last step, null if there is none yet
   * @param increasing whether the iteration tells steps apart: not if the history goes on in
   *     another network
   */
  record View(
      List<String> taskNames, Chunk[] chunks, int size, GradNormStep last, boolean increasing) {

    int tasks() {
      return taskNames.size();
    }

    int iteration(int step) {
      return chunks[step >> CHUNK_BITS].iterations[step & (CHUNK - 1)];
    }

    int epoch(int step) {
      return chunks[step >> CHUNK_BITS].epochs[step & (CHUNK - 1)];
    }

    /** Whether the minibatch had labels of the task. */
    boolean isPresent(int step, int task) {
      return (flags(step, task) & ABSENT) == 0;
    }

    boolean isSkipped(int step) {
      return (flags(step, 0) & SKIPPED) != 0;
    }

    private byte flags(int step, int task) {
      return chunks[step >> CHUNK_BITS].flags[(step & (CHUNK - 1)) * taskNames.size() + task];
    }

    /** NaN if there were no labels. */
    double loss(int step, int task) {
      return value(step, task, LOSS);
    }

    double lossWeight(int step, int task) {
      return value(step, task, LOSS_WEIGHT);
    }

    /** NaN if there were no labels. */
    double gradientNorm(int step, int task) {
      return value(step, task, GRADIENT_NORM);
    }

    /** G_i = |λ_i| n_i; NaN where the target is: in a skipped step, and of an absent task. */
    double weightedGradientNorm(int step, int task) {
      return Double.isNaN(targetGradientNorm(step, task))
          ? Double.NaN
          : Math.abs(lossWeight(step, task)) * gradientNorm(step, task);
    }

    /** G_i over the sum of all; a task without a norm has none of it. NaN if no task has one. */
    double share(int step, int task) {
      return weightedGradientNormOrZero(step, task) / totalGradientNorm(step);
    }

    /** The share of the task that has most. */
    double largestShare(int step) {
      double largest = 0.0;
      for (int task = 0; task < tasks(); task++) {
        largest = Math.max(largest, weightedGradientNormOrZero(step, task));
      }
      return largest / totalGradientNorm(step);
    }

    /** Σ G_i over the tasks that have one. */
    double totalGradientNorm(int step) {
      double sum = 0.0;
      for (int task = 0; task < tasks(); task++) {
        sum += weightedGradientNormOrZero(step, task);
      }
      return sum;
    }

    /** G_i; 0 where it is NaN. */
    double weightedGradientNormOrZero(int step, int task) {
      double norm = weightedGradientNorm(step, task);
      return Double.isNaN(norm) ? 0.0 : norm;
    }

    double targetGradientNorm(int step, int task) {
      return value(step, task, TARGET_GRADIENT_NORM);
    }

    double relativeInverseTrainingRate(int step, int task) {
      return value(step, task, RELATIVE_RATE);
    }

    /** L_i/L_i(0) as the rule took it, up to rounding. */
    double lossRatio(int step, int task) {
      return relativeInverseTrainingRate(step, task) * meanLossRatio(step);
    }

    double meanLossRatio(int step) {
      return chunks[step >> CHUNK_BITS].meanLossRatios[step & (CHUNK - 1)];
    }

    private double value(int step, int task, int column) {
      return chunks[step >> CHUNK_BITS]
          .values[((step & (CHUNK - 1)) * taskNames.size() + task) * COLUMNS + column];
    }
  }
}
