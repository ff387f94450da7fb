package org.gradnorm4j.examples;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.gradnorm4j.core.analysis.GradientAnalysis;

/**
 * The folder that a command leaves behind: {@code summary.json}, and per balancer a history and, of
 * some commands, an analysis.
 */
final class RunFiles {
  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .setPrettyPrinting()
          .create();

  private final Path folder;

  RunFiles(Path folder) {
    this.folder = folder;
  }

  /** Creates the folder, so that a bad one is known before training, not after. */
  void create() throws IOException {
    Files.createDirectories(folder);
    if (!Files.isWritable(folder)) {
      throw new IOException("no permission to write");
    }
  }

  /** Those of a folder in this one, created. */
  RunFiles folder(String name) throws IOException {
    RunFiles files = new RunFiles(resolve(name));
    files.create();
    return files;
  }

  Path resolve(String file) {
    return folder.resolve(file);
  }

  /** {@code history.csv}; if several balancers run, GradNorm's has that name. */
  List<Path> writeHistory(Weighting weighting, Balancer balancer, boolean several)
      throws IOException {
    return weighting.writeHistory(resolve("history" + suffix(balancer, several) + ".csv"));
  }

  /** {@code report.html}, likewise. */
  List<Path> writeReport(Weighting weighting, Balancer balancer, boolean several)
      throws IOException {
    return weighting.writeReport(resolve("report" + suffix(balancer, several) + ".html"));
  }

  /** {@code model.zip}, likewise. */
  Path writeModel(Learner learner, Balancer balancer, boolean several) throws IOException {
    Path file = resolve("model" + suffix(balancer, several) + ".zip");
    learner.save(file);
    return file;
  }

  private static String suffix(Balancer balancer, boolean several) {
    return several && !balancer.isGradNorm() ? "-" + balancer : "";
  }

  /** {@code analysis-BALANCER.json} and {@code .csv}. */
  List<Path> writeAnalysis(GradientAnalysis analysis, Balancer balancer) throws IOException {
    String name = "analysis-" + balancer;
    return List.of(
        Files.writeString(folder.resolve(name + ".json"), analysis.toJson() + "\n"),
        Files.writeString(folder.resolve(name + ".csv"), analysis.toCsv()));
  }

  /** One object if there was one run, else an array. */
  Path writeSummary(List<RunSummary> runs) throws IOException {
    return writeJson("summary.json", runs.size() == 1 ? runs.get(0) : runs);
  }

  /** Records as objects, their names in lower case with underscores. */
  Path writeJson(String file, Object content) throws IOException {
    return Files.writeString(resolve(file), GSON.toJson(content) + "\n");
  }
}
