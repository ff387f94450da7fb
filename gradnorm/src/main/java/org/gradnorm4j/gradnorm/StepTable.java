package org.gradnorm4j.gradnorm;

import java.util.ArrayList;
import java.util.Arrays;
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

  private record Chunk(int[] iterations, int[] epochs, double[] values) {}

  private final int tasks;
  private final List<Chunk> chunks = new ArrayList<>();
  private int size;
  private double[] initialLosses;

  StepTable(int tasks) {
    this.tasks = tasks;
    initialLosses = new double[tasks];
    Arrays.fill(initialLosses, Double.NaN);
  }

  synchronized void add(GradNormStep step) {
    int row = size & (CHUNK - 1);
    if (row == 0) {
      chunks.add(new Chunk(new int[CHUNK], new int[CHUNK], new double[CHUNK * tasks * COLUMNS]));
    }
    Chunk chunk = chunks.get(chunks.size() - 1);
    var measurement = step.measurement();
    chunk.iterations[row] = measurement.iteration();
    chunk.epochs[row] = measurement.epoch();
    double[][] columns = {
      measurement.losses(),
      measurement.lossWeights(),
      measurement.gradientNorms(),
      step.targetGradientNorms(),
      step.relativeInverseTrainingRates()
    };
    int next = row * tasks * COLUMNS;
    for (int task = 0; task < tasks; task++) {
      for (double[] column : columns) {
        chunk.values[next++] = column[task];
      }
    }
    initialLosses = step.initialLosses();
    size++;
  }

  synchronized int size() {
    return size;
  }

  /** All steps so far; steps that are added later do not show in it. */
  synchronized View view() {
    return new View(List.copyOf(chunks), size, tasks, initialLosses);
  }

  /**
   * Immutable; step from 0 to size − 1, task from 0 to tasks − 1.
   *
   * @param initialLosses L_i(0) as the last step had them; NaN if there is none yet
   */
  record View(List<Chunk> chunks, int size, int tasks, double[] initialLosses) {

    int iteration(int step) {
      return chunks.get(step >> CHUNK_BITS).iterations[step & (CHUNK - 1)];
    }

    int epoch(int step) {
      return chunks.get(step >> CHUNK_BITS).epochs[step & (CHUNK - 1)];
    }

    double loss(int step, int task) {
      return value(step, task, LOSS);
    }

    double lossWeight(int step, int task) {
      return value(step, task, LOSS_WEIGHT);
    }

    double gradientNorm(int step, int task) {
      return value(step, task, GRADIENT_NORM);
    }

    /** G_i = |λ_i| n_i; NaN in a step that was skipped, as the target is. */
    double weightedGradientNorm(int step, int task) {
      return Double.isNaN(targetGradientNorm(step, task))
          ? Double.NaN
          : Math.abs(lossWeight(step, task)) * gradientNorm(step, task);
    }

    double targetGradientNorm(int step, int task) {
      return value(step, task, TARGET_GRADIENT_NORM);
    }

    double relativeInverseTrainingRate(int step, int task) {
      return value(step, task, RELATIVE_RATE);
    }

    private double value(int step, int task, int column) {
      return chunks.get(step >> CHUNK_BITS)
          .values[((step & (CHUNK - 1)) * tasks + task) * COLUMNS + column];
    }
  }
}
