package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.balancer.LossBalancerCheckpoint;
import org.gradnorm4j.balancer.LossBalancerLogListener;
import org.gradnorm4j.core.analysis.GradientAnalysis;
import org.gradnorm4j.core.analysis.GradientNorms;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.Numbers;
import org.gradnorm4j.history.StaticWeights;
import org.gradnorm4j.history.SyntheticHistory;
import org.gradnorm4j.persist.StepCounts;
import org.gradnorm4j.report.Report;
import org.gradnorm4j.testing.LogLines;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same training in JVMs of several countries: of other digits, another decimal separator,
 * another lower case of I. Oracle: what an English one writes, byte for byte.
 */
class LocaleTest {
  private static final int STEPS = 13;

  /** The one thing in a report that is measured in time. */
  private static final String MILLISECONDS =
      "(?<=<p id=\"overhead\">)\\S+(?= ms per measured step)";

  private static final String LOG = "history-[0-9a-f]{32}\\.log";
  private static final String SEAL = "\"sha256\": \"[0-9a-f]{64}\"";

  @TempDir private static Path parent;
  private static Map<String, byte[]> english;

  @BeforeAll
  static void runInEnglish() throws Exception {
    english = run("en-US", "1000.5 i");
  }

  /**
   * Of checkpoints: the names, which one is the last, and that no more stay than were asked for.
   */
  @Test
  void english_isAsExpected() {
    assertThat(english.keySet())
        .contains(
            "checkpoints/checkpoint-0000000010.zip!gradnorm4j.json",
            "resumed.zip!gradnorm4j-history.bin",
            "state.json",
            "all-settings.json",
            "resumed.zip!gradnorm4j.json",
            "history.csv",
            "report.html",
            "many-tasks.html",
            "loss-weight.png",
            "analysis.json",
            "analysis.csv")
        .noneMatch(name -> name.startsWith("checkpoints/checkpoint-0000000008"));
    assertThat(text("messages.txt"))
        .contains("last checkpoint-0000000012.zip, 13 steps", "GradNorm[", "History[");
    assertThat(text("report.html")).contains("<svg ", "13 steps recorded", "<p id=\"overhead\">");
    assertThat(text("many-tasks.html")).contains("1,200 steps recorded");
  }

  @ParameterizedTest
  @CsvSource({
    "ar-EG, ١٠٠٠٫٥ i",
    "hi-IN-u-nu-deva, १०००.५ i",
    "tr-TR, '1000,5 ı'",
    "de-DE, '1000,5 i'"
  })
  void everyFile_isAsInEnglish(String locale, String proof) throws Exception {
    Map<String, byte[]> files = run(locale, proof);
    assertThat(files.keySet()).isEqualTo(english.keySet());
    files.forEach(
        (name, content) ->
            assertThat(content)
                .as("%s in %s, as text:%n%s", name, locale, printable(content))
                .isEqualTo(english.get(name)));
  }

