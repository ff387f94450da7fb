package org.gradnorm4j.examples;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * What the cells of one column have in common. A column of which all cells are numbers is numeric.
 * One without numbers is text, and its different values are its categories. One with both is text
 * only if most of its cells are: a word among numbers is a slip, or a missing value.
 */
final class ColumnScan {
  private final String name;
  private final boolean target;
  private final int maxCategories;
  private final TreeSet<String> values = new TreeSet<>();
  private final Map<CellShape, Long> counts = new EnumMap<>(CellShape.class);
  private final Map<CellShape, Place> firsts = new EnumMap<>(CellShape.class);
  private Place tooMany;
  private Place firstOdd;

  /**
   * Of no cells yet.
   *
   * @param name of the column
   * @param target whether it is one
   * @param maxCategories most different values that are kept
   */
  ColumnScan(String name, boolean target, int maxCategories) {
    this.name = name;
    this.target = target;
    this.maxCategories = maxCategories;
  }

  private record Place(Path file, long line, String cell) {}

  /** A cell that is not missing. */
  void add(Path file, long line, String cell) {
    CellShape shape = CellShape.of(cell);
    if (counts.merge(shape, 1L, Long::sum) == 1L) {
      firsts.put(shape, new Place(file, line, cell));
    }
    if (firstOdd == null && shape != CellShape.NUMBER && shape != CellShape.NOT_FINITE) {
      firstOdd = new Place(file, line, cell);
    }
    if (tooMany == null && values.add(cell) && values.size() > maxCategories) {
      tooMany = new Place(file, line, cell);
    }
  }

  String name() {
    return name;
  }

  boolean isTarget() {
    return target;
  }

  boolean isEmpty() {
    return values.isEmpty();
  }

  boolean isNumeric() {
    return firstOdd == null;
  }

  /** How many cells have a shape. */
  long count(CellShape shape) {
    return counts.getOrDefault(shape, 0L);
  }

  /** How many cells are not missing. */
  long count() {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** The first cell of a shape, short enough for a message. */
  String example(CellShape shape) {
    return shortened(firsts.get(shape));
  }

  /**
   * For a column that is to be numeric.
   *
   * @throws CsvException if a cell is not a finite number
   */
  void checkNumbers() throws CsvException {
    if (firstOdd != null) {
      throw at(firstOdd, oddCell());
    }
    Place notFinite = firsts.get(CellShape.NOT_FINITE);
    if (notFinite != null) {
      throw at(
          notFinite,
          String.format(
              Locale.ROOT,
              "'%s' is not a finite number. If it stands for a missing value, name it with --missing or leave the cell empty",
              shortened(notFinite)));
    }
  }

  /**
   * For a column that nobody has said what it is.
   *
   * @throws CsvException if it has cells that are numbers and others, and is not clearly text
   */
  void checkUnmixed() throws CsvException {
    long numbers = count(CellShape.NUMBER) + count(CellShape.NOT_FINITE);
    boolean others = count(CellShape.TEXT) + count(CellShape.DATE) > 0;
    if (numbers > 0 && (!others || 2 * numbers > count())) {
      throw at(firstOdd, oddCell());
    }
  }

  private String oddCell() {
    long numbers = count(CellShape.NUMBER);
    String rest =
        numbers == 0
            ? "a number"
            : String.format(
                Locale.ROOT,
                "a number, but %d of the column's %s are",
                numbers,
                Console.count(count(), "cell", "cells"));
    String text = target ? "--task %s:classification" : "--text %s";
    return String.format(
        Locale.ROOT,
        "'%s' is not %s. %s. If the column is text: %s. Or leave it out with --ignore",
        shortened(firstOdd),
        rest,
        remedy(),
        String.format(Locale.ROOT, text, name));
  }

  private String remedy() {
    CellShape shape = CellShape.of(firstOdd.cell);
    return shape.isNearNumber()
        ? "It looks like one of " + shape.words() + ": write numbers plainly, as 1234.5"
        : "If it stands for a missing value, name it with --missing; else correct it";
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
    CellShape shape = CellShape.of(tooMany.cell);
    String hint = shape.words() == null ? "" : ", which look like " + shape.words();
    throw at(
        tooMany,
        String.format(
            Locale.ROOT,
            "more than %d different values by here%s: too many categories. Leave the column out with --ignore, or raise --max-categories",
            maxCategories,
            hint));
  }

  private static String shortened(Place place) {
    return CsvFile.abbreviated(place.cell);
  }

  private CsvException at(Place place, String message) {
    return new CsvException(place.file, place.line, name, message);
  }
}
