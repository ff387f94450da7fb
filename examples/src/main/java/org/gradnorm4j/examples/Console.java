package org.gradnorm4j.examples;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import org.gradnorm4j.core.accelerate.OpenBlasKernel;

/** Plain text for a terminal of 80 columns: no colours, no cursor movements, only ASCII. */
final class Console {
  static final int COLUMNS = 80;
  private static final String INDENT = "    ";

  private Console() {}

  /** A number and the noun that goes with it: 1 row, 2 rows. */
  static String count(long number, String one, String more) {
    return number + " " + (number == 1 ? one : more);
  }

  /** Prints a text, broken at spaces where a line would be too long. */
  static void print(String text, PrintWriter out) {
    text.lines().forEach(line -> printLine(line, out));
    out.flush();
  }

  private static void printLine(String line, PrintWriter out) {
    String rest = line;
    while (rest.length() > COLUMNS) {
      int end = rest.lastIndexOf(' ', COLUMNS);
      if (rest.substring(0, Math.max(end, 0)).isBlank()) { // a word as long as that stays whole
        end = rest.indexOf(' ', COLUMNS);
      }
      if (end < 0) {
        break;
      }
      out.println(rest.substring(0, end).stripTrailing());
      rest = INDENT + rest.substring(end).strip();
    }
    out.println(rest);
  }

  /** The kernel of OpenBLAS, on which speed depends most, and what to do about it. */
  static void printKernel(PrintWriter out) {
    OpenBlasKernel.name().ifPresent(name -> print("OpenBLAS kernel: " + name, out));
    OpenBlasKernel.advice().ifPresent(advice -> print("advice: " + advice, out));
  }

  /** One line if the files have room in it, else one line each. */
  static void printWritten(List<Path> written, PrintWriter out) {
    String line = "written: " + written;
    if (line.length() <= COLUMNS) {
      out.println(line);
    } else {
      out.println("written:");
      written.forEach(file -> out.println("  " + file));
    }
  }
}
