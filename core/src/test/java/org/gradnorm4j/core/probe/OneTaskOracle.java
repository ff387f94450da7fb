package org.gradnorm4j.core.probe;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.internal.dl4j.OutputLoss;
import org.gradnorm4j.core.internal.dl4j.TaskGraph;
import org.gradnorm4j.core.internal.dl4j.Vertices;
import org.gradnorm4j.core.internal.dl4j.WeightedLoss;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * The obviously right way to a task's gradient: plain DL4J on the whole graph, with the loss of
 * every other output replaced by zero. Random numbers are drawn as in the whole graph, so dropout
 * and weight noise are the same.
 */
final class OneTaskOracle {
  private final List<ComputationGraph> alone = new ArrayList<>();
  private final List<String> weights;

  /**
   * For a graph, which is not modified.
   *
   * @param sharedLayers the layers whose weights, biases left out, are W
   */
  OneTaskOracle(ComputationGraph net, List<String> sharedLayers) {
    int tasks = net.getNumOutputArrays();
    for (int task = 0; task < tasks; task++) {
      ComputationGraph copy = new ComputationGraph(net.getConfiguration().clone());
      copy.init();
      List<OutputLoss> losses = TaskGraph.of(copy).losses();
      for (int other = 0; other < tasks; other++) {
        ILossFunction own = losses.get(other).get();
        ILossFunction plain = own instanceof WeightedLoss weighted ? weighted.wrapped() : own;
        losses.get(other).set(other == task ? plain : new ZeroLoss());
      }
      alone.add(copy);
    }
    weights = weights(net, sharedLayers);
  }

  /** ‖∇_W L_i‖ per task; arguments as for {@link #sharedGradients}. */
  double[] gradientNorms(INDArray parameters, MultiDataSet batch, long seed) {
    return norms(sharedGradients(parameters, batch, seed));
  }

  static double[] norms(double[][] gradients) {
    return Arrays.stream(gradients)
        .mapToDouble(row -> Math.sqrt(Arrays.stream(row).map(value -> value * value).sum()))
        .toArray();
  }

  /**
   * ∇_W L_i per task, the mean over the minibatch, a row each.
   *
   * @param parameters of the graph, in the order of {@code params()}; not modified
   * @param seed of the random numbers the step draws
   */
  double[][] sharedGradients(INDArray parameters, MultiDataSet batch, long seed) {
    double[][] gradients = new double[alone.size()][];
    for (int task = 0; task < gradients.length; task++) {
      ComputationGraph net = step(task, parameters, batch, seed);
      double divisor = net.batchSize(); // by which DL4J divides its updates
      gradients[task] =
          weights.stream()
              .map(weight -> net.gradient().getGradientFor(weight).dup('c').data().asDouble())
              .flatMapToDouble(Arrays::stream)
              .map(value -> value / divisor)
              .toArray();
      net.clearLayerMaskArrays();
    }
    return gradients;
  }

  /**
   * The gradient of each task alone with respect to all parameters, as a sum over the minibatch: by
   * task, then by name of the parameter.
   *
   * @param parameters as for {@link #gradientNorms}
   * @param seed of the random numbers the step draws
   */
  List<Map<String, INDArray>> gradients(INDArray parameters, MultiDataSet batch, long seed) {
    List<Map<String, INDArray>> gradients = new ArrayList<>();
    for (int task = 0; task < alone.size(); task++) {
      Map<String, INDArray> byName = new LinkedHashMap<>();
      step(task, parameters, batch, seed)
          .gradient()
          .gradientForVariable()
          .forEach((name, gradient) -> byName.put(name, gradient.dup()));
      alone.get(task).clearLayerMaskArrays();
      gradients.add(byName);
    }
    return gradients;
  }

  private ComputationGraph step(int task, INDArray parameters, MultiDataSet batch, long seed) {
    ComputationGraph net = alone.get(task);
    net.setParams(parameters);
    net.setInputs(batch.getFeatures());
    net.setLabels(batch.getLabels());
    net.setLayerMaskArrays(batch.getFeaturesMaskArrays(), batch.getLabelsMaskArrays());
    Nd4j.getRandom().setSeed(seed);
    net.computeGradientAndScore();
    return net;
  }

  /** Names, in the graph's parameter table, of the weights of these layers. */
  private static List<String> weights(ComputationGraph net, List<String> layers) {
    List<String> names = new ArrayList<>();
    for (String layer : layers) {
      for (String key : Vertices.weightKeys(net.getVertex(layer))) {
        names.add(layer + "_" + key);
      }
    }
    return names;
  }

  /** A loss of 0 with a gradient of 0. */
  private static final class ZeroLoss implements ILossFunction {
    private static final long serialVersionUID = 1L;

    @Override
    public double computeScore(
        INDArray labels, INDArray output, IActivation activation, INDArray mask, boolean average) {
      return 0.0;
    }

    @Override
    public INDArray computeScoreArray(
        INDArray labels, INDArray output, IActivation activation, INDArray mask) {
      return output.like();
    }

    @Override
    public INDArray computeGradient(
        INDArray labels, INDArray output, IActivation activation, INDArray mask) {
      return output.like();
    }

    @Override
    public Pair<Double, INDArray> computeGradientAndScore(
        INDArray labels, INDArray output, IActivation activation, INDArray mask, boolean average) {
      return Pair.of(0.0, output.like());
    }

    @Override
    public String name() {
      return "zero";
    }
  }
}
