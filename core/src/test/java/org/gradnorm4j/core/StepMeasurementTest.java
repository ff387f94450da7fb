package org.gradnorm4j.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class StepMeasurementTest {
  private static final Tasks TASKS = Tasks.of(List.of("depth", "normals"));

  private static StepMeasurement.Builder complete() {
    return StepMeasurement.of(TASKS)
        .at(3, 1)
        .batchSize(32)
        .losses(0.5, 2)
        .gradientNorms(0.1, 4)
        .lossWeights(1.5, 0.5);
  }

  @Test
  void withoutMasks_allTasksArePresent_andLossesAreThoseOfALabel() {
    StepMeasurement step = complete().build();
    assertThat(step.iteration()).isEqualTo(3);
    assertThat(step.epoch()).isEqualTo(1);
    assertThat(step.batchSize()).isEqualTo(32);
    assertThat(step.present()).containsExactly(true, true);
    assertThat(step.lossesPerLabel()).containsExactly(0.5, 2);
    assertThat(step.lossesByTask()).hasToString("{depth=0.5, normals=2.0}");
    assertThat(step.gradientNormsByTask()).hasToString("{depth=0.1, normals=4.0}");
    assertThat(step.lossWeightsByTask()).hasToString("{depth=1.5, normals=0.5}");
  }

  @Test
  void absentTask_hasNoLossPerLabel() {
    StepMeasurement step = complete().present(true, false).build();
    assertThat(step.lossesPerLabel()).containsExactly(0.5, Double.NaN);
    assertThat(step).isNotEqualTo(complete().build());
    assertThat(complete().present(true, false).lossesPerLabel(0.7, 3).build().lossesPerLabel())
        .containsExactly(0.7, 3);
  }

  @Test
  void arrays_areCopiedInAndOut() {
    double[] losses = {0.5, 2};
    StepMeasurement.Builder builder = complete().losses(losses);
    losses[0] = 9;
    StepMeasurement step = builder.build();
    step.losses()[0] = 9;
    builder.losses(7, 7); // of another step
    assertThat(step.losses()).containsExactly(0.5, 2);
    assertThat(builder.build().lossesPerLabel()).containsExactly(7, 7);
    assertThat(step).isEqualTo(complete().build()).hasSameHashCodeAs(complete().build());
  }

  @Test
  void whatIsMissingOrTooLong_isNamed() {
    assertThatThrownBy(() -> StepMeasurement.of(TASKS).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("losses (null) must have one value per task [depth, normals]");
    refused(
        step -> step.gradientNorms(1, 2, 3),
        "gradientNorms (length 3) must have one value per task [depth, normals]");
    refused(
        step -> step.present(true),
        "present (length 1) must have one value per task [depth, normals]");
    refused(step -> step.at(-1, 0), "iteration (-1) must be >= 0");
  }

  private static void refused(UnaryOperator<StepMeasurement.Builder> change, String message) {
    assertThatThrownBy(() -> change.apply(complete()).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }
}
