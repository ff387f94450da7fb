package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class TableEncodingTest {
  private static final double NONE = Double.NaN;
  private static final int[] TRAIN = {0, 1, 2};
  private static final int[] TEST = {3, 4};

  private final Map<String, Table.Column> columns = new LinkedHashMap<>();

  TableEncodingTest() {
    columns.put("x", new Table.Column(null, new double[] {1, 3, NONE, 1e6, NONE}));
    // "c" occurs in the test rows only.
    columns.put("t", new Table.Column(List.of("a", "b", "c"), new double[] {1, NONE, 0, 2, NONE}));
    columns.put("same", new Table.Column(null, new double[] {7, 7, 7, 7, 8}));
    columns.put("y", new Table.Column(null, new double[] {10, NONE, 30, 20, NONE}));
    columns.put("k", new Table.Column(List.of("no", "yes"), new double[] {0, 1, 1, 0, 1}));
  }

  /** mean 2 and deviation √2 of x, 20 and √200 of y: of the training rows alone. */
  @Test
  void encoding_isOfTheTrainingRows() {
    TableEncoding encoding = encoding(false);

    Samples train = encoding.samples(table(), TRAIN);
    assertRow(train.features(), 0, -Math.sqrt(0.5), 0, 1, 0, 0);
    assertRow(train.features(), 1, Math.sqrt(0.5), 0, 0, 1, 0);
    assertRow(train.features(), 2, 0, 1, 0, 0, 0);
    assertRow(train.labels()[0], 0, -Math.sqrt(0.5));
    assertRow(train.labels()[0], 2, Math.sqrt(0.5));
    assertRow(train.masks()[0], 0, 1);
    assertRow(train.masks()[0], 1, 0);
    assertRow(train.labels()[1], 0, 1, 0);
    assertRow(train.labels()[1], 1, 0, 1);
    assertThat(train.masks()[1]).isNull();

    Samples test = encoding.samples(table(), TEST);
    assertRow(test.features(), 0, (1e6 - 2) / Math.sqrt(2), 0, 0, 0, 0);
    assertRow(test.features(), 1, 0, 0, 0, 1, 1);
    assertRow(test.labels()[0], 0, 0);
    assertThat(test.labelled(0, 0, 2)).isEqualTo(1.0);
    assertThat(test.labelled(1, 0, 2)).isEqualTo(2.0);
  }

  @Test
  void rawTargets_stay_inputsDoNot() {
    Samples train = encoding(true).samples(table(), TRAIN);
    assertRow(train.labels()[0], 0, 10);
    assertRow(train.labels()[0], 2, 30);
    assertRow(train.features(), 1, Math.sqrt(0.5), 0, 0, 1, 0);
  }

  @Test
  void numbersBeyondFloat_areRefused() {
    columns.put("x", new Table.Column(null, new double[] {1e300, 3, 4, 5, 6}));
    assertThatThrownBy(() -> encoding(false))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("column 'x': 1.0E300 is too large to compute with");
    columns.put("x", new Table.Column(null, new double[] {1, 3, 4, 5, 6}));
    columns.put("y", new Table.Column(null, new double[] {1, 2, 1e39, 5, 6}));
    TableEncoding raw = encoding(true);
    assertThatThrownBy(() -> raw.samples(table(), TRAIN))
        .hasMessageContaining("column 'y': 1.0E39 is too large to compute with");
  }

  /** Four of five rows have a target; each row is used once, and the seed decides. */
  @Test
  void randomSplit_takesEachUsableRowOnce() {
    columns.put("y", new Table.Column(null, new double[] {10, NONE, 30, NONE, 2}));
    columns.put("k", new Table.Column(List.of("no", "yes"), new double[] {0, 1, 1, NONE, 1}));
    int[] usable = TableSplit.withAny(table(), Set.of("y", "k"));
    assertThat(usable).containsExactly(0, 1, 2, 4);
    TableSplit split = TableSplit.random(usable, 0.5, 3);
    assertThat(split.test()).hasSize(2);
    assertThat(split.train()).hasSize(2).doesNotContain(split.test());
    assertThat(TableSplit.random(usable, 0.5, 3).test()).containsExactly(split.test());
    assertThat(TableSplit.random(usable, 0.01, 3).test()).hasSize(1);
    assertThat(TableSplit.random(usable, 0.99, 3).train()).hasSize(1);
  }

  private TableEncoding encoding(boolean raw) {
    return TableEncoding.of(table(), List.of("y", "k"), raw, TRAIN);
  }

  private Table table() {
    return new Table(columns, 5, 5, List.of());
  }

  private static void assertRow(INDArray rows, int row, double... values) {
    assertThat(rows.columns()).isEqualTo(values.length);
    for (int i = 0; i < values.length; i++) {
      assertThat(rows.getDouble(row, i)).isCloseTo(values[i], within(1e-6 * (1 + values[i])));
    }
  }
}
