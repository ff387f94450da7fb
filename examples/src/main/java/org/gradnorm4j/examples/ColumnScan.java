package org.gradnorm4j.examples;

import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What the cells of one column have in common. A column of which all cells are numbers is numeric;
 * any other is text, and its different values are its categories.
 */
final class ColumnScan {
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");
  private static final Pattern NOT_FINITE =
      Pattern.compile("[+-]?(nan|inf|infinity)", Pattern.CASE_INSENSITIVE);

  private final String name;
  private final int maxCategories;
  private final TreeSet<String> values = new TreeSet<>();
  private long numbers;
  private long missing;
  private Place tooMany;
  private Place firstText;
  private Place firstNotFinite;

  /**
   * Of no cells yet.
   *
   * @param name of the column
   * @param maxCategories most different values that are kept
   */
  ColumnScan(String name, int maxCategories) {
    this.name = name;
    this.maxCategories = maxCategories;
  }

  private record Place(Path file, long line, String cell) {}

  void addMissing() {
    missing++;
  }

  void add(Path file, long line, String cell) {
    boolean finite = NUMBER.matcher(cell).matches() && Double.isFinite(Double.parseDouble(cell));
    if (finite) {
      numbers++;
    } else if (isNotFinite(cell)) {
      firstNotFinite = firstNotFinite == null ? new Place(file, line, cell) : firstNotFinite;
    } else {
      firstText = firstText == null ? new Place(file, line, cell) : firstText;
    }
    if (tooMany == null && values.add(cell) && values.size() > maxCategories) {
      tooMany = new Place(file, line, cell);
    }
  }

  /** By name or by overflow. */
  private static boolean isNotFinite(String cell) {
    return NOT_FINITE.matcher(cell).matches() || NUMBER.matcher(cell).matches();
  }

  String name() {
    return name;
  }

  long missing() {
    return missing;
  }

  boolean isEmpty() {
    return values.isEmpty();
  }

  boolean isNumeric() {
    return firstText == null;
  }

  /**
   * For a column that is to be numeric.
   *
   * @throws CsvException if a cell is not a finite number
   */
  void checkNumbers() throws CsvException {
    if (firstText != null) {
      throw at(
          firstText, "'%s' is not a number%s".formatted(shortened(firstText), missingRemedy()));
    }
    if (firstNotFinite != null) {
      throw at(
          firstNotFinite,
          "'%s' is not a finite number. Leave the cell empty if its value is missing"
              .formatted(shortened(firstNotFinite)));
    }
  }

  /**
   * For a column that is to be text.
   *
   * @return its different values, sorted
   * @throws CsvException if there are too many
   */
  List<String> checkedCategories() throws CsvException {
    if (tooMany == null) {
      return List.copyOf(values);
    }
    if (firstText != null && numbers > 0) {
      throw at(
          firstText,
          "'%s' is not a number, other cells of the column are%s"
              .formatted(shortened(firstText), missingRemedy()));
    }
    throw at(
        tooMany,
        "more than %d different values by here, too many categories. Leave the column out with --ignore, or raise --max-categories"
            .formatted(maxCategories));
  }

  private static String missingRemedy() {
    return ". If it stands for a missing value, name it with --missing; else correct it, or leave the column out with --ignore";
  }

  private static String shortened(Place place) {
    return CsvFile.abbreviated(place.cell);
  }

  private CsvException at(Place place, String message) {
    return new CsvException(place.file, place.line, name, message);
  }
}
