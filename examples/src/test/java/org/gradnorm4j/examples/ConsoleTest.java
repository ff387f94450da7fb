package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** 80 columns, and no colour codes where there is no terminal. */
class ConsoleTest {
  @Test
  void longLine_breaksAtSpaces() {
    assertThat(printed("x".repeat(40) + " " + "y".repeat(39)).lines())
        .containsExactly("x".repeat(40) + " " + "y".repeat(39));
    assertThat(printed("x".repeat(40) + " " + "y".repeat(40) + " z").lines())
        .containsExactly("x".repeat(40), "    " + "y".repeat(40) + " z");
    assertThat(printed("  " + "x".repeat(90) + " y").lines())
        .containsExactly("  " + "x".repeat(90), "    y");
    assertThat(printed("x".repeat(90)).lines()).containsExactly("x".repeat(90));
    assertThat(printed("a\nb").lines()).containsExactly("a", "b");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "multimnist --help",
        "toy --help",
        "composite --help",
        "csv --help",
        "toy --tasks 10 --batch 10 --train-size 20 --test-size 10 --steps 2 --output OUT"
      })
  void everyLineFits(String command, @TempDir Path folder) {
    CommandRun run = CommandRun.of(command.replace("OUT", folder.toString()).split(" "));
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).doesNotContain("\u001B");
    List<String> lines =
        run.out().lines().filter(line -> !line.contains(folder.toString())).toList();
    assertThat(lines).hasSizeGreaterThan(5);
    assertThat(lines).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "toy --tasks 1",
        "csv --data nowhere.csv --targets a",
        "composite --balancer none"
      })
  void everyLineOfAnErrorFits(String command) {
    StringWriter err = new StringWriter();
    int exitCode =
        Examples.commandLine().setErr(new PrintWriter(err, true)).execute(command.split(" "));
    assertThat(exitCode).isNotZero();
    assertThat(err.toString().lines())
        .isNotEmpty()
        .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
  }

  private static String printed(String text) {
    StringWriter out = new StringWriter();
    Console.print(text, new PrintWriter(out, true));
    return out.toString();
  }
}
