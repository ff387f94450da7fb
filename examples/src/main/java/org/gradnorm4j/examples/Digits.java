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

  int size() {
    return labels.length;
  }

  /** Some of the pictures; shares the pixels. */
  Digits select(int[] indices) {
    return new Digits(
        Arrays.stream(indices).mapToObj(i -> images[i]).toArray(float[][]::new),
        Arrays.stream(indices).map(i -> labels[i]).toArray());
  }
}
