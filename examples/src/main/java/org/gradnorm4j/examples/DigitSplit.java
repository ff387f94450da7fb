package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.commons.math3.random.RandomGenerator;
import org.apache.commons.math3.util.MathArrays;

/**
 * Digits to train on and others to test on.
 *
 * @param train trained on
 * @param test never trained on
 */
record DigitSplit(Digits train, Digits test) {
  private static final double TRAIN_SHARE = 0.8;

  /** Four fifths and the rest, at random. */
  static DigitSplit ofBundledDigits(RandomGenerator random) throws IOException {
    Digits all = BundledDigits.read();
    int[] order = MathArrays.natural(all.size());
    MathArrays.shuffle(order, random);
    int trainSize = (int) (TRAIN_SHARE * order.length);
    return new DigitSplit(
        all.select(Arrays.copyOfRange(order, 0, trainSize)),
        all.select(Arrays.copyOfRange(order, trainSize, order.length)));
  }

  /** The files' own split. */
  static DigitSplit ofIdxFolder(Path folder) throws IOException {
    return new DigitSplit(IdxDigits.read(folder, "train"), IdxDigits.read(folder, "t10k"));
  }
}
