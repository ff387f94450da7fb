package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The commands in JVMs of several countries: of other digits, another decimal separator, another
 * lower case of I. Oracle: what an English one writes and prints, byte for byte.
 */
class LocaleTest {
  private static final List<String> COMMANDS =
      List.of(
          "csv --data ../table.csv --targets y,kind --task kind:classification --epochs 2 --seeds 2"
              + " --output csv",
          "toy --tasks 2 --train-size 25 --steps 5 --balancer equal,gradnorm --output toy",
          "composite --epochs 1 --batch 500 --balancer static,gradnorm --output composite");

  /** What is measured in time, in each file and in what is printed. */
  private static final Map<String, String> TIMES =
      Map.of(
          "summary.json", "(?<=\"seconds\": )[-0-9.E]+(?=,)",
          ".html", "(?<=<p id=\"overhead\">)\\S+(?= ms per measured step)",
          "printed.txt", "\\d+(\\.\\d)? (s|steps/s)\\b|training seconds.*");

  @TempDir private static Path parent;
  private static Map<String, String> english;

  @BeforeAll
  static void runInEnglish() throws Exception {
    CsvTable.write(parent.resolve("table.csv"), 40, 1);
    english = run("en-US", "1000.5 i");
  }

  @Test
  void english_isAsExpected() {
    assertThat(english.keySet())
        .contains(
            "csv/summary.json",
            "csv/encoding.json",
            "csv/history.csv",
            "csv/report.html",
            "csv/report-equal.html",
            "toy/summary.json",
            "composite/summary.json");
    assertThat(english.get("csv/summary.json")).contains("\"seconds\": ,", "\"classification\"");
    assertThat(english.get("printed.txt"))
        .contains("y (regression)", "lambda ", "exit code 0")
        .doesNotContain("exit code 1", "exit code 2");
  }

  @ParameterizedTest
  @CsvSource({
    "ar-EG, ١٠٠٠٫٥ i",
    "hi-IN-u-nu-deva, १०००.५ i",
    "tr-TR, '1000,5 ı'",
    "de-DE, '1000,5 i'"
  })
  void everyFile_isAsInEnglish(String locale, String proof) throws Exception {
    Map<String, String> files = run(locale, proof);
    assertThat(files.keySet()).isEqualTo(english.keySet());
    files.forEach(
        (name, content) ->
            assertThat(content).as("%s in %s", name, locale).isEqualTo(english.get(name)));
  }

  /**
   * Runs {@link #main} in a JVM of that locale.
   *
   * @param proof what the number 1000.5 and an I in lower case look like there
   * @return the content of each file but the models, without times, by its name
   */
  private static Map<String, String> run(String tag, String proof) throws Exception {
    Path folder = Files.createDirectory(parent.resolve(tag));
    Locale locale = Locale.forLanguageTag(tag);
    String numbering = locale.getExtension(Locale.UNICODE_LOCALE_EXTENSION);
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:TieredStopAtLevel=1",
                "-Dorg.nd4j.log.initialization=false",
                "-Duser.language=" + locale.getLanguage(),
                "-Duser.country=" + locale.getCountry(),
                "-Duser.extensions=" + (numbering == null ? "" : "u-" + numbering),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                LocaleTest.class.getName()));
    command.addAll(COMMANDS);
    ProcessBuilder process = new ProcessBuilder(command).directory(folder.toFile());
    process.environment().put("OMP_NUM_THREADS", "1");
    process
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.INHERIT);
    assertThat(process.start().waitFor()).isZero();
    Path proofFile = folder.resolve("proof.txt");
    assertThat(proofFile).hasContent(proof);
    Files.delete(proofFile);
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = folder.relativize(file).toString().replace('\\', '/');
        contents.put(name, name.endsWith(".zip") ? "" : withoutTimes(name, file));
      }
    }
    return contents;
  }

  private static String withoutTimes(String name, Path file) throws IOException {
    String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    for (Map.Entry<String, String> times : TIMES.entrySet()) {
      if (name.endsWith(times.getKey())) {
        text = text.replaceAll(times.getValue(), "");
      }
    }
    return text;
  }

  /** Runs each argument as a command line, in the folder it is started in. */
  public static void main(String[] commands) throws IOException {
    Locale locale = Locale.getDefault();
    Files.writeString(
        Path.of("proof.txt"), String.format(locale, "%.1f ", 1000.5) + "I".toLowerCase(locale));
    StringWriter printed = new StringWriter();
    PrintWriter out = new PrintWriter(printed, true);
    for (String command : commands) {
      int exitCode = Examples.commandLine().setOut(out).setErr(out).execute(command.split(" "));
      out.println("exit code " + exitCode);
    }
    Files.writeString(Path.of("printed.txt"), printed.toString());
  }
}
