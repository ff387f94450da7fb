package org.gradnorm4j.balancer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.gradnorm.GradNormBuilder;
import org.gradnorm4j.gradnorm.TrainingProcess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 50 steps, another JVM, 50 more: every bit that 100 steps without a break give. */
class ResumeTest {
  @Test
  void inANewProcess_everythingGoesOnBitForBit(@TempDir Path folder) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("resume", "50"));
    for (var settings : new TreeMap<>(TrainingProcess.settings()).entrySet()) {
      Path half = folder.resolve(settings.getKey() + "-50.zip");
      run(settings.getValue(), 50, half);
      arguments.add(half.toString());
      arguments.add(folder.resolve(settings.getKey() + "-resumed.zip").toString());
      run(settings.getValue(), 100, folder.resolve(settings.getKey() + "-100.zip"));
    }
    Process process = TrainingProcess.command(arguments).inheritIO().start();
    assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isZero();

    for (String settings : TrainingProcess.settings().keySet()) {
      Path resumed = folder.resolve(settings + "-resumed.zip");
      SavedModels.assertSame(resumed, folder.resolve(settings + "-100.zip"));
      GradNorm gradNorm = GradNorm.restoreFromModel(resumed);
      assertThat(gradNorm.history().size()).isEqualTo(settings.equals("all") ? 34 : 100);
      assertThat(gradNorm.lossWeights().get("a")).isNotEqualTo(1.0);
    }
  }

  private static void run(GradNormBuilder settings, int steps, Path file) throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = settings.build().attach(net);
    TrainingProcess.train(net, steps);
    gradNorm.writeModel(net, file);
  }
}
