package org.gradnorm4j.core.probe;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Combinations of the values of several factors: all of them, or few with every pair of values. */
final class Pairwise {
  private Pairwise() {}

  /** Value u of factor i together with value v of factor j > i. */
  private record Pair(int i, int u, int j, int v) {}

  /**
   * Every combination, the last factor's value changing first.
   *
   * @param values number of values of each factor
   * @return one index of a value per factor
   */
  static List<int[]> all(int... values) {
    List<int[]> rows = List.of(new int[0]);
    for (int count : values) {
      List<int[]> longer = new ArrayList<>();
      for (int[] row : rows) {
        for (int value = 0; value < count; value++) {
          int[] with = Arrays.copyOf(row, row.length + 1);
          with[row.length] = value;
          longer.add(with);
        }
      }
      rows = longer;
    }
    return rows;
  }

  /**
   * Combinations among which any two values of different factors meet. Greedy: again and again the
   * one with most pairs that have not met, of equals the first. The same each time.
   */
  static List<int[]> covering(int... values) {
    List<int[]> all = all(values);
    Set<Pair> missing = new HashSet<>();
    all.forEach(row -> missing.addAll(pairs(row)));
    List<int[]> rows = new ArrayList<>();
    while (!missing.isEmpty()) {
      int[] best = null;
      long most = 0;
      for (int[] row : all) {
        long gain = pairs(row).stream().filter(missing::contains).count();
        if (gain > most) {
          most = gain;
          best = row;
        }
      }
      rows.add(best);
      missing.removeAll(pairs(best));
    }
    return rows;
  }

  private static List<Pair> pairs(int[] row) {
    List<Pair> pairs = new ArrayList<>();
    for (int j = 1; j < row.length; j++) {
      for (int i = 0; i < j; i++) {
        pairs.add(new Pair(i, row[i], j, row[j]));
      }
    }
    return pairs;
  }
}
