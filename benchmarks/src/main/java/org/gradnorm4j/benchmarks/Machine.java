package org.gradnorm4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the figures depend on besides the program. */
final class Machine {
  private static final Path CPU = Path.of("/proc/cpuinfo");

  private Machine() {}

  /** Lines to be printed above a report. */
  static List<String> describe() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "%d processors, Java %s, OMP_NUM_THREADS=%s, OPENBLAS_CORETYPE=%s"
            .formatted(
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("java.version"),
                System.getenv().getOrDefault("OMP_NUM_THREADS", "unset"),
                System.getenv().getOrDefault("OPENBLAS_CORETYPE", "unset")));
    if (isAmdWithAvx512() && System.getenv("OPENBLAS_CORETYPE") == null) {
      lines.add(
          "advice: OpenBLAS may not know this AMD CPU's AVX-512; try OPENBLAS_CORETYPE=SkylakeX");
    }
    return lines;
  }

  /** False where the system does not say. */
  private static boolean isAmdWithAvx512() {
    try {
      String cpu = Files.readString(CPU);
      return cpu.contains("AuthenticAMD") && cpu.contains("avx512f");
    } catch (IOException e) {
      return false;
    }
  }
}
