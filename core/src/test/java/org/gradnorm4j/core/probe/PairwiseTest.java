package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PairwiseTest {
  static Stream<int[]> factors() {
    return Stream.of(
        new int[] {16, 3, 3, 2},
        new int[] {8, 3, 3, 2},
        new int[] {4, 2, 3, 2},
        new int[] {2, 1, 3, 2},
        new int[] {1, 1, 1, 1},
        new int[] {2, 2, 2},
        new int[] {3, 3, 3, 3},
        new int[] {2, 5},
        new int[] {2, 3, 4, 5, 2});
  }

  /** By looking for each pair; no array can have fewer rows than the two largest factors' pairs. */
  @ParameterizedTest
  @MethodSource("factors")
  void covering_hasEveryPair_inFewRows(int[] values) {
    List<int[]> rows = Pairwise.covering(values);
    int least = 1;
    for (int j = 1; j < values.length; j++) {
      for (int i = 0; i < j; i++) {
        least = Math.max(least, values[i] * values[j]);
        for (int u = 0; u < values[i]; u++) {
          for (int v = 0; v < values[j]; v++) {
            int[] pair = {i, u, j, v};
            assertThat(rows)
                .as("factor %d = %d with factor %d = %d", i, u, j, v)
                .anyMatch(row -> row[pair[0]] == pair[1] && row[pair[2]] == pair[3]);
          }
        }
      }
    }
    assertThat(rows).hasSizeBetween(least, least + least / 3);
    assertThat(Pairwise.covering(values)).containsExactlyElementsOf(rows);
  }

  @ParameterizedTest
  @MethodSource("factors")
  void all_hasEachCombinationOnce(int[] values) {
    int count = 1;
    for (int factor : values) {
      count *= factor;
    }
    List<List<Integer>> rows =
        Pairwise.all(values).stream()
            .map(row -> java.util.Arrays.stream(row).boxed().toList())
            .toList();
    assertThat(rows).hasSize(count).doesNotHaveDuplicates();
    for (List<Integer> row : rows) {
      for (int i = 0; i < values.length; i++) {
        assertThat(row.get(i)).isBetween(0, values[i] - 1);
      }
    }
  }
}
