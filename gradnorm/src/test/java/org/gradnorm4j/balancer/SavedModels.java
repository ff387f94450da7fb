package org.gradnorm4j.balancer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryBytes;

/** What is in model files, wherever their history is. */
final class SavedModels {
  static final String STATE = "gradnorm4j.json";
  static final String HISTORY = "gradnorm4j-history.bin";

  private static final List<String> NETWORK =
      List.of("configuration.json", "coefficients.bin", "updaterState.bin");

  private SavedModels() {}

  /** Parameters, updater state, counts, λ and all that is remembered, history: as bytes. */
  static void assertSame(Path actual, Path expected) throws IOException {
    try (ZipFile actualZip = new ZipFile(actual.toFile());
        ZipFile expectedZip = new ZipFile(expected.toFile())) {
      assertThat(actualZip.stream().map(ZipEntry::getName))
          .containsAll(NETWORK)
          .contains(STATE)
          .isSubsetOf("configuration.json", "coefficients.bin", "updaterState.bin", STATE, HISTORY);
      for (String entry : NETWORK) {
        assertThat(bytes(actualZip, entry))
            .as("%s of %s", entry, actual.getFileName())
            .isEqualTo(bytes(expectedZip, entry));
      }
    }
    LossBalancer actualBalancer = LossBalancer.restoreFromModel(actual);
    LossBalancer expectedBalancer = LossBalancer.restoreFromModel(expected);
    assertThat(state(actualBalancer))
        .as("state of %s", actual.getFileName())
        .isEqualTo(state(expectedBalancer));
    assertThat(bytes(actualBalancer.history()))
        .as("history of %s", actual.getFileName())
        .isEqualTo(bytes(expectedBalancer.history()));
  }

  private static String state(LossBalancer balancer) {
    return new String(balancer.savedRun().toBytes(null), StandardCharsets.UTF_8);
  }

  /** A history to its last bit. */
  static byte[] bytes(History history) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    HistoryBytes.write(history.view(), out);
    return out.toByteArray();
  }

  private static byte[] bytes(ZipFile zip, String entry) throws IOException {
    try (InputStream in = zip.getInputStream(zip.getEntry(entry))) {
      return in.readAllBytes();
    }
  }
}
