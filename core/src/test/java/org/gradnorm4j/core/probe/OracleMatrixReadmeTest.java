package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.gradnorm4j.core.internal.kernel.DenseNormKernel;
import org.gradnorm4j.core.internal.kernel.NormKernel;
import org.gradnorm4j.core.internal.kernel.NormKernels;
import org.gradnorm4j.core.probe.OracleMatrix.Family;
import org.gradnorm4j.core.probe.OracleMatrix.Masks;
import org.gradnorm4j.core.probe.OracleMatrix.Named;
import org.gradnorm4j.core.probe.OracleMatrix.Row;
import org.junit.jupiter.api.Test;

/** The documents' table of what is exact is {@link OracleMatrix}, so that it cannot say more. */
class OracleMatrixReadmeTest {
  @Test
  void document_listsWhatTheMatrixShows() throws Exception {
    List<String> table = new ArrayList<>();
    table.add("| | shared layer | between it and the heads | heads |");
    table.add("|---|---|---|---|");
    for (Family family : OracleMatrix.families()) {
      table.add(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %s |",
              family.name(),
              joined(family.kinds().stream().map(kind -> emphasized(family, kind))),
              joined(family.betweens().stream().map(Named::name)),
              joined(family.heads().stream().map(Named::name))));
    }
    assertThat(document()).contains(String.join("\n", table));
  }

  @Test
  void document_saysHowMuchTheNormalBuildShows() throws Exception {
    assertThat(document().replaceAll("\\s+", " "))
        .contains(
            String.format(
                Locale.ROOT, "takes %d of the %d combinations", count(false), count(true)))
        .contains(
            String.format(
                Locale.ROOT,
                "%d steps of each and %d of one",
                OracleMatrix.STEPS,
                OracleMatrix.MANY_STEPS));
  }

  private static int count(boolean exhaustive) {
    return OracleMatrix.families().stream()
        .mapToInt(family -> OracleMatrix.rows(family, exhaustive).size())
        .sum();
  }

  private static String document() throws IOException {
    return Files.readString(Path.of("..", "docs", "exactness.md"));
  }

  private static String joined(Stream<String> names) {
    return String.join("; ", names.toList());
  }

  /** Bold if the layer has a kernel of its own. */
  private static String emphasized(Family family, Named kind) {
    Row row =
        new Row(
            family,
            kind,
            OracleMatrix.NOTHING,
            family.heads().get(0),
            Masks.NONE,
            WorkspaceMode.ENABLED,
            OracleMatrix.STEPS);
    if (family.name().equals("series to vector")) {
      return kind.name(); // its heads take no series
    }
    Optional<NormKernel> kernel =
        NormKernels.of(
            OracleMatrix.network(row).getLayer("shared"), DenseNormKernel.Method.CHEAPEST);
    return kernel.isPresent() ? "**" + kind.name() + "**" : kind.name();
  }
}
