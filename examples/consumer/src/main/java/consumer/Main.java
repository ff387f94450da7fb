package consumer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.balancer.LossBalancerCheckpoint;
import org.gradnorm4j.gradnorm.GradNorm;
import org.gradnorm4j.report.Report;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Trains a network with two outputs of unlike size, balanced by GradNorm, and leaves a checkpoint
 * of every tenth step, the history and a report. Ends with an exception if one of them is missing.
 */
public final class Main {
  private static final int STEPS = 30;

  private Main() {}

  /**
   * Runs it.
   *
   * @param args the folder to write to; a new temporary one if there is none
   */
  public static void main(String[] args) throws IOException {
    Path folder =
        args.length > 0
            ? Files.createDirectories(Path.of(args[0]))
            : Files.createTempDirectory("gradnorm");
    Path checkpoints = folder.resolve("checkpoints");

    ComputationGraph net = network();
    GradNorm gradNorm = GradNorm.builder().alpha(1.5).build().attach(net);
    net.addListeners(
        LossBalancerCheckpoint.builder(gradNorm, checkpoints).everyIterations(10).keepLast(2).build());
    MultiDataSet data = data();
    for (int step = 0; step < STEPS; step++) {
      net.fit(data);
    }

    Map<String, Double> weights = gradNorm.lossWeights();
    System.out.println("loss weights: " + weights);
    check(weights.get("large") < weights.get("small"), "the larger loss has the smaller weight");

    gradNorm.history().writeCsv(folder.resolve("history.csv"));
    try (Stream<String> lines = Files.lines(folder.resolve("history.csv"))) {
      check(lines.count() == 1 + 2 * STEPS, "history.csv has a header and a row a task and step");
    }
    Report.of(gradNorm.history()).write(folder.resolve("report.html"));
    check(Files.size(folder.resolve("report.html")) > 10_000, "report.html has its charts");

    try (Stream<Path> files = Files.list(checkpoints)) {
      check(
          files.filter(file -> file.toString().endsWith(".zip")).count() == 2,
          "the last two checkpoints are there");
    }
    Path last = LossBalancerCheckpoint.last(checkpoints).orElseThrow();
    ComputationGraph resumed = ModelSerializer.restoreComputationGraph(last.toFile(), true);
    GradNorm again = GradNorm.restoreFromModel(last).attach(resumed);
    check(again.lossWeights().equals(weights), "the last checkpoint has the last weights");
    resumed.fit(data);
    check(again.history().size() == STEPS + 1, "training goes on from the last checkpoint");

    gradNorm.detach();
    System.out.println("all there: " + folder);
  }

  private static ComputationGraph network() {
    ComputationGraphConfiguration configuration =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .updater(new Adam(0.01))
            .graphBuilder()
            .addInputs("in")
            .addLayer(
                "trunk", new DenseLayer.Builder().nOut(16).activation(Activation.RELU).build(), "in")
            .addLayer("large", regression(), "trunk")
            .addLayer("small", regression(), "trunk")
            .setOutputs("large", "small")
            .setInputTypes(InputType.feedForward(4))
            .build();
    ComputationGraph net = new ComputationGraph(configuration);
    net.init();
    return net;
  }

  private static OutputLayer regression() {
    return new OutputLayer.Builder(LossFunction.MSE).nOut(1).activation(Activation.IDENTITY).build();
  }

  private static MultiDataSet data() {
    Nd4j.getRandom().setSeed(1);
    INDArray in = Nd4j.rand(64, 4);
    INDArray sum = in.sum(true, 1);
    return new MultiDataSet(new INDArray[] {in}, new INDArray[] {sum.mul(10), sum});
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new IllegalStateException("not so: " + what);
    }
  }
}
