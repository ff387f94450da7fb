package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
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
  private OneTaskOracle() {}

  /**
   * ‖∇_W L_i‖ per task, the mean over the minibatch, at the parameters of net (not modified).
   *
   * @param weights names of W in the parameter table
   */
  static double[] gradientNorms(
      ComputationGraph net, MultiDataSet batch, long seed, List<String> weights) {
    int tasks = net.getNumOutputArrays();
    double[] norms = new double[tasks];
    for (int task = 0; task < tasks; task++) {
      ComputationGraph alone = new ComputationGraph(net.getConfiguration().clone());
      alone.init(net.params().dup(), false);
      List<OutputLoss> losses = new TaskGraph(alone).losses();
      for (int other = 0; other < tasks; other++) {
        ILossFunction own = losses.get(other).get();
        ILossFunction plain = own instanceof WeightedLoss weighted ? weighted.wrapped() : own;
        losses.get(other).set(other == task ? plain : new ZeroLoss());
      }
      alone.setInputs(batch.getFeatures());
      alone.setLabels(batch.getLabels());
      alone.setLayerMaskArrays(batch.getFeaturesMaskArrays(), batch.getLabelsMaskArrays());
      Nd4j.getRandom().setSeed(seed);
      alone.computeGradientAndScore();
      double squared = 0.0;
      for (String weight : weights) {
        for (double value : alone.gradient().getGradientFor(weight).dup().data().asDouble()) {
          squared += value * value;
        }
      }
      norms[task] = Math.sqrt(squared) / alone.batchSize(); // by which DL4J divides its updates
    }
    return norms;
  }

  /** Names, in the graph's parameter table, of the weights of these layers. */
  static List<String> weights(ComputationGraph net, List<String> layers) {
    List<String> names = new ArrayList<>();
    for (String layer : layers) {
      for (String key : TaskGraph.weightKeys(net.getVertex(layer))) {
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
