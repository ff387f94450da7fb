package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code toy --report}. */
class ToyReportTest {
  private static final int WIDTH = 1120;
  private static final int HEIGHT = 400;

  // Okabe and Ito's palette begins black, orange, sky blue; its eighth colour is reddish purple.
  private static final int ORANGE = 0xE69F00;
  private static final int SKY_BLUE = 0x56B4E9;
  private static final int REDDISH_PURPLE = 0xCC79A7;

  @TempDir private Path folder;

  @Test
  void withoutTasks_drawsBothFigures_ofAllBalancersAndSeeds() throws IOException {
    CommandRun run = toy("--report", "--seeds", "2");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    // A colour per task on the left, per balancer on the right.
    assertFigure("2-tasks", 2);
    assertFigure("10-tasks", 10);
    List<String> runs = new ArrayList<>();
    for (JsonElement summary : CommandRun.summary(folder.resolve("2-tasks")).getAsJsonArray()) {
      runs.add(
          summary.getAsJsonObject().get("balancer").getAsString()
              + summary.getAsJsonObject().get("seed"));
    }
    assertThat(runs)
        .containsExactly(
            "equal1", "uncertainty1", "gradnorm1", "equal2", "uncertainty2", "gradnorm2");
    assertThat(folder.resolve("10-tasks/seed-2/history-uncertainty.csv")).isNotEmptyFile();
    assertThat(folder.resolve("10-tasks/seed-2/history.csv")).isNotEmptyFile();
  }

  @Test
  void balancersAsked_areThoseDrawn() throws IOException {
    CommandRun run = toy("--report", "--tasks", "2", "--balancer", "equal,gradnorm");
    assertThat(run.exitCode()).isZero();
    assertThat(colours("figure.png", WIDTH / 2, WIDTH)).contains(ORANGE);
    assertThat(colours("figure.png", WIDTH / 2, WIDTH)).doesNotContain(SKY_BLUE);
  }

  private void assertFigure(String name, int tasks) throws IOException {
    String file = name + "/figure.png";
    assertThat(colours(file, WIDTH / 2, WIDTH)).contains(ORANGE, SKY_BLUE);
    Set<Integer> left = colours(file, 0, WIDTH / 2);
    assertThat(left).contains(ORANGE);
    assertThat(left.contains(SKY_BLUE)).isEqualTo(tasks > 2);
    assertThat(left.contains(REDDISH_PURPLE)).isEqualTo(tasks == 10);
  }

  private Set<Integer> colours(String file, int from, int to) throws IOException {
    BufferedImage image = ImageIO.read(folder.resolve(file).toFile());
    assertThat(image.getWidth()).isEqualTo(WIDTH);
    assertThat(image.getHeight()).isEqualTo(HEIGHT);
    Set<Integer> colours = new HashSet<>();
    for (int x = from; x < to; x++) {
      for (int y = 0; y < HEIGHT; y++) {
        colours.add(image.getRGB(x, y) & 0xFFFFFF);
      }
    }
    return colours;
  }

  private CommandRun toy(String... more) {
    List<String> args = new ArrayList<>(List.of("toy", "--batch", "10", "--train-size", "20"));
    args.addAll(List.of("--test-size", "10", "--steps", "4", "--output", folder.toString()));
    args.addAll(List.of(more));
    return CommandRun.of(args.toArray(String[]::new));
  }
}
