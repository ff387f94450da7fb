package org.gradnorm4j.examples;

import java.util.Arrays;

/**
 * Labelled pictures of {@value #SIDE} by {@value #SIDE} pixels.
 *
 * @param images for each picture its pixels row by row, 0 (paper) to 1 (ink)
 * @param labels 0 to 9, one per picture
 */
record Digits(float[][] images, int[] labels) {
  /** Width and height of a picture. */
  static final int SIDE = 28;

  /** Number of classes. */
  static final int CLASSES = 10;

  private static final float MEAN = 0.1307f; // of MNIST's pixels, as is the next
  private static final float STANDARD_DEVIATION = 0.3081f;

  int size() {
    return labels.length;
  }

  /** Some of the pictures; shares the pixels. */
  Digits select(int[] indices) {
    return new Digits(
        Arrays.stream(indices).mapToObj(i -> images[i]).toArray(float[][]::new),
        Arrays.stream(indices).map(i -> labels[i]).toArray());
  }

  /** To mean 0 and standard deviation 1, over all of MNIST. */
  static float[] normalize(float[] pixels) {
    float[] normalized = new float[pixels.length];
    for (int i = 0; i < pixels.length; i++) {
      normalized[i] = (pixels[i] - MEAN) / STANDARD_DEVIATION;
    }
    return normalized;
  }
}
