package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class BundledDigitsTest {
  private static Digits digits;

  @BeforeAll
  static void read() throws IOException {
    digits = BundledDigits.read();
  }

  @Test
  void fiveHundredOfEachClass() {
    int[] counts = new int[10];
    Arrays.stream(digits.labels()).forEach(label -> counts[label]++);
    assertThat(counts).containsOnly(500);
  }

  @Test
  void pixelsAreFrom0To1() {
    for (float[] image : digits.images()) {
      for (float pixel : image) {
        assertThat(pixel).isBetween(0f, 1f);
      }
    }
  }

  /** Were columns taken for rows, ones would lie down. */
  @Test
  void onesStand() {
    double heights = onesMean(false);
    double widths = onesMean(true);
    assertThat(heights).isGreaterThan(1.5 * widths);
  }

  /** MNIST's mean is 0.1307 (all 60,000 pictures): the pictures fill the frame as MNIST's do. */
  @Test
  void meanInkIsMnists() {
    double mean =
        Arrays.stream(digits.images())
            .flatMapToDouble(image -> IntStream.range(0, image.length).mapToDouble(i -> image[i]))
            .average()
            .orElseThrow();
    assertThat(mean).isCloseTo(0.1307, within(0.01));
  }

  private static double onesMean(boolean horizontal) {
    return IntStream.range(0, digits.size())
        .filter(i -> digits.labels()[i] == 1)
        .mapToDouble(i -> extent(digits.images()[i], horizontal))
        .average()
        .orElseThrow();
  }

  /** Number of columns, or rows, from the first with ink to the last. */
  private static int extent(float[] image, boolean horizontal) {
    int[] inked =
        IntStream.range(0, image.length)
            .filter(i -> image[i] > 0.3f)
            .map(i -> horizontal ? i % 28 : i / 28)
            .toArray();
    return Arrays.stream(inked).max().orElseThrow() - Arrays.stream(inked).min().orElseThrow() + 1;
  }
}
