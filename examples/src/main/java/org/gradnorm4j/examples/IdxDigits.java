package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** Digits from the IDX files of MNIST, or of a data set in its place such as Fashion-MNIST. */
final class IdxDigits {
  private static final float WHITE = 255f;

  private IdxDigits() {}

  /**
   * Reads one split.
   *
   * @param folder with the files
   * @param split {@code train} or {@code t10k}, as the files' names begin
   */
  static Digits read(Path folder, String split) throws IOException {
    IdxFile pictures = IdxFile.read(folder, split + "-images-idx3-ubyte", 3);
    IdxFile labels = IdxFile.read(folder, split + "-labels-idx1-ubyte", 1);
    int[] sizes = pictures.sizes();
    if (sizes[1] != Digits.SIDE || sizes[2] != Digits.SIDE) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s: pictures (%d x %d) must be 28 x 28. Use MNIST or Fashion-MNIST",
              pictures.file(),
              sizes[1],
              sizes[2]));
    }
    if (sizes[0] != labels.sizes()[0]) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s: labels (%d) must be as many as the pictures (%d) in %s. Use files of one data set",
              labels.file(),
              labels.sizes()[0],
              sizes[0],
              pictures.file()));
    }
    return new Digits(images(pictures), labels(labels));
  }

  private static float[][] images(IdxFile pictures) {
    int pixels = Digits.SIDE * Digits.SIDE;
    float[][] images = new float[pictures.sizes()[0]][pixels];
    for (int i = 0; i < images.length; i++) {
      for (int pixel = 0; pixel < pixels; pixel++) {
        images[i][pixel] = (pictures.bytes()[i * pixels + pixel] & 0xff) / WHITE;
      }
    }
    return images;
  }

  private static int[] labels(IdxFile file) throws IOException {
    int[] labels = new int[file.sizes()[0]];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = file.bytes()[i] & 0xff;
      if (labels[i] >= Digits.CLASSES) {
        throw new IOException(
            String.format(
                Locale.ROOT,
                "%s: label (%d) of picture %d must be 0 to 9. Use MNIST or Fashion-MNIST",
                file.file(),
                labels[i],
                i));
      }
    }
    return labels;
  }
}
