package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One of a thing is not "1 things". */
class SingularTest {
  @Test
  void count() {
    assertThat(Console.count(0, "row", "rows")).isEqualTo("0 rows");
    assertThat(Console.count(1, "row", "rows")).isEqualTo("1 row");
    assertThat(Console.count(2, "row", "rows")).isEqualTo("2 rows");
  }

  @Test
  void oneTestExample(@TempDir Path folder) {
    CommandRun run =
        CommandRun.of(
            ("toy --train-size 2 --test-size 1 --batch 2 --steps 1 --balancer equal --output "
                    + folder)
                .split(" "));
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("2 training and 1 test example, tasks");
  }
}
