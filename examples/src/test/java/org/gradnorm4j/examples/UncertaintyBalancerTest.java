package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UncertaintyBalancerTest {

  @Test
  void toy_runsByUncertaintyWeighting(@TempDir Path folder) throws Exception {
    CommandRun run =
        CommandRun.of(
            "toy --balancer uncertainty --batch 10 --train-size 30 --test-size 20 --steps 6 --output"
                .concat(" " + folder)
                .split(" "));
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(Files.readAllLines(folder.resolve("history.csv")))
        .hasSize(1 + 6 * 2)
        .first()
        .asString()
        .startsWith("iteration,epoch,task,loss,loss_weight,gradient_norm,")
        .contains(",log_variance,");
    assertThat(CommandRun.summary(folder).getAsJsonObject().has("alpha")).isFalse();
  }
}
