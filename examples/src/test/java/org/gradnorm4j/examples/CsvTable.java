package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.commons.math3.random.RandomGenerator;
import org.apache.commons.math3.random.Well19937c;

/**
 * A table made for tests: inputs a, b (numbers, some of b missing) and colour (text, some missing);
 * targets y = 100 + 50 a − 20 b (some missing) and kind, whose class is the sign of a + b.
 */
final class CsvTable {
  static final String HEADER = "a,b,colour,y,kind";

  private CsvTable() {}

  static Path write(Path file, int rows, int seed) throws IOException {
    RandomGenerator random = new Well19937c(seed);
    StringBuilder csv = new StringBuilder(HEADER + "\n");
    String[] colours = {"red", "green", "dark blue", ""};
    for (int row = 0; row < rows; row++) {
      double a = random.nextGaussian();
      double b = random.nextGaussian();
      String kind = a + b > 0.0 ? "up" : "down";
      csv.append(
          String.format(
              Locale.ROOT,
              "%.4f,%s,%s,%s,%s%n",
              a,
              row % 7 == 0 ? "NA" : String.format(Locale.ROOT, "%.4f", b),
              colours[random.nextInt(colours.length)],
              row % 5 == 0 ? "" : String.format(Locale.ROOT, "%.3f", 100.0 + 50.0 * a - 20.0 * b),
              row % 9 == 0 ? "?" : kind));
    }
    return Files.writeString(file, csv);
  }
}
