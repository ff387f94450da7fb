package org.gradnorm4j.weighting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class LossWeightingsTest {

  @Test
  void ids_areThoseOfAllCatalogs() {
    assertThat(LossWeightings.ids())
        .containsExactly(
            "aligned-mtl",
            "cagrad",
            "config",
            "db-mtl",
            "dualproj",
            "dwa",
            "equal-weights",
            "fairgrad",
            "fixed-weights",
            "gls",
            "gradnorm",
            "imtl-g",
            "imtl-l",
            "mgda",
            "nash-mtl",
            "pcgrad",
            "relobralo",
            "rlw",
            "stch",
            "uncertainty-weighting",
            "upgrad",
            "uw-so");
  }

  @Test
  void named_hasTheIdAndItsDefaults() {
    for (String id : LossWeightings.ids()) {
      if (!id.equals("stch") && !id.equals("fixed-weights")) {
        assertThat(LossWeightings.named(id).id()).isEqualTo(id);
      }
    }
    assertThat(LossWeightings.named("cagrad").describe()).containsEntry("c", "0.5");
  }

  @Test
  void unknown_isToldWhichThereAre() {
    assertThatThrownBy(() -> LossWeightings.named("mgd"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("strategy (mgd) must be one of [aligned-mtl, cagrad, ")
        .hasMessageEndingWith("uw-so], or in a registered LossWeightings.Catalog");
  }

  @Test
  void withoutDefaults_isToldWhatToDo() {
    assertThatThrownBy(() -> LossWeightings.named("stch"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "strategy (stch) has settings without a default. Make it in code, by its own class");
  }
}
