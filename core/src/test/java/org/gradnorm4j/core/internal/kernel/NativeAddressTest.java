package org.gradnorm4j.core.internal.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Whoever has an address has the array as well. */
class NativeAddressTest {

  static Stream<Function<INDArray, Pointer>> kinds() {
    return Stream.of(
        array -> new NativeAddress.Floats(array, 0),
        array -> new NativeAddress.Doubles(array, 0),
        array -> new NativeAddress.Bytes(array, 8));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void array_isNotCollectedBeforeItsAddress(Function<INDArray, Pointer> kind) {
    INDArray array = Nd4j.createFromArray(1.0, 2.0, 3.0);
    WeakReference<INDArray> held = new WeakReference<>(array);
    WeakReference<INDArray> control = new WeakReference<>(Nd4j.createFromArray(1.0, 2.0, 3.0));
    Pointer pointer = kind.apply(array);
    array = null;
    for (int i = 0; i < 50 && control.get() != null; i++) {
      System.gc();
    }
    assertThat(control.get()).isNull();
    assertThat(held.get()).isNotNull();
    Reference.reachabilityFence(pointer);
  }

  /** An address taken anywhere else would be one that holds nothing. */
  @Test
  void addresses_areTakenInOnePlace() throws IOException {
    try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
      List<String> takers =
          sources
              .filter(path -> path.toString().endsWith(".java"))
              .filter(
                  path ->
                      read(path)
                          .matches(
                              "(?s).*(\\.address\\(\\)|\\.pointer\\(\\)|extends \\w*Pointer\\b).*"))
              .map(path -> path.getFileName().toString())
              .toList();
      assertThat(takers).containsExactly("NativeAddress.java");
    }
  }

  private static String read(Path path) {
    try {
      return Files.readString(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
