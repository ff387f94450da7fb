package org.gradnorm4j.gradnorm;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.gradnorm4j.balancer.LossBalancerCheckpoint;
import org.gradnorm4j.testing.Networks;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/** A training run that can be cut anywhere and go on in another process. */
public final class TrainingProcess {
  @SuppressWarnings("MutablePublicArray") // tests only read it
  public static final String[] TASKS = {"a", "b", "c"};

  private TrainingProcess() {}

  /** With what a checkpoint could forget: moments, a constraint, a schedule by iteration. */
  public static ComputationGraph network() {
    GraphBuilder trunk =
        new NeuralNetConfiguration.Builder()
            .seed(3)
            .updater(new Adam(0.01))
            .graphBuilder()
            .addInputs("in")
            .addLayer(
                "trunk",
                new DenseLayer.Builder()
                    .nIn(4)
                    .nOut(6)
                    .activation(Activation.TANH)
                    .constrainWeights(new MaxNormConstraint(1.0, 1))
                    .build(),
                "in");
    return Networks.withHeads(trunk, TASKS);
  }

  /** Task c has no labels in every third minibatch, and some of them in the others. */
  public static MultiDataSet batch(int step) {
    Nd4j.getRandom().setSeed(step + 1);
    INDArray x = Nd4j.randn(DataType.FLOAT, 8, 4);
    INDArray y = Nd4j.randn(DataType.FLOAT, 8, 2).addi(1.0);
    INDArray mask = Nd4j.zeros(DataType.FLOAT, 8, 1);
    for (int row = 0; step % 3 != 0 && row <= step % 8; row++) {
      mask.putScalar(row, 0, 1.0);
    }
    return new MultiDataSet(
        new INDArray[] {x},
        new INDArray[] {y, y.mul(-30), y.add(x.sum(true, 1))},
        null,
        new INDArray[] {null, null, mask});
  }

  public static Map<String, GradNormBuilder> settings() {
    return Map.of(
        "adam",
        GradNorm.builder(),
        "sgd",
        GradNorm.builder().lossWeightUpdater(new Sgd(1e-3)).weightUpdate(WeightUpdate.ADDITIVE),
        "window",
        GradNorm.builder()
            .weightUpdate(WeightUpdate.ADDITIVE)
            .taskWindow(2)
            .initialLossWeights(Map.of("a", 2.0))
            .weightLimits("b", 0.2, 1.5),
        "all",
        GradNorm.builder()
            .lossWeightUpdater(new Nesterovs(1e-3, 0.8))
            .measureEvery(3)
            .smoothing(0.9)
            .warmUp(4)
            .initialLoss(InitialLoss.meanOf(20))
            .lossScale(LossScale.LABELS)
            .weightLimits(0.1, 2.0)
            .prior("b", 2.0)
            .lossShift("a", 0.5));
  }

  public static void train(ComputationGraph net, int steps) {
    for (int step = 0; step < steps; step++) {
      net.fit(batch(net.getIterationCount()));
    }
  }

  /**
   * {@code resume steps in out [in out ...]}: goes on with the run in each file; {@code checkpoint
   * folder}: trains and saves every step until killed.
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments[0].equals("resume")) {
      for (int i = 2; i < arguments.length; i += 2) {
        ComputationGraph net =
            ModelSerializer.restoreComputationGraph(new File(arguments[i]), true);
        GradNorm gradNorm = GradNorm.restoreFromModel(Path.of(arguments[i])).attach(net);
        train(net, Integer.parseInt(arguments[1]));
        gradNorm.writeModel(net, Path.of(arguments[i + 1]));
      }
    } else {
      checkpoint(Path.of(arguments[1]));
    }
  }

  /** Prints the number of iterations done: first those it begins with, then after each step. */
  private static void checkpoint(Path folder) throws IOException {
    ComputationGraph net;
    GradNorm gradNorm;
    var last = LossBalancerCheckpoint.last(folder);
    if (last.isPresent()) {
      net = ModelSerializer.restoreComputationGraph(last.get().toFile(), true);
      gradNorm = GradNorm.restoreFromModel(last.get()).attach(net);
    } else {
      net = network();
      gradNorm = GradNorm.builder().build().attach(net);
    }
    net.addListeners(
        LossBalancerCheckpoint.builder(gradNorm, folder).everyIterations(1).keepLast(2).build());
    System.out.println("begun " + net.getIterationCount());
    while (true) {
      train(net, 1);
      System.out.println("done " + net.getIterationCount());
    }
  }

  /** Another JVM that runs {@link #main}; what it prints comes by its input stream. */
  public static ProcessBuilder command(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.nd4j.log.initialization=false"));
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(TrainingProcess.class.getName());
    command.addAll(arguments);
    ProcessBuilder process = new ProcessBuilder(command);
    process.environment().put("OMP_NUM_THREADS", "1");
    return process.redirectError(ProcessBuilder.Redirect.INHERIT);
  }
}