  /** What is written with all its digits, or rounded, or in lower case: in this JVM. */
  @ParameterizedTest
  @ValueSource(strings = {"ar-EG", "hi-IN-u-nu-deva", "tr-TR", "de-DE"})
  void numbersAndNames_areAsInEnglish(String locale) {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag(locale));
      assertThat(Numbers.readable(1234.5678)).isEqualTo("1235");
      assertThat(Numbers.readable(0.25)).isEqualTo("0.2500");
      assertThat(Numbers.readable(1.5e-7)).isEqualTo("1.500e-07");
      assertThat(Numbers.readable(2.5e9)).isEqualTo("2.500e+09");
      assertThat(Numbers.percent(0.125)).isEqualTo("12.5 %");
      History history = new SyntheticHistory("a", "b").steps(1_200).history();
      assertThat(Report.of(history).toHtml())
          .contains("data-steps=\"1200\"", "1,200 steps recorded, iterations 0 to 1,199");
      assertThat(StaticWeights.ofLateSteps(history.view()).toString()).isASCII();
      assertThat(GradNorm.builder().build().toString())
          .contains("weight update=multiplicative")
          .isASCII();
    } finally {
      Locale.setDefault(before);
    }
  }

  private static String text(String file) {
    return new String(english.get(file), StandardCharsets.UTF_8);
  }

  private static String printable(byte[] content) {
    String text = new String(content, StandardCharsets.UTF_8);
    return text.substring(0, Math.min(text.length(), 2_000));
  }

  /**
   * Runs {@link #main} in a JVM of that locale.
   *
   * @param proof what the number 1000.5 and an I in lower case look like there
   * @return the content of each file, and of each entry of a zip, by its name
   */
  private static Map<String, byte[]> run(String tag, String proof) throws Exception {
    Path folder = Files.createDirectory(parent.resolve(tag));
    Locale locale = Locale.forLanguageTag(tag);
    String numbering = locale.getExtension(Locale.UNICODE_LOCALE_EXTENSION);
    ProcessBuilder builder = TrainingProcess.command(List.of());
    List<String> command = new ArrayList<>(builder.command());
    command.set(command.indexOf(TrainingProcess.class.getName()), LocaleTest.class.getName());
    command.addAll(
        1,
        List.of(
            "-Duser.language=" + locale.getLanguage(),
            "-Duser.country=" + locale.getCountry(),
            "-Duser.extensions=" + (numbering == null ? "" : "u-" + numbering)));
    builder
        .command(command)
        .directory(folder.toFile())
        .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    assertThat(builder.start().waitFor()).isZero();
    Path proofFile = folder.resolve("proof.txt");
    assertThat(proofFile).hasContent(proof);
    Files.delete(proofFile);
    return contents(folder);
  }

  private static Map<String, byte[]> contents(Path folder) throws IOException {
    Map<String, byte[]> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name =
            folder.relativize(file).toString().replace('\\', '/').replaceFirst(LOG, "log");
        if (name.endsWith(".zip")) {
          addEntries(contents, name, file);
        } else {
          contents.put(name, withoutTimes(name, Files.readAllBytes(file)));
        }
      }
    }
    return contents;
  }

  /** The entries alone: a zip has the time of day beside them. */
  private static void addEntries(Map<String, byte[]> contents, String name, Path file)
      throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (ZipEntry entry : zip.stream().toList()) {
        byte[] content = zip.getInputStream(entry).readAllBytes();
        contents.put(name + "!" + entry.getName(), withoutNames(entry.getName(), content));
      }
    }
  }

  /** A state names the log of its history, which has a random name, and seals it. */
  private static byte[] withoutNames(String entry, byte[] content) {
    return entry.endsWith(".json")
        ? new String(content, StandardCharsets.UTF_8)
            .replaceFirst(LOG, "log")
            .replaceFirst(SEAL, "")
            .getBytes(StandardCharsets.UTF_8)
        : content;
  }

  private static byte[] withoutTimes(String name, byte[] content) {
    return name.equals("report.html")
        ? new String(content, StandardCharsets.UTF_8)
            .replaceFirst(MILLISECONDS, "")
            .getBytes(StandardCharsets.UTF_8)
        : content;
  }

  /** Trains, and writes all that can be written, to the folder it is started in. */
  public static void main(String[] arguments) throws IOException {
    Locale locale = Locale.getDefault();
    Files.writeString(
        Path.of("proof.txt"), String.format(locale, "%.1f ", 1000.5) + "I".toLowerCase(locale));
    List<String> messages = new ArrayList<>();
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    Path checkpoints = Path.of("checkpoints");
    net.addListeners(
        LossBalancerCheckpoint.builder(gradNorm, checkpoints)
            .everyIterations(2)
            .keepLast(2)
            .build(),
        new LossBalancerLogListener(gradNorm, 5));
    try (LogLines log = new LogLines(LossBalancerLogListener.class)) {
      TrainingProcess.train(net, STEPS);
      messages.addAll(log.of(Level.INFO));
    }
    gradNorm.save(Path.of("state.json"));
    write(gradNorm.history(), messages);
    messages.add(gradNorm + "\n" + gradNorm.lastStep() + "\n" + gradNorm.staticWeights());
    gradNorm.detach();

    Path last = LossBalancerCheckpoint.last(checkpoints).orElseThrow();
    ComputationGraph resumed = ModelSerializer.restoreComputationGraph(last.toFile(), true);
    GradNorm again = GradNorm.restoreFromModel(last).attach(resumed);
    TrainingProcess.train(resumed, 1);
    again.writeModel(resumed, Path.of("resumed.zip"));
    messages.add(
        "last " + last.getFileName() + ", " + StepCounts.of(resumed).iterations() + " steps");
    again.detach();

    ComputationGraph other = TrainingProcess.network();
    GradNorm allSettings = TrainingProcess.settings().get("all").build().attach(other);
    TrainingProcess.train(other, 4);
    allSettings.save(Path.of("all-settings.json"));
    messages.add(allSettings.toString());
    allSettings.detach();
    analyze(other, messages);
    Files.write(Path.of("messages.txt"), messages);
  }

  private static void write(History history, List<String> messages) throws IOException {
    history.writeCsv(Path.of("history.csv"));
    Report.of(history).write(Path.of("report.html"));
    Report.of(history).writeCharts(Path.of(""));
    messages.add(history.toString());
    History many = new SyntheticHistory(SyntheticHistory.names(30)).steps(1_200).history();
    Report.of(many).write(Path.of("many-tasks.html"));
  }

  private static void analyze(ComputationGraph net, List<String> messages) throws IOException {
    GradientAnalysis analysis = GradientNorms.analyze(net, TrainingProcess.batch(1));
    messages.add(analysis.toString());
    Files.writeString(Path.of("analysis.json"), analysis.toJson());
    Files.writeString(Path.of("analysis.csv"), analysis.toCsv());
  }
}
