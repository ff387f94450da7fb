package org.gradnorm4j.core.accelerate;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * Which of its kernels OpenBLAS has chosen for this CPU. The OpenBLAS that comes with ND4J
 * 1.0.0-M2.1 does not know CPUs that are younger than it, and then falls back to kernels for older
 * ones, at a fraction of the speed; the environment variable {@code OPENBLAS_CORETYPE}, set before
 * the JVM starts, overrules its choice.
 */
public final class OpenBlasKernel {
  private static final Set<String> AVX512 = Set.of("SkylakeX", "Cooperlake", "SapphireRapids");
  private static final Path CPU = Path.of("/proc/cpuinfo");

  private OpenBlasKernel() {}

  /**
   * The kernel in use.
   *
   * @return its name, such as {@code Haswell} or {@code SkylakeX}; empty if OpenBLAS is not loaded
   *     or does not tell
   */
  public static Optional<String> name() {
    try {
      String library = Loader.load(openblas_nolapack.class);
      return Optional.ofNullable(
          NativeLibrary.getInstance(library)
              .getFunction("openblas_get_corename")
              .invokeString(new Object[0], false));
    } catch (LinkageError e) { // not on the class path, or not for this system
      return Optional.empty();
    }
  }

  /**
   * What to do about a kernel that does not use the AVX-512 instructions the CPU has.
   *
   * @return one line, or empty if there is nothing to do or the system does not tell
   */
  public static Optional<String> advice() {
    return name().flatMap(kernel -> advice(kernel, cpu()));
  }

  /** The advice for a kernel on a CPU that is described as Linux does it. */
  static Optional<String> advice(String kernel, String cpu) {
    return cpu.contains(" avx512f ") && !AVX512.contains(kernel)
        ? Optional.of(
            String.format(
                Locale.ROOT,
                "this CPU has AVX-512, which OpenBLAS's kernel '%s' does not use: try OPENBLAS_CORETYPE=SkylakeX",
                kernel))
        : Optional.empty();
  }

  private static String cpu() {
    try {
      return Files.readString(CPU);
    } catch (IOException e) { // not Linux
      return "";
    }
  }
}
