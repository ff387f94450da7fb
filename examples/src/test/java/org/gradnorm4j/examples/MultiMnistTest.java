package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.apache.commons.math3.random.Well19937c;
import org.junit.jupiter.api.Test;

class MultiMnistTest {
  private static final int SIDE = 28;

  /** The oracle paints the canvas of 36 by 36 and then samples it, in two passes. */
  @Test
  void overlay_isThePaintedCanvasResized() {
    Well19937c random = new Well19937c(3);
    float[] left = noise(random);
    float[] right = noise(random);
    float[][] canvas = new float[36][36];
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        canvas[y][x] = left[y * SIDE + x];
      }
    }
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        canvas[y + 6][x + 6] = Math.max(canvas[y + 6][x + 6], right[y * SIDE + x]);
      }
    }
    float[] expected = new float[SIDE * SIDE];
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        expected[y * SIDE + x] =
            canvas[(int) Math.floor((y + 0.5) * 36 / 28)][(int) Math.floor((x + 0.5) * 36 / 28)];
      }
    }
    assertThat(MultiMnist.overlay(left, right)).containsExactly(expected);
  }

  /** By hand: pixel 13 of the result is canvas pixel floor(13.5 * 36 / 28) = 17 = 6 + 11. */
  @Test
  void overlay_putsEachDigitWhereItBelongs() {
    float[] left = new float[SIDE * SIDE];
    float[] right = new float[SIDE * SIDE];
    left[0] = 0.5f;
    left[17 * SIDE + 17] = 0.25f;
    right[11 * SIDE + 11] = 0.75f;
    right[27 * SIDE + 27] = 1f; // canvas 33: pixel 26 is floor(26.5 * 36 / 28) = 34, 25 is 32

    float[] picture = MultiMnist.overlay(left, right);

    float[] expected = new float[SIDE * SIDE];
    expected[0] = 0.5f;
    expected[13 * SIDE + 13] = 0.75f;
    assertThat(picture).containsExactly(expected);
  }

  @Test
  void pair_labelsLeftInTurn_andNormalises() {
    float[][] images = {new float[SIDE * SIDE], new float[SIDE * SIDE]};
    Arrays.fill(images[0], 1f);
    Arrays.fill(images[1], 1f);
    Digits digits = new Digits(images, new int[] {3, 8});

    Samples samples = MultiMnist.pair(digits, 2, new Well19937c(1));

    assertThat(samples.size()).isEqualTo(4);
    assertThat(samples.labels()[0].argMax(1).toIntVector()).containsExactly(3, 8, 3, 8);
    assertThat(samples.labels()[1].argMax(1).toIntVector()).containsOnly(3, 8);
    assertThat(samples.labels()[1].sumNumber().doubleValue()).isEqualTo(4.0);
    // Ink 1 normalised; the canvas' top right corner is in neither picture: ink 0.
    assertThat(samples.features().getDouble(0, 0)).isCloseTo((1 - 0.1307) / 0.3081, within(1e-5));
    assertThat(samples.features().getDouble(0, 27)).isCloseTo(-0.1307 / 0.3081, within(1e-5));
  }

  private static float[] noise(Well19937c random) {
    float[] image = new float[SIDE * SIDE];
    for (int i = 0; i < image.length; i++) {
      image[i] = random.nextFloat();
    }
    return image;
  }
}
