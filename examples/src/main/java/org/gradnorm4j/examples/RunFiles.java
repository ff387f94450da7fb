package org.gradnorm4j.examples;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.gradnorm4j.core.GradientAnalysis;
import org.gradnorm4j.gradnorm.GradNormHistory;

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

  /** {@code history.csv}; if several balancers run, GradNorm's has that name. */
  Path writeHistory(GradNormHistory history, Balancer balancer, boolean several)
      throws IOException {
    boolean named = several && !balancer.moves();
    Path file = folder.resolve(named ? "history-" + balancer + ".csv" : "history.csv");
    history.writeCsv(file);
    return file;
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
    Object json = runs.size() == 1 ? runs.get(0) : runs;
    return Files.writeString(folder.resolve("summary.json"), GSON.toJson(json) + "\n");
  }
}
