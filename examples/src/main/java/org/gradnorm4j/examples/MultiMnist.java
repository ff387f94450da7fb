package org.gradnorm4j.examples;

import org.apache.commons.math3.random.RandomGenerator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Pictures of two overlapping digits, made as by Sener and Koltun (<i>Multi-Task Learning as
 * Multi-Objective Optimization</i>, NeurIPS 2018, section 4.1): each digit of a split is the left
 * one of a pair, a random digit of the same split the right one.
 *
 * @param pairings pairs made of each training digit; of each test digit there is one
 * @param seed of the initial parameters
 */
record MultiMnist(int pairings, long seed) {
  private static final int CANVAS = 36;
  private static final int OFFSET = 6;

  /** The digits are split already: no test digit is ever trained on. */
  Problem problem(DigitSplit digits, double learningRate, RandomGenerator random) {
    return Problem.ofGraph(
        MultiMnistNetwork.configuration(seed, learningRate),
        TaskKind.CLASSIFICATION,
        pair(digits.train(), pairings, random),
        pair(digits.test(), 1, random));
  }

  /** Features: normalised pixels, row by row. Labels: one-hot, left and right. */
  static Samples pair(Digits digits, int pairings, RandomGenerator random) {
    int size = Math.multiplyExact(digits.size(), pairings);
    INDArray features = Nd4j.create(DataType.FLOAT, size, Digits.SIDE * Digits.SIDE);
    INDArray left = Nd4j.create(DataType.FLOAT, size, Digits.CLASSES);
    INDArray right = Nd4j.create(DataType.FLOAT, size, Digits.CLASSES);
    for (int row = 0; row < size; row++) {
      int i = row % digits.size();
      int j = random.nextInt(digits.size());
      features.putRow(
          row,
          Nd4j.createFromArray(Digits.normalize(overlay(digits.images()[i], digits.images()[j]))));
      left.putScalar(row, digits.labels()[i], 1.0);
      right.putScalar(row, digits.labels()[j], 1.0);
    }
    return new Samples(features, new INDArray[] {left, right});
  }

  /**
   * Puts two digits on a canvas of 36 by 36, the left one in its top left corner, the right one in
   * its bottom right corner, the larger value where they overlap; and takes 28 by 28 pixels of it,
   * each the one nearest to its centre.
   *
   * @param left 28 by 28, row by row; not modified
   * @param right as left
   */
  static float[] overlay(float[] left, float[] right) {
    float[] picture = new float[Digits.SIDE * Digits.SIDE];
    for (int y = 0; y < Digits.SIDE; y++) {
      for (int x = 0; x < Digits.SIDE; x++) {
        int canvasY = nearest(y);
        int canvasX = nearest(x);
        picture[y * Digits.SIDE + x] =
            Math.max(
                pixel(left, canvasY, canvasX), pixel(right, canvasY - OFFSET, canvasX - OFFSET));
      }
    }
    return picture;
  }

  private static int nearest(int pixel) {
    return (int) ((pixel + 0.5) * CANVAS / Digits.SIDE);
  }

  /** 0 outside of the digit's picture. */
  private static float pixel(float[] digit, int y, int x) {
    boolean inside = y >= 0 && y < Digits.SIDE && x >= 0 && x < Digits.SIDE;
    return inside ? digit[y * Digits.SIDE + x] : 0f;
  }
}
