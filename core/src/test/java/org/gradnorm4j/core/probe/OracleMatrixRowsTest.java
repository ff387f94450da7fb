package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.gradnorm4j.core.probe.OracleMatrix.Family;
import org.gradnorm4j.core.probe.OracleMatrix.Row;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@link OracleMatrix} leaves out of the normal build, and what it does not. */
class OracleMatrixRowsTest {
  static List<Family> families() {
    return OracleMatrix.families();
  }

  /** Whatever two a row of the whole matrix brings together, some row of the same kind does. */
  @ParameterizedTest
  @MethodSource("families")
  void normalBuild_hasEveryPair_ofEveryKind(Family family) {
    Set<Set<Object>> pairs = new HashSet<>();
    OracleMatrix.rows(family, false).forEach(row -> pairs.addAll(pairs(row)));
    for (Row row : OracleMatrix.rows(family, true)) {
      assertThat(pairs.containsAll(pairs(row))).as(row.toString()).isTrue();
    }
  }

  /** With the kind, so that each is a triple. */
  private static List<Set<Object>> pairs(Row row) {
    return List.of(
        Set.of(row.kind(), row.between(), row.heads()),
        Set.of(row.kind(), row.between(), row.masks()),
        Set.of(row.kind(), row.between(), row.workspaces()),
        Set.of(row.kind(), row.heads(), row.masks()),
        Set.of(row.kind(), row.heads(), row.workspaces()),
        Set.of(row.kind(), row.masks(), row.workspaces()));
  }

  @ParameterizedTest
  @MethodSource("families")
  void normalBuild_trainsTwentySteps_inOneRowOfEveryKind(Family family) {
    List<Row> rows = OracleMatrix.rows(family, false);
    assertThat(rows.stream().filter(row -> row.steps() == 20).map(Row::kind))
        .containsExactlyElementsOf(family.kinds());
    assertThat(rows.stream().filter(row -> row.steps() != 20)).allMatch(row -> row.steps() == 5);
  }

  @ParameterizedTest
  @MethodSource("families")
  void exhaustive_isTheWholeProduct_ofTwentySteps(Family family) {
    List<Row> rows = OracleMatrix.rows(family, true);
    assertThat(rows)
        .doesNotHaveDuplicates()
        .hasSize(family.kinds().size() * family.betweens().size() * family.heads().size() * 3 * 2)
        .allMatch(row -> row.steps() == 20);
  }
}
