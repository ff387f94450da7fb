package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read, and what a table that cannot be read is told. */
class TableReaderTest {
  private static final MemoryLimit PLENTY = new MemoryLimit(1 << 20);

  @TempDir private Path folder;

  static Stream<Arguments> badTables() {
    return Stream.of(
        bad("", "file is empty"),
        bad("\n\n", "file is empty"),
        bad("a,y,k\n", "no rows after the header"),
        bad(
            "a,y\n1,2\n",
            "line 1, column 'k': there is no such column. Correct --targets: the columns are [a, y]"),
        bad("a,y,k,a\n1,2,x,3\n", "line 1, column 'a': two columns have this name"),
        bad("a,,k\n1,2,x\n", "line 1: column 2 has no name"),
        bad(
            "a;y;k\n1;2;x\n",
            "line 1: only one column, 'a;y;k'. If ';' is the separator: --delimiter ';'"),
        bad(
            "a\ty\tk\n1\t2\tx\n",
            "line 1: only one column, 'a y k'. If '\\t' is the separator: --delimiter '\\t'"),
        bad(
            "a\n1\n",
            "line 1: only one column, 'a'. Another separator than ',' is set with --delimiter"),
        bad(
            "a,y,k\n1,2,x\n1,2\n",
            "line 3, column 'k': the row ends before it: 2 cells, 3 columns"),
        bad(
            "a,y,k\n1,2,x\n\n1,2,x,4\n",
            "line 4, column 'k': the row goes on after it: 4 cells, 3 columns"),
        bad("a,y,k\n\"1\n2\",2,x\n1,2\n", "line 4, column 'k': the row ends before it"),
        bad("a,y,k\r\n1,2,x\r\n1,NaN,u\r\n", "line 3, column 'y': 'NaN' is not a finite number"),
        bad(
            "a,y,k\n-Infinity,2,x\n1,3,u\n",
            "line 2, column 'a': '-Infinity' is not a finite number"),
        bad("a,y,k\n1,2,x\n1e999,3,u\n", "line 3, column 'a': '1e999' is not a finite number"),
        bad("a,y,k\n1,2,x\n2,3,x\n", "line 1, column 'k': a target with one class only, 'x'"),
        bad("a,y,k\n1,,x\n2,NA,u\n", "line 1, column 'y': a target, but all its cells are missing"),
        bad(
            "a,y,k\n1,2,x\n2,3,\"u\n3,4,v\n",
            "line 3: the quotes of the row that begins here do not match"),
        bad(
            "a,y,k\n1,2,x\n2,\"3\"4,v\n",
            "line 3: the quotes of the row that begins here do not match"),
        bad("y,k\n1,x\n2,u\n", "line 1: no column is left as an input"),
        bad("a,y,k\n1,2,\0\n", "this is not plain text"),
        bad("PK\u0003\u0004\0\0,y,k\n1,2,3\n", "this is a workbook or a zip file"),
        bad("a,y,k\n1\n", "line 2, column 'y': the row ends before it: 1 cell, 3 columns"));
  }

  private static Arguments bad(String table, String message) {
    return Arguments.of(table, message);
  }

  @ParameterizedTest
  @MethodSource("badTables")
  void badTable_saysWhereAndWhat(String table, String message) throws IOException {
    Path file = write(table, StandardCharsets.UTF_8);
    assertThatThrownBy(() -> read(file, StandardCharsets.UTF_8, PLENTY))
        .isInstanceOf(CsvException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message);
  }

  @Test
  void noFile() {
    assertThatThrownBy(() -> read(folder.resolve("none.csv"), StandardCharsets.UTF_8, PLENTY))
        .isInstanceOf(CsvException.class)
        .hasMessageContaining("there is no such file");
  }

