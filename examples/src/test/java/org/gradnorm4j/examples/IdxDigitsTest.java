package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdxDigitsTest {
  private static final String IMAGES = "train-images-idx3-ubyte";
  private static final String LABELS = "train-labels-idx1-ubyte";
  private static final int PIXELS = 28 * 28;

  @TempDir private Path folder;
  private IdxFolder files;

  @BeforeEach
  void setUp() {
    files = new IdxFolder(folder);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".gz"})
  void pixelsAreUnsigned_rowByRow_ofEachPictureInTurn(String suffix) throws IOException {
    byte[] pixels = new byte[2 * PIXELS];
    pixels[1] = 51; // first picture, row 0, column 1
    pixels[PIXELS + 28] = (byte) 255; // second picture, row 1, column 0
    files.write(IMAGES + suffix, pixels, IdxFolder.IMAGES_MAGIC, 2, 28, 28);
    files.write(LABELS + suffix, new byte[] {7, 0}, IdxFolder.LABELS_MAGIC, 2);

    Digits digits = IdxDigits.read(folder, "train");

    assertThat(digits.labels()).containsExactly(7, 0);
    assertThat(digits.images()[0][1]).isEqualTo(51f / 255f);
    assertThat(digits.images()[1][28]).isEqualTo(1f);
    assertThat(digits.images()[0][0]).isEqualTo(0f);
  }

  @Test
  void missingFile_namesFolderAndBothNames() {
    assertRefused("--mnist (" + folder + ")", IMAGES + " or " + IMAGES + ".gz");
  }

  @Test
  void wrongMagicNumber() throws IOException {
    files.write(IMAGES, new byte[PIXELS], IdxFolder.LABELS_MAGIC, 1, 28, 28);
    assertRefused(IMAGES, "magic number (2049) must be 2051");
  }

  @Test
  void truncatedData() throws IOException {
    files.write(IMAGES, new byte[PIXELS - 1], IdxFolder.IMAGES_MAGIC, 1, 28, 28);
    assertRefused(IMAGES, "is truncated: 783 bytes of data, its header promises 784");
  }

  @Test
  void truncatedHeader() throws IOException {
    files.write(IMAGES, new byte[0], IdxFolder.IMAGES_MAGIC, 1);
    assertRefused(IMAGES, "is truncated: it ends before the data its header promises");
  }

  @Test
  void tooMuchData() throws IOException {
    files.write(IMAGES, new byte[PIXELS + 1], IdxFolder.IMAGES_MAGIC, 1, 28, 28);
    assertRefused(IMAGES, "has more data than the 784 bytes its header promises");
  }

  @Test
  void impossibleSizes() throws IOException {
    files.write(IMAGES, new byte[0], IdxFolder.IMAGES_MAGIC, 0, 28, 28);
    assertRefused(IMAGES, "must be >= 1 and fit in 2 GB");
    files.write(IMAGES, new byte[0], IdxFolder.IMAGES_MAGIC, 1 << 30, 28, 28);
    assertRefused(IMAGES, "must be >= 1 and fit in 2 GB");
  }

  @Test
  void notGzip() throws IOException {
    Files.write(folder.resolve(IMAGES + ".gz"), new byte[64]);
    assertRefused(IMAGES + ".gz", "is not a valid gzip file");
  }

  @Test
  void otherPictureSize() throws IOException {
    files.write(IMAGES, new byte[32 * 32], IdxFolder.IMAGES_MAGIC, 1, 32, 32);
    files.write(LABELS, new byte[1], IdxFolder.LABELS_MAGIC, 1);
    assertRefused(IMAGES, "pictures (32 x 32) must be 28 x 28");
  }

  @Test
  void countMismatch() throws IOException {
    files.write(IMAGES, new byte[PIXELS], IdxFolder.IMAGES_MAGIC, 1, 28, 28);
    files.write(LABELS, new byte[2], IdxFolder.LABELS_MAGIC, 2);
    assertRefused(LABELS, "labels (2) must be as many as the pictures (1)");
  }

  @Test
  void labelOutOfRange() throws IOException {
    files.write(IMAGES, new byte[PIXELS], IdxFolder.IMAGES_MAGIC, 1, 28, 28);
    files.write(LABELS, new byte[] {10}, IdxFolder.LABELS_MAGIC, 1);
    assertRefused(LABELS, "label (10) of picture 0 must be 0 to 9");
  }

  private void assertRefused(String... parts) {
    assertThatThrownBy(() -> IdxDigits.read(folder, "train"))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll(parts);
  }
}
