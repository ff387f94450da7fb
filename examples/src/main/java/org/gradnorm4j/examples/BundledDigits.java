package org.gradnorm4j.examples;

import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * The 5,000 training digits of MNIST, 500 of each, that the Maven artifact {@code
 * org.openimaj:sandbox} carries, sorted by class.
 *
 * <p>A line of {@code inputs.csv} is a picture of 20 by 20 pixels, column by column. It is MNIST's
 * whole picture of 28 by 28, margin included, made smaller: ink is at most 15 pixels high, and its
 * mean is MNIST's 0.13. So pictures are enlarged to 28 by 28 again, not framed. Smooth scaling has
 * left values a little outside 0 to 1, which are clipped.
 */
final class BundledDigits {
  private static final String FOLDER = "/org/openimaj/ml/handwriting/";
  private static final int STORED_SIDE = 20;
  private static final int STORED_ZERO = 10;

  private BundledDigits() {}

  static Digits read() throws IOException {
    List<CSVRecord> pictures = records("inputs.csv");
    List<CSVRecord> labels = records("outputs.csv");
    return new Digits(
        pictures.stream().map(BundledDigits::image).toArray(float[][]::new),
        labels.stream().mapToInt(line -> Integer.parseInt(line.get(0)) % STORED_ZERO).toArray());
  }

  private static List<CSVRecord> records(String name) throws IOException {
    InputStream stream = BundledDigits.class.getResourceAsStream(FOLDER + name);
    if (stream == null) {
      throw new FileNotFoundException(
          FOLDER + name + " is not on the class path. Add org.openimaj:sandbox, or use --mnist");
    }
    try (CSVParser csv =
        CSVFormat.DEFAULT.parse(
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.US_ASCII)))) {
      return csv.getRecords();
    }
  }

  private static float[] image(CSVRecord line) {
    float[] columns = new float[STORED_SIDE * STORED_SIDE];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = Math.min(1f, Math.max(0f, Float.parseFloat(line.get(i))));
    }
    return enlarge(columns);
  }

  /** Bilinear, from {@code STORED_SIDE} column by column to {@code Digits.SIDE} row by row. */
  private static float[] enlarge(float[] columns) {
    float[] rows = new float[Digits.SIDE * Digits.SIDE];
    for (int y = 0; y < Digits.SIDE; y++) {
      for (int x = 0; x < Digits.SIDE; x++) {
        rows[y * Digits.SIDE + x] = interpolate(columns, stored(x), stored(y));
      }
    }
    return rows;
  }

  /** The place of a pixel's centre in the stored picture, not beyond its outermost centres. */
  private static float stored(int pixel) {
    float place = (pixel + 0.5f) * STORED_SIDE / Digits.SIDE - 0.5f;
    return Math.min(STORED_SIDE - 1f, Math.max(0f, place));
  }

  private static float interpolate(float[] columns, float x, float y) {
    int left = Math.min((int) x, STORED_SIDE - 2);
    int top = Math.min((int) y, STORED_SIDE - 2);
    float right = x - left;
    float down = y - top;
    int corner = left * STORED_SIDE + top;
    float leftColumn = columns[corner] * (1f - down) + columns[corner + 1] * down;
    int next = corner + STORED_SIDE;
    float rightColumn = columns[next] * (1f - down) + columns[next + 1] * down;
    return leftColumn * (1f - right) + rightColumn * right;
  }
}
