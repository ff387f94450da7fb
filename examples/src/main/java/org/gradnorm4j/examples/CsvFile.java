package org.gradnorm4j.examples;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * A CSV file (RFC 4180; any line ends; a byte order mark is skipped) whose first row names the
 * columns. Read row by row: it need not fit in memory.
 *
 * @param path of the file
 * @param delimiter between cells
 * @param charset of the file
 */
record CsvFile(Path path, char delimiter, Charset charset) {
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  /** Gets the rows after the first, one by one. */
  interface RowVisitor {
    /**
     * One row.
     *
     * @param line on which the row begins, from 1
     * @param cells as many as there are columns
     */
    void row(long line, CSVRecord cells) throws CsvException;
  }

  /** The names of the columns: none is empty, no two are the same. */
  List<String> header() throws IOException {
    List<String> names = new ArrayList<>();
    read(names, (line, cells) -> {}, true);
    return names;
  }

  /** Visits all rows. Lines without anything in them are no rows. */
  void forEachRow(RowVisitor visitor) throws IOException {
    read(new ArrayList<>(), visitor, false);
  }

  private void read(List<String> header, RowVisitor visitor, boolean headerOnly)
      throws IOException {
    if (Files.isDirectory(path)) {
      throw new CsvException(path, "this is a folder. Name a CSV file in it");
    } else if (!Files.isReadable(path)) {
      throw new CsvException(
          path,
          Files.exists(path)
              ? "there is no permission to read it"
              : "there is no such file. Check the path");
    }
    FileSignature.check(path, charset);
    CSVFormat format =
        CSVFormat.RFC4180
            .builder()
            .setDelimiter(delimiter)
            .setIgnoreEmptyLines(false)
            .setIgnoreSurroundingSpaces(true)
            .setTrim(true)
            .get();
    try (GuardedReader reader = new GuardedReader(open());
        CSVParser csv = format.parse(reader)) {
      Iterator<CSVRecord> records = csv.iterator();
      long line = 1;
      while (hasNext(records, line)) {
        CSVRecord cells = records.next();
        if (!isBlank(cells)) {
          if (header.isEmpty()) {
            header.addAll(checkedHeader(cells, line));
            if (headerOnly) {
              return;
            }
          } else {
            checkWidth(header, cells, line);
            visitor.row(line, cells);
          }
        }
        reader.rowEnded();
        line = csv.getCurrentLineNumber() + 1;
      }
    }
    if (header.isEmpty()) {
      throw new CsvException(path, "the file is empty. The first row must name the columns");
    }
  }

  private Reader open() throws IOException {
    Reader reader =
        new BufferedReader(
            new InputStreamReader(
                Files.newInputStream(path),
                charset
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)));
    reader.mark(1);
    try {
      if (reader.read() != BYTE_ORDER_MARK) {
        reader.reset();
      }
    } catch (CharacterCodingException e) {
      reader.close();
      throw notInCharset();
    }
    return reader;
  }

  private boolean hasNext(Iterator<CSVRecord> records, long line) throws IOException {
    try {
      return records.hasNext();
    } catch (UncheckedIOException e) {
      IOException cause = e.getCause();
      if (cause instanceof CharacterCodingException) {
        throw notInCharset();
      } else if (cause instanceof GuardedReader.Refused) {
        throw new CsvException(path, line, cause.getMessage());
      } else if (cause instanceof CSVException) {
        throw new CsvException(
            path,
            line,
            "the quotes of the row that begins here do not match. Quote a cell as a whole,"
                + " \"like this\", and double the quotes (\"\") inside it");
      }
      throw cause;
    }
  }

  /** Finds the line: the decoder does not tell it. */
  private CsvException notInCharset() throws IOException {
    String remedy =
        String.format(
            Locale.ROOT,
            "not %s text. Save the table as %s, or name its encoding, such as --charset windows-1252",
            charset,
            charset);
    try (CharsetCheck check = new CharsetCheck(path, charset)) {
      long line = check.firstBadLine();
      return line == 0 ? new CsvException(path, remedy) : new CsvException(path, line, remedy);
    }
  }

  private static boolean isBlank(CSVRecord cells) {
    return cells.size() == 1 && cells.get(0).isEmpty();
  }

  private List<String> checkedHeader(CSVRecord cells, long line) throws CsvException {
    Set<String> names = new LinkedHashSet<>();
    for (String cell : cells) {
      String name = stripped(cell);
      int position = names.size() + 1;
      if (name.isEmpty()) {
        throw new CsvException(
            path,
            line,
            String.format(
                Locale.ROOT, "column %d has no name. The first row must name all", position));
      } else if (!names.add(name)) {
        throw new CsvException(path, line, name, "two columns have this name. Rename one of them");
      }
    }
    if (names.size() == 1) {
      throw new CsvException(
          path,
          line,
          String.format(
              Locale.ROOT,
              "only one column, '%s'. %s",
              abbreviated(cells.get(0)),
              Delimiter.advice(cells.get(0), delimiter)));
    }
    return List.copyOf(names);
  }

  private void checkWidth(List<String> header, CSVRecord cells, long line) throws CsvException {
    if (cells.size() < header.size()) {
      throw new CsvException(
          path,
          line,
          header.get(cells.size()),
          String.format(
              Locale.ROOT,
              "the row ends before it: %s, %d columns. Leave a missing cell empty, but keep its separator",
              Console.count(cells.size(), "cell", "cells"),
              header.size()));
    }
    if (cells.size() > header.size()) {
      throw new CsvException(
          path,
          line,
          header.get(header.size() - 1),
          String.format(
              Locale.ROOT,
              "the row goes on after it: %s, %d columns. Quote a cell that contains the separator",
              Console.count(cells.size(), "cell", "cells"),
              header.size()));
    }
  }

  /** Without space around it, also of the kinds that {@link String#trim} leaves. */
  static String stripped(String cell) {
    int begin = 0;
    int end = cell.length();
    while (begin < end && isSpace(cell.charAt(begin))) {
      begin++;
    }
    while (begin < end && isSpace(cell.charAt(end - 1))) {
      end--;
    }
    return cell.substring(begin, end);
  }

  private static boolean isSpace(char character) {
    return Character.isWhitespace(character) || Character.isSpaceChar(character);
  }

  /** Short enough for a message. */
  static String abbreviated(String text) {
    String line = text.replaceAll("\\s+", " ");
    return line.length() <= 40 ? line : line.substring(0, 37) + "...";
  }
}