  @Test
  void folder_isNamedAsOne() {
    assertThatThrownBy(() -> read(folder, StandardCharsets.UTF_8, PLENTY))
        .isInstanceOf(CsvException.class)
        .hasMessage(folder + ": this is a folder. Name a CSV file in it");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16", "UTF-16LE", "UTF-16BE"})
  void utf16_isNamed_andReadIfAskedFor(String name) throws IOException {
    Charset charset = Charset.forName(name);
    String mark = name.equals("UTF-16") ? "" : "\uFEFF"; // Java writes it for UTF-16 itself
    Path file = write(mark + "a,y,k\n1,2,x\n2,3,f\u00fcr\n", charset);
    assertThatThrownBy(() -> read(file, StandardCharsets.UTF_8, PLENTY))
        .isInstanceOf(CsvException.class)
        .hasMessage(file + ": this is UTF-16 text. Read it with --charset UTF-16");
    Table table = read(file, StandardCharsets.UTF_16, PLENTY);
    assertThat(table.columns().keySet()).containsExactly("a", "y", "k");
    assertThat(table.columns().get("k").categories()).containsExactly("f\u00fcr", "x");
  }

  @Test
  void gzip_isNamed() throws IOException {
    Path file = Files.write(folder.resolve("t.csv"), new byte[] {0x1f, (byte) 0x8b, 8, 0, 1});
    assertThatThrownBy(() -> read(file, StandardCharsets.UTF_8, PLENTY))
        .hasMessage(file + ": this is compressed with gzip. Unpack it");
  }

  /** Tabs are white space, and yet separate empty cells. */
  @Test
  void tabsAndSemicolons_withEmptyCells() throws IOException {
    for (char delimiter : new char[] {'\t', ';'}) {
      String text = "a,y,k\r\n,1,x\r\n \u00a02\u00a0 ,,\"u\"\r\n3,2,\r\n".replace(',', delimiter);
      Path file = write(text, StandardCharsets.UTF_8);
      Table table =
          new TableReader(
                  List.of(new CsvFile(file, delimiter, StandardCharsets.UTF_8)),
                  Set.of(),
                  10,
                  PLENTY)
              .read(new TableColumns(targets(), Set.of(), Map.of()));
      assertThat(table.columns().get("a").cells()).containsExactly(Double.NaN, 2.0, 3.0);
      assertThat(table.columns().get("y").cells()).containsExactly(1.0, Double.NaN, 2.0);
      assertThat(table.columns().get("k").categories()).containsExactly("u", "x");
    }
  }

  @Test
  void targetThatIsIgnored() throws IOException {
    Path file = write("a,y,k\n1,2,x\n2,3,u\n", StandardCharsets.UTF_8);
    TableReader reader = reader(file, StandardCharsets.UTF_8, PLENTY);
    TableColumns columns = new TableColumns(targets(), Set.of("y"), Map.of());
    assertThatThrownBy(() -> reader.read(columns))
        .hasMessageContaining("column 'y': it is in --targets and in --ignore");
  }

  /** Half a column of words after numbers: a slip, not a category. */
  @Test
  void wordAmongManyNumbers_isNamed() throws IOException {
    StringBuilder table = new StringBuilder("a,y,k\n");
    for (int row = 0; row < 40; row++) {
      table.append(
          String.format(
              Locale.ROOT, "%s,%d,%s%n", row == 30 ? "n/a" : row, row, row % 2 == 0 ? "x" : "u"));
    }
    Path file = write(table.toString(), StandardCharsets.UTF_8);
    assertThatThrownBy(() -> read(file, StandardCharsets.UTF_8, PLENTY))
        .hasMessageContaining(
            "line 32, column 'a': 'n/a' is not a number, but 39 of the column's 40 cells are.")
        .hasMessageContaining("--missing");
  }

  @Test
  void tooManyCategories_namesTheColumn() throws IOException {
    StringBuilder table = new StringBuilder("a,y,k\n");
    for (int row = 0; row < 12; row++) {
      table.append(
          String.format(Locale.ROOT, "name%d,%d,%s%n", row, row, row % 2 == 0 ? "x" : "u"));
    }
    Path file = write(table.toString(), StandardCharsets.UTF_8);
    assertThatThrownBy(() -> read(file, StandardCharsets.UTF_8, PLENTY))
        .hasMessageContaining("line 12, column 'a': more than 10 different values by here")
        .hasMessageContaining("--ignore");
  }

  @Test
  void regressionOnWords_namesTheFirst() throws IOException {
    Path file = write("a,y,k\n1,2,3\n2,3,high\n", StandardCharsets.UTF_8);
    TableReader reader = reader(file, StandardCharsets.UTF_8, PLENTY);
    TableColumns columns = new TableColumns(targets(), Set.of(), Map.of("k", TaskKind.REGRESSION));
    assertThatThrownBy(() -> reader.read(columns))
        .hasMessageContaining("line 3, column 'k': 'high' is not a number");
  }

  @Test
  void wrongCharset_namesTheLine() throws IOException {
    Path file = write("a,y,k\n1,2,x\n2,3,für\n", StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> read(file, StandardCharsets.UTF_8, PLENTY))
        .isInstanceOf(CsvException.class)
        .hasMessageContaining("line 3: not UTF-8 text")
        .hasMessageContaining("--charset");
    assertThat(read(file, StandardCharsets.ISO_8859_1, PLENTY).columns().get("k").categories())
        .containsExactly("für", "x");
  }

  @Test
  void byteOrderMark_lineEnds_quotedNewlines_blanks_areNoProblem() throws IOException {
    Path file =
        write(
            "\uFEFF\"a\",y , k\r\n1, 2 ,\"one\r\nline\"\r\n\r\n 2,+3.5e0,two",
            StandardCharsets.UTF_8);
    Table table = read(file, StandardCharsets.UTF_8, PLENTY);

    assertThat(table.rows()).isEqualTo(2);
    assertThat(table.columns().keySet()).containsExactly("a", "y", "k");
    assertThat(table.columns().get("y").cells()).containsExactly(2.0, 3.5);
    assertThat(table.columns().get("k").categories()).containsExactly("one\r\nline", "two");
  }

  @Test
  void missingCells_areNaN() throws IOException {
    Path file = write("a,y,k\n,2,x\nNA,?,u\n3,4,\n", StandardCharsets.UTF_8);
    Table table = read(file, StandardCharsets.UTF_8, PLENTY);
    assertThat(table.columns().get("a").cells()).containsExactly(Double.NaN, Double.NaN, 3.0);
    assertThat(table.columns().get("y").cells()).containsExactly(2.0, Double.NaN, 4.0);
    assertThat(table.columns().get("k").cells()).containsExactly(1.0, 0.0, Double.NaN);
  }

  /** 3 values of 8 bytes a row: the fifth row does not fit into 100 bytes. */
  @Test
  void tooManyRows_stopsThere() throws IOException {
    Path file = write("a,y,k\n" + "1,2,x\n2,3,u\n".repeat(50), StandardCharsets.UTF_8);
    assertThatThrownBy(() -> read(file, StandardCharsets.UTF_8, new MemoryLimit(100)))
        .isInstanceOf(CsvException.class)
        .hasMessageContaining("line 6: 5 rows of 3 values are more than")
        .hasMessageContaining("--ignore");
  }

  /** The parser would collect the rest of the file, however long. */
  @Test
  void quoteThatIsNeverClosed_stopsSoon() throws IOException {
    Path file = write("a,y,k\n1,2,\"x\n" + "2,3,u\n".repeat(400_000), StandardCharsets.UTF_8);
    assertThatThrownBy(() -> read(file, StandardCharsets.UTF_8, PLENTY))
        .isInstanceOf(CsvException.class)
        .hasMessageContaining("line 2: a row has more than 1048576 characters");
  }

  @Test
  void testFile_isMatchedByColumnName() throws IOException {
    Path train = write("a,y,k\n1,2,x\n2,3,u\n", StandardCharsets.UTF_8);
    Path test = Files.writeString(folder.resolve("test.csv"), "extra,k,y,a\n0,new,5,4\n");
    TableReader reader =
        new TableReader(
            List.of(
                new CsvFile(train, ',', StandardCharsets.UTF_8),
                new CsvFile(test, ',', StandardCharsets.UTF_8)),
            Set.of(),
            10,
            PLENTY);
    Table table = reader.read(new TableColumns(targets(), Set.of(), Map.of()));
    assertThat(table.trainRows()).isEqualTo(2);
    assertThat(table.columns().get("a").cells()).containsExactly(1.0, 2.0, 4.0);
    assertThat(table.columns().get("k").categories()).containsExactly("new", "u", "x");

    Files.writeString(test, "k,y\nx,5\n");
    assertThatThrownBy(() -> reader.read(new TableColumns(targets(), Set.of(), Map.of())))
        .hasMessageContaining(test + ", line 1, column 'a': there is no such column, but");
  }

  private Path write(String table, Charset charset) throws IOException {
    return Files.write(folder.resolve("table.csv"), table.getBytes(charset));
  }

  private static Set<String> targets() {
    return new LinkedHashSet<>(List.of("y", "k"));
  }

  private static Table read(Path file, Charset charset, MemoryLimit limit) throws IOException {
    return reader(file, charset, limit).read(new TableColumns(targets(), Set.of(), Map.of()));
  }

  private static TableReader reader(Path file, Charset charset, MemoryLimit limit) {
    return new TableReader(List.of(new CsvFile(file, ',', charset)), Set.of("NA", "?"), 10, limit);
  }
}
