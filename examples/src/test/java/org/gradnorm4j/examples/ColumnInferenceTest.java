package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a column is taken for, and what is said about it. */
class ColumnInferenceTest {
  private static final int ROWS = 88;

  @TempDir private Path folder;

  /** One cell that is no number would make 88 classes of a numeric target. */
  @ParameterizedTest
  @ValueSource(strings = {"n/a", "20,123", "-", "12 kg", "5%", "2024-01-31", "high", "−3"})
  void oddCellAmongNumbers_isNamed_inTargetAndInput(String odd) {
    assertThatThrownBy(() -> read("c", true, Map.of(), row -> row == 40 ? odd : row + ".5"))
        .isInstanceOf(CsvException.class)
        .hasMessageContaining(
            String.format(
                Locale.ROOT,
                "line 42, column 'c': '%s' is not a number, but 87 of the column's 88 cells are",
                odd))
        .hasMessageEndingWith(
            "If the column is text: --task c:classification. Or leave it out with --ignore");
    assertThatThrownBy(() -> read("c", false, Map.of(), row -> row == 40 ? odd : row + ".5"))
        .hasMessageContaining("line 42, column 'c'")
        .hasMessageContaining("--text c");
  }

  @Test
  void oddCell_isToldItsRemedy() {
    assertThatThrownBy(() -> read("c", true, Map.of(), row -> row == 1 ? "n/a" : "" + row))
        .hasMessageContaining("If it stands for a missing value, name it with --missing");
    assertThatThrownBy(() -> read("c", true, Map.of(), row -> row == 1 ? "20,123" : "" + row))
        .hasMessageContaining("numbers with thousands set apart: write numbers plainly");
  }

  /** Most cells are missing values, spelled out: still a column of numbers. */
  @Test
  void numbersAmongSpelledMissingValues_areNoText() {
    assertThatThrownBy(() -> read("c", true, Map.of(), row -> row % 4 == 0 ? "" + row : "none"))
        .hasMessageContaining("'none' is not a number, but 22 of the column's 88 cells are");
    assertThatThrownBy(
            () -> read("c", true, Map.of(), row -> row < 9 ? "" + row : "1," + 100 + row))
        .hasMessageContaining("is not a number, but 9 of the column's 88 cells are");
  }

  @Test
  void numbersAsked_toBeText_areText() throws IOException {
    Table table =
        read("c", false, Map.of("c", TaskKind.CLASSIFICATION), row -> row == 0 ? "3+" : "3");
    assertThat(table.columns().get("c").categories()).containsExactly("3", "3+");
    assertThat(table.remarks()).isEmpty();
  }

  @Test
  void clearColumns_areNotRemarkedOn() throws IOException {
    assertThat(read("c", true, Map.of(), row -> row % 2 == 0 ? "up" : "down").remarks()).isEmpty();
    assertThat(read("c", true, Map.of(), row -> row * 7 % 5 + ".5").remarks()).isEmpty();
    assertThat(read("c", false, Map.of(), row -> "" + row % 2).remarks()).isEmpty();
    assertThat(read("c", false, Map.of(), row -> "A" + row % 9).remarks()).isEmpty();
  }

  @Test
  void whatMayBeMeantOtherwise_isToldInALine() throws IOException {
    assertRemark(
        true,
        row -> "" + row % 2,
        "c: a regression, though its numbers are whole and only 2 different ones. If they are classes: --task c:classification");
    assertRemark(
        false,
        row -> String.format(Locale.ROOT, "2024-02-%02d", 1 + row % 28),
        "c: text of 28 categories, though its cells look like dates or times ('2024-02-01'). Their order is lost: make year, month and day columns of their own, or leave it out with --ignore");
    assertRemark(
        false,
        row -> String.format(Locale.ROOT, "%d", 20240201 + row % 28),
        "c: numbers, though they look like dates (20240131)");
    assertRemark(
        true,
        row -> row % 9 + " kg",
        "c: text of 9 classes, though its cells look like numbers with a unit ('0 kg'). To have numbers, write them plainly, as 1234.5");
    assertRemark(
        false,
        row -> row % 9 + "%",
        "c: text of 9 categories, though its cells look like percentages ('0%')");
    assertRemark(
        false,
        row -> "\"" + row % 9 + ",5\"",
        "c: text of 9 categories, though its cells look like numbers with a decimal comma ('0,5')");
    assertRemark(
        false,
        row -> row < 9 ? "7" : "A7",
        "c: text of 2 categories, though 9 of its 88 cells are numbers");
    assertRemark(
        false,
        row -> row == 0 ? "n/a" : "A" + row % 2,
        "c: 'n/a' is one of its categories. If it stands for a missing value, name it with --missing");
    assertRemark(false, row -> "" + (1000 + row), "c: numbers that rise from row to row");
    assertRemark(
        false, row -> "name" + (char) ('A' + row), "c: text of which no two cells are the same");
    assertRemark(false, row -> "7", "c: all cells are the same: it teaches nothing");
    assertRemark(false, row -> "", "c: all cells are missing: it teaches nothing");
  }

  private void assertRemark(boolean target, IntFunction<String> cell, String remark)
      throws IOException {
    Table table = read("c", target, Map.of(), cell);
    assertThat(table.remarks()).hasSize(1);
    assertThat(table.remarks().get(0)).startsWith(remark);
  }

  @Test
  void columnsOfOneRemark_shareALine() throws IOException {
    String header =
        IntStream.range(0, 12).mapToObj(i -> "x" + i).collect(Collectors.joining(",")) + ",y,k\n";
    Path file = folder.resolve("wide.csv");
    Files.writeString(file, header + ("1,".repeat(12) + "1.5,u\n") + ("1,".repeat(12) + "2.5,v\n"));
    assertThat(table(file, Set.of("y", "k"), Map.of()).remarks())
        .containsExactly(
            "x0, x1, x2, x3, x4 and 7 more: all cells are the same: it teaches nothing. Leave it out with --ignore");
  }

  /** A table with inputs x and z, a target y, and the column of interest. */
  private Table read(
      String name, boolean target, Map<String, TaskKind> kinds, IntFunction<String> cell)
      throws IOException {
    StringBuilder csv = new StringBuilder("x,z," + name + ",y\n");
    for (int row = 0; row < ROWS; row++) {
      String quoted = cell.apply(row);
      quoted = quoted.contains(",") && !quoted.startsWith("\"") ? "\"" + quoted + "\"" : quoted;
      csv.append(
          String.format(
              Locale.ROOT, "%d.5,%d.5,%s,%d.5\n", row * 7 % 5, row % 3, quoted, row * 5 % 7));
    }
    Path file = Files.writeString(folder.resolve("table.csv"), csv);
    return table(file, target ? Set.of("y", name) : Set.of("y", "z"), kinds);
  }

  private static Table table(Path file, Set<String> targets, Map<String, TaskKind> kinds)
      throws IOException {
    return new TableReader(
            List.of(new CsvFile(file, ',', StandardCharsets.UTF_8)),
            Set.of("NA", "?"),
            100,
            new MemoryLimit(1 << 20))
        .read(new TableColumns(new LinkedHashSet<>(targets), Set.of(), kinds));
  }
}
