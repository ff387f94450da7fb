package org.gradnorm4j.balancer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.gradnorm.TestSize;
import org.gradnorm4j.gradnorm.TrainingProcess;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that saves every step, killed (SIGKILL, on Linux) at random moments. Two runs at a
 * time.
 */
@Tag(TestSize.EXHAUSTIVE)
class KillTest {
  private static final int KILLS_A_RUN = TestSize.of(3, 15);

  /** Numbers of one run. */
  private record Result(int lastIteration, int checkpointsRead, int mostLost, int halfWritten) {}

  @Test
  void everyCheckpointIsWhole_andAtMostOneStepIsLost(@TempDir Path folder) throws Exception {
    ExecutorService runs = Executors.newFixedThreadPool(2);
    try {
      List<Callable<Result>> both =
          List.of(() -> killAndResume(folder, 1), () -> killAndResume(folder, 2));
      for (Future<Result> result : runs.invokeAll(both)) {
        System.out.printf(Locale.ROOT, "%d kills: %s%n", KILLS_A_RUN, result.get());
        assertThat(result.get().mostLost()).isLessThanOrEqualTo(1);
      }
    } finally {
      runs.shutdownNow();
    }
  }

  private static Result killAndResume(Path parent, int seed) throws Exception {
    Path folder = Files.createDirectory(parent.resolve("run-" + seed));
    Random random = new Random(seed);
    int done = 0;
    int read = 0;
    int mostLost = 0;
    int halfWritten = 0;
    for (int kill = 0; kill < KILLS_A_RUN; kill++) {
      Process process = TrainingProcess.command(List.of("checkpoint", folder.toString())).start();
      try (BufferedReader output = process.inputReader()) {
        int begun = number(output.readLine(), "begun ");
        // A step that was not printed may still have been saved; none that was printed may be gone.
        assertThat(begun).as("kill %d", kill).isGreaterThanOrEqualTo(done);
        mostLost = Math.max(mostLost, done + 1 - begun); // the step that was under way
        done = begun;
        for (int steps = 1 + random.nextInt(5); steps > 0; steps--) {
          done = number(output.readLine(), "done ");
        }
        spin(random.nextInt(20_000_000)); // to any point of the next step or its checkpoint
      } finally {
        process.destroyForcibly().waitFor();
      }
      read += readAll(folder);
      try (Stream<Path> entries = Files.list(folder)) {
        halfWritten += entries.anyMatch(Files::isDirectory) ? 1 : 0;
      }
    }
    Path last = LossBalancerCheckpoint.last(folder).orElseThrow();
    int iteration =
        GradNorm.restoreFromModel(last).lastStep().orElseThrow().measurement().iteration();
    assertIsAsWithoutKills(last, iteration + 1);
    return new Result(iteration + 1, read, mostLost, halfWritten);
  }

  private static void spin(long nanos) {
    for (long begin = System.nanoTime(); System.nanoTime() - begin < nanos; ) {
      Thread.onSpinWait();
    }
  }

  private static int number(String line, String prefix) {
    assertThat(line).startsWith(prefix);
    return Integer.parseInt(line.substring(prefix.length()));
  }

  /** Every byte of every checkpoint, against its checksums. */
  private static int readAll(Path folder) throws Exception {
    int count = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.zip")) {
      for (Path file : files) {
        GradNorm.restoreFromModel(file);
        try (ZipFile zip = new ZipFile(file.toFile())) {
          for (ZipEntry entry : zip.stream().toList()) {
            try (InputStream content = zip.getInputStream(entry)) {
              content.readAllBytes();
            }
          }
        }
        count++;
      }
    }
    assertThat(count).isPositive();
    return count;
  }

  private static void assertIsAsWithoutKills(Path last, int iterations) throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    TrainingProcess.train(net, iterations);
    Path straight = last.resolveSibling("straight.zip");
    gradNorm.writeModel(net, straight);
    SavedModels.assertSame(last, straight);
  }
}
