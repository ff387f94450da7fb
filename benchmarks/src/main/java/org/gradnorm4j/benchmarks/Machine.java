package org.gradnorm4j.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.gradnorm4j.core.accelerate.OpenBlasKernel;

/** What the figures depend on besides the program. */
final class Machine {
  private Machine() {}

  /** Lines to be printed above a report. */
  static List<String> describe() {
    List<String> lines = new ArrayList<>();
    lines.add(
        Runtime.getRuntime().availableProcessors()
            + " processors, Java "
            + System.getProperty("java.version")
            + ", OMP_NUM_THREADS="
            + System.getenv().getOrDefault("OMP_NUM_THREADS", "unset")
            + ", OpenBLAS kernel "
            + OpenBlasKernel.name().orElse("unknown"));
    OpenBlasKernel.advice().ifPresent(advice -> lines.add("advice: " + advice));
    return lines;
  }
}
