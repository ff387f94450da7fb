package org.gradnorm4j.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TasksTest {
  private static final List<String> NAMES = List.of("a", "b");

  @Test
  void ofNames_weightsAreOne_andNothingIsKnownOfTheLosses() {
    Tasks tasks = Tasks.of(NAMES);
    assertThat(tasks.names()).isEqualTo(NAMES);
    assertThat(tasks.size()).isEqualTo(2);
    assertThat(tasks.configuredLossWeights()).containsExactly(1, 1);
    assertThat(tasks.uninformedLosses()).containsExactly(Double.NaN, Double.NaN);
    assertThat(tasks).hasToString("Tasks[a, b]").isEqualTo(Tasks.of(List.of("a", "b")));
  }

  @Test
  void arrays_areCopiedInAndOut() {
    double[] weights = {1, 0.1};
    Tasks tasks = Tasks.of(NAMES, weights, new double[] {2, Double.NaN});
    weights[0] = 9;
    tasks.configuredLossWeights()[0] = 9;
    tasks.uninformedLosses()[0] = 9;
    assertThat(tasks.configuredLossWeights()).containsExactly(1, 0.1);
    assertThat(tasks.uninformedLosses()).containsExactly(2, Double.NaN);
    assertThat(tasks).isNotEqualTo(Tasks.of(NAMES));
  }

  @Test
  void namesAndWeights_areChecked() {
    assertThatThrownBy(() -> Tasks.of(List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("names ([]) must name at least one task");
    assertThatThrownBy(() -> Tasks.of(List.of("a", "a")))
        .hasMessage("names [a, a] must not have null, or a name twice (a)");
    assertThatThrownBy(() -> Tasks.of(NAMES, new double[] {1}, new double[2]))
        .hasMessage("configuredLossWeights (length 1) must have one value per task [a, b]");
    assertThatThrownBy(() -> Tasks.of(NAMES, new double[] {1, Double.NaN}, new double[2]))
        .hasMessage("task 'b': configured loss weight (NaN) must be >= 0 and finite");
  }

  @Test
  void byName_isInTheOrderOfTheTasks_andOfTheirNumber() {
    Tasks tasks = Tasks.of(List.of("b", "a"));
    assertThat(tasks.byName(new double[] {1.0, 2.0}))
        .containsExactly(Map.entry("b", 1.0), Map.entry("a", 2.0));
    assertThatThrownBy(() -> tasks.byName(new double[2]).clear())
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> tasks.byName(new double[1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("values (length 1) must have one value per task [b, a]");
  }
}
