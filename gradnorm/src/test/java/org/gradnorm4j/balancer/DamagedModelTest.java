package org.gradnorm4j.balancer;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.TreeMap;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.gradnorm.TrainingProcess;
import org.gradnorm4j.history.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Model files, damaged: what is restored from one is what was written, or there is an error. */
class DamagedModelTest {
  private static final int MUTATIONS = 300;
  private static final long MOST_ALLOCATED = 64L << 20;
  private static final List<String> ENTRIES = List.of(SavedModels.STATE, SavedModels.HISTORY);

  @Test
  void damagedModels_giveAnErrorOrWhatWasWritten(@TempDir Path folder) throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    TrainingProcess.train(net, 10);
    Path file = folder.resolve("model.zip");
    gradNorm.writeModel(net, file);
    byte[] whole = Files.readAllBytes(file);
    List<Row> rows = gradNorm.history().rows().toList();
    ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Random random = new Random(8);
    var outcomes = new TreeMap<String, Integer>();
    long most = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      mutate(file, whole, i % 6, random);
      long before = memory.getCurrentThreadAllocatedBytes();
      GradNorm restored = null;
      try {
        restored = GradNorm.restoreFromModel(file);
      } catch (IOException | IllegalArgumentException expected) {
        outcomes.merge(expected.getClass().getSimpleName(), 1, Integer::sum);
      }
      most = Math.max(most, memory.getCurrentThreadAllocatedBytes() - before);
      if (restored != null) {
        outcomes.merge("restored", 1, Integer::sum);
        assertThat(restored.lossWeights()).isEqualTo(gradNorm.lossWeights());
        assertThat(restored.lastStep()).isEqualTo(gradNorm.lastStep());
        assertThat(restored.history().rows().toList()).as("mutation %d", i).isEqualTo(rows);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%d damaged models: %s, %.1f MiB allocated at most%n",
        MUTATIONS,
        outcomes,
        most / 1048576.0);
    assertThat(most).isLessThan(MOST_ALLOCATED);
    assertThat(outcomes.get("IOException")).isGreaterThan(MUTATIONS / 3);
    assertThat(outcomes.get("restored")).isPositive(); // a bit of the network's own entries
  }

  private static void mutate(Path file, byte[] whole, int kind, Random random) throws IOException {
    byte[] damaged = whole.clone();
    String entry = ENTRIES.get(random.nextInt(2));
    switch (kind) {
      case 0 -> flip(damaged, 0, random);
      case 1 -> flip(damaged, directory(whole), random);
      case 2 -> damaged = Arrays.copyOf(whole, random.nextInt(whole.length));
      case 3 -> { // sizes in the central directory: compressed at 20, plain at 24
        int size = random.nextInt(3) == 0 ? -1 : -1 - random.nextInt(1 << 30);
        ByteBuffer bytes = ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(header(whole, entry) + (random.nextBoolean() ? 20 : 24), size);
      }
      case 4 -> flip(damaged, whole.length / 2, random);
      default -> { // below
      }
    }
    Files.write(file, damaged);
    if (kind == 5) {
      try (FileSystem zip = FileSystems.newFileSystem(file)) {
        Path inside = zip.getPath(entry);
        if (random.nextBoolean()) {
          Files.delete(inside);
        } else {
          Files.write(
              inside, " ".repeat(1 + random.nextInt(8 << 20)).getBytes(StandardCharsets.UTF_8));
        }
      }
    }
  }

  private static void flip(byte[] bytes, int from, Random random) {
    for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
      bytes[from + random.nextInt(bytes.length - from)] ^= (byte) (1 << random.nextInt(8));
    }
  }

  /** Where the central directory begins; the end record has it, 6 bytes before the file's end. */
  private static int directory(byte[] zip) {
    return ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN).getInt(zip.length - 6);
  }

  /** An entry's header in the central directory, 46 bytes before its name. */
  private static int header(byte[] zip, String entry) {
    int name = new String(zip, StandardCharsets.ISO_8859_1).indexOf(entry, directory(zip));
    assertThat(name).isPositive();
    return name - 46;
  }
}
