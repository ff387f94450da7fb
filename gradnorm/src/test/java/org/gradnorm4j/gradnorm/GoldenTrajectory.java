package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The network, data and numbers of {@code gradnorm-trajectory.txt}, which says what they are. */
record GoldenTrajectory(Map<String, INDArray> arrays, Map<String, List<double[]>> steps) {
  static final String[] TASKS = {"o0", "o1", "o2"};

  static GoldenTrajectory read() {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    Map<String, List<double[]>> steps = new LinkedHashMap<>();
    try (InputStream file = GoldenTrajectory.class.getResourceAsStream("gradnorm-trajectory.txt")) {
      for (String line : new String(file.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        String[] words = line.split(" ");
        if (Arrays.stream(WeightUpdate.values()).anyMatch(u -> u.name().equals(words[0]))) {
          steps.computeIfAbsent(words[0], update -> new ArrayList<>()).add(numbers(words, 2));
        } else if (!words[0].equals("#")) {
          long[] shape = {Long.parseLong(words[1]), Long.parseLong(words[2])};
          arrays.put(words[0], Nd4j.create(numbers(words, 3), shape, DataType.DOUBLE));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new GoldenTrajectory(arrays, steps);
  }

  private static double[] numbers(String[] words, int from) {
    return Arrays.stream(words).skip(from).mapToDouble(Double::parseDouble).toArray();
  }

  /** λ after the step, norms, losses. */
  double[] step(WeightUpdate update, int step) {
    return steps.get(update.name()).get(step);
  }

  int size(WeightUpdate update) {
    return steps.get(update.name()).size() - 1;
  }

  /** Sum and 2-norm of all parameters at the end. */
  double[] parameters(WeightUpdate update) {
    return steps.get(update.name()).get(size(update));
  }

  MultiDataSet batch(int step) {
    INDArray[] labels = new INDArray[TASKS.length];
    Arrays.setAll(labels, task -> arrays.get("y" + task + "_" + step));
    return new MultiDataSet(new INDArray[] {arrays.get("x" + step)}, labels);
  }

  ComputationGraph network() {
    ComputationGraph net =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.05))
                .graphBuilder()
                .addInputs("in")
                .addLayer("d1", dense(10, 16, Activation.TANH), "in")
                .addLayer("d2", dense(16, 16, Activation.RELU), "d1")
                .addLayer("h0", dense(16, 8, Activation.TANH), "d2")
                .addLayer("o0", output(LossFunction.MSE, 8, 2, Activation.IDENTITY), "h0")
                .addLayer("o1", output(LossFunction.MCXENT, 16, 4, Activation.SOFTMAX), "d2")
                .addLayer(
                    "o2",
                    output(LossFunction.MEAN_ABSOLUTE_ERROR, 16, 1, Activation.IDENTITY),
                    "d2")
                .setOutputs(TASKS)
                .build());
    net.init();
    net.paramTable().forEach((name, parameter) -> parameter.assign(arrays.get(name)));
    return net;
  }

  private static DenseLayer dense(int in, int out, Activation activation) {
    return new DenseLayer.Builder().nIn(in).nOut(out).activation(activation).build();
  }

  private static OutputLayer output(LossFunction loss, int in, int out, Activation activation) {
    return new OutputLayer.Builder(loss).nIn(in).nOut(out).activation(activation).build();
  }
}
