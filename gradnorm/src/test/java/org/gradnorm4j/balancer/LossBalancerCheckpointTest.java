package org.gradnorm4j.balancer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.gradnorm.TrainingProcess;
import org.gradnorm4j.testing.LogRecorder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.shade.jackson.core.JsonGenerator;
import org.nd4j.shade.jackson.databind.JsonSerializer;
import org.nd4j.shade.jackson.databind.SerializerProvider;
import org.nd4j.shade.jackson.databind.annotation.JsonSerialize;
import org.nd4j.shade.jackson.databind.jsontype.TypeSerializer;

/** When checkpoints are written, which stay, and that two terms of one output go on from them. */
class LossBalancerCheckpointTest {
  private static final int BATCHES = 3;

  private static String name(int iterations) {
    return String.format(Locale.ROOT, "checkpoint-%010d.zip", iterations);
  }

  /** All but the history, of which there is one file at most. */
  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<String> names =
          files.map(file -> file.getFileName().toString()).sorted().collect(Collectors.toList());
      assertThat(names.stream().filter(LossBalancerCheckpointTest::isLog)).hasSizeBetween(0, 1);
      names.removeIf(LossBalancerCheckpointTest::isLog);
      return names;
    }
  }

  private static boolean isLog(String name) {
    return name.matches("history-[0-9a-f]{32}\\.log");
  }

  private static MultiLayerNetwork network() {
    return network(new LossMSE());
  }

  private static MultiLayerNetwork network(LossMSE square) {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(5)
                .updater(new Adam(0.01))
                .list()
                .layer(new DenseLayer.Builder().nIn(4).nOut(5).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(
                            CompositeLoss.builder()
                                .term("square", 1.0, square)
                                .term("absolute", 0.1, new LossMAE())
                                .build())
                        .nIn(5)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    net.init();
    return net;
  }

  /** An epoch of three minibatches. */
  private static DataSetIterator epoch() {
    Nd4j.getRandom().setSeed(7);
    List<DataSet> batches =
        IntStream.range(0, BATCHES)
            .mapToObj(
                i ->
                    new DataSet(
                        Nd4j.randn(DataType.FLOAT, 8, 4),
                        Nd4j.randn(DataType.FLOAT, 8, 2).addi(1.0)))
            .toList();
    return new ExistingDataSetIterator(batches);
  }

  @Test
  void onlyTheNewestStay_foreignFilesAreLeftAlone(@TempDir Path folder) throws Exception {
    List<String> foreign =
        List.of(
            "checkpoint-0000000001-best.zip",
            "checkpoint-1.zip",
            "checkpoint_0_ComputationGraph.zip",
            "history-of-mine.log",
            "notes.txt");
    for (String name : foreign) {
      Files.writeString(folder.resolve(name), "mine");
    }
    Path halfWritten = Files.createDirectory(folder.resolve(".gradnorm4j-1"));
    Files.writeString(halfWritten.resolve(name(1)), "of a killed process");
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    net.addListeners(
        LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(2).keepLast(3).build());
    assertThat(names(folder)).isEqualTo(foreign);
    assertThat(LossBalancerCheckpoint.last(folder)).isEmpty();
    for (int step = 1; step <= 25; step++) {
      TrainingProcess.train(net, 1);
      int newest = step / 2 * 2;
      assertThat(names(folder))
          .as("after step %d", step)
          .containsExactlyInAnyOrderElementsOf(
              Stream.concat(
                      foreign.stream(),
                      Stream.of(newest - 4, newest - 2, newest)
                          .filter(iterations -> iterations > 0)
                          .map(LossBalancerCheckpointTest::name))
                  .toList());
      if (newest > 0) {
        assertThat(LossBalancerCheckpoint.last(folder)).contains(folder.resolve(name(newest)));
      }
    }
    for (String name : foreign) {
      assertThat(folder.resolve(name)).hasContent("mine");
    }
  }

  /** Somebody goes back to an earlier checkpoint: what is written then must not be deleted. */
  @Test
  void earlierThanWhatIsThere_isKept(@TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve(name(100)), "of another run");
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    net.addListeners(
        LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(1).keepLast(1).build());
    TrainingProcess.train(net, 3);
    assertThat(names(folder)).containsExactly(name(3), name(100));
  }

  @Test
  void epochsAndIterations_areSavedWhenTheyAreDue(@TempDir Path parent) throws Exception {
    Path everyOther = parent.resolve("a/new/folder");
    Path both = parent.resolve("both");
    Path byIterations = parent.resolve("iterations");
    Path byDefault = parent.resolve("default");
    MultiLayerNetwork net = network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    net.addListeners(
        LossBalancerCheckpoint.builder(gradNorm, everyOther).everyEpochs(2).build(),
        LossBalancerCheckpoint.builder(gradNorm, both)
            .everyIterations(4)
            .everyEpochs(1)
            .keepLast(9)
            .build(),
        LossBalancerCheckpoint.builder(gradNorm, byIterations).everyIterations(4).build(),
        LossBalancerCheckpoint.builder(gradNorm, byDefault).build());
    net.fit(epoch(), 5);
    assertThat(names(everyOther)).containsExactly(name(6), name(12));
    assertThat(names(both))
        .containsExactly(name(3), name(4), name(6), name(8), name(9), name(12), name(15));
    assertThat(names(byIterations)).containsExactly(name(4), name(8), name(12));
    assertThat(names(byDefault)).containsExactly(name(9), name(12), name(15));
    for (int[] counts : new int[][] {{3, 1}, {4, 1}, {6, 2}, {8, 2}, {12, 4}, {15, 5}}) {
      MultiLayerNetwork restored =
          ModelSerializer.restoreMultiLayerNetwork(both.resolve(name(counts[0])).toFile(), true);
      assertThat(restored.getIterationCount()).isEqualTo(counts[0]);
      assertThat(restored.getEpochCount()).isEqualTo(counts[1]);
    }
    assertThat(net.getIterationCount()).isEqualTo(15);
    assertThat(net.getEpochCount()).isEqualTo(5);
  }

  /** The oracle: the run that was not interrupted, as its own checkpoint has it. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void termsOfOneOutput_goOnBitForBit(boolean byEpochs, @TempDir Path folder) throws Exception {
    MultiLayerNetwork straight = network();
    GradNorm gradNorm = GradNorm.builder().build().attach(straight);
    straight.addListeners(
        LossBalancerCheckpoint.builder(gradNorm, folder)
            .everyIterations(byEpochs ? 0 : 6)
            .everyEpochs(byEpochs ? 2 : 0)
            .build());
    straight.fit(epoch(), 4);
    Path half = folder.resolve(name(6));
    Path whole = folder.resolve(name(12));
    assertThat(names(folder)).containsExactly(name(6), name(12));

    MultiLayerNetwork net = ModelSerializer.restoreMultiLayerNetwork(half.toFile(), true);
    GradNorm restored = GradNorm.restoreFromModel(half).attach(net);
    if (!byEpochs) { // written before the second epoch was counted
      net.getLayerWiseConfigurations().setEpochCount(2);
    }
    net.fit(epoch(), 2);
    if (!byEpochs) {
      net.getLayerWiseConfigurations().setEpochCount(3);
    }
    Path resumed = folder.resolve("resumed.zip");
    restored.writeModel(net, resumed);
    SavedModels.assertSame(resumed, whole);
    assertThat(restored.lossWeights()).isEqualTo(gradNorm.lossWeights());
    assertThat(restored.lossWeights().get("square")).isNotEqualTo(1.0);
    assertThat(restored.history().rows())
        .containsExactlyElementsOf(gradNorm.history().rows().toList());
  }

  /** In the way: a file in the folder's place, or folders with the names of two checkpoints. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatCannotBeWritten_isLoggedAndCounted_andTrainingGoesOn(
      boolean noFolder, @TempDir Path parent) throws Exception {
    Path folder = parent.resolve("checkpoints");
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    LossBalancerCheckpoint checkpoint =
        LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(1).build();
    net.addListeners(checkpoint);
    TrainingProcess.train(net, 1);
    if (noFolder) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
      Files.createFile(folder);
    } else {
      Files.createDirectories(folder.resolve(name(2)).resolve("full"));
      Files.createDirectories(folder.resolve(name(3)).resolve("full"));
    }
    try (LogRecorder log = new LogRecorder(LossBalancerCheckpoint.class)) {
      TrainingProcess.train(net, 2);
      assertThat(checkpoint.failures()).isEqualTo(2);
      assertThat(log.messages())
          .hasSize(2)
          .first()
          .asString()
          .startsWith("checkpoint " + folder.resolve(name(2)) + " could not be written: ")
          .endsWith(". Earlier ones are whole; training goes on");
    }
    if (noFolder) {
      Files.delete(folder);
    }
    TrainingProcess.train(net, 1); // the folder is made again
    assertThat(checkpoint.failures()).isEqualTo(2);
    assertThat(names(folder))
        .isEqualTo(noFolder ? List.of(name(4)) : List.of(name(1), name(2), name(3), name(4)));
    ComputationGraph undisturbed = TrainingProcess.network();
    GradNorm same = GradNorm.builder().build().attach(undisturbed);
    TrainingProcess.train(undisturbed, 4);
    Path straight = parent.resolve("straight.zip");
    same.writeModel(undisturbed, straight);
    assertThat(LossBalancerCheckpoint.last(folder)).contains(folder.resolve(name(4)));
    SavedModels.assertSame(folder.resolve(name(4)), straight);
  }

  @Test
  void failure_endsTheTraining_ifAskedFor(@TempDir Path folder) throws Exception {
    ComputationGraph net = TrainingProcess.network();
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    net.addListeners(
        LossBalancerCheckpoint.builder(gradNorm, folder)
            .everyIterations(1)
            .throwOnFailure(true)
            .build());
    Files.createDirectories(folder.resolve(name(1)).resolve("full"));
    assertThatThrownBy(() -> TrainingProcess.train(net, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("could not be written")
        .hasCauseInstanceOf(IOException.class);
    assertThat(names(folder)).containsExactly(name(1));
  }

  /** A class path that lacks something, found out while writing. */
  @Test
  void missingClass_isAFailureLikeOthers(@TempDir Path folder) throws Exception {
    MultiLayerNetwork net = network(new LossOfAMissingClass());
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    LossBalancerCheckpoint checkpoint =
        LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(1).build();
    net.addListeners(checkpoint);
    try (LogRecorder log = new LogRecorder(LossBalancerCheckpoint.class)) {
      net.fit(epoch());
      assertThat(log.messages()).hasSize(BATCHES).allMatch(line -> line.contains("Missing"));
    }
    assertThat(checkpoint.failures()).isEqualTo(BATCHES);
    assertThat(net.getIterationCount()).isEqualTo(BATCHES);
    assertThat(names(folder)).isEmpty();
  }

  @JsonSerialize(using = MissingClass.class)
  private static final class LossOfAMissingClass extends LossMSE {
    private static final long serialVersionUID = 1L;
  }

  private static final class MissingClass extends JsonSerializer<LossOfAMissingClass> {
    @Override
    public void serialize(
        LossOfAMissingClass loss, JsonGenerator json, SerializerProvider provider) {
      throw new NoClassDefFoundError("Missing");
    }

    @Override
    public void serializeWithType(
        LossOfAMissingClass loss,
        JsonGenerator json,
        SerializerProvider provider,
        TypeSerializer type) {
      throw new NoClassDefFoundError("Missing");
    }
  }

  @Test
  void badArguments_areRefused(@TempDir Path folder) throws Exception {
    LossBalancerCheckpoint.Builder builder =
        LossBalancerCheckpoint.builder(GradNorm.builder().build(), folder);
    assertThatThrownBy(() -> builder.everyIterations(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("everyIterations (-1) must be >= 0");
    assertThatThrownBy(() -> builder.everyEpochs(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("everyEpochs (-1) must be >= 0");
    assertThatThrownBy(() -> builder.keepLast(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("keepLast (0) must be >= 1");
    assertThatThrownBy(() -> builder.everyEpochs(0).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "everyIterations (0) or everyEpochs (0) must be > 0, or nothing would be saved");
    assertThatThrownBy(() -> LossBalancerCheckpoint.builder(null, folder))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("balancer");
    Path file = Files.createFile(folder.resolve("file"));
    assertThatThrownBy(
            () -> LossBalancerCheckpoint.builder(GradNorm.builder().build(), file).build())
        .isInstanceOf(IOException.class);
    assertThat(LossBalancerCheckpoint.last(folder.resolve("none"))).isEmpty();
  }
}
