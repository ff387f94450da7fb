package org.gradnorm4j.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * The norms as one gets them without this library: a forward and a backward pass for each task with
 * the losses of the others off, and the training step itself.
 */
final class BackwardPerTask {
  private final ComputationGraph net;
  private final List<Switched> losses = new ArrayList<>();
  private final double[] norms;

  BackwardPerTask(ComputationGraph net) {
    this.net = net;
    for (String output : net.getConfiguration().getNetworkOutputs()) {
      var layer = (BaseOutputLayer) net.getLayer(output).conf().getLayer();
      losses.add(new Switched(layer.getLossFn()));
      layer.setLossFn(losses.get(losses.size() - 1));
    }
    norms = new double[losses.size()];
  }

  /** One step; returns ‖∇_W L_i‖. */
  double[] fit(MultiDataSet batch) {
    for (int task = 0; task < norms.length; task++) {
      for (int other = 0; other < norms.length; other++) {
        losses.get(other).on = other == task;
      }
      net.setInputs(batch.getFeatures());
      net.setLabels(batch.getLabels());
      net.computeGradientAndScore();
      norms[task] =
          net.gradient().getGradientFor(Workload.SHARED + "_W").norm2Number().doubleValue()
              / net.batchSize();
    }
    losses.forEach(loss -> loss.on = true);
    net.fit(batch);
    return norms;
  }

  /** A loss that can be turned off. */
  private static final class Switched implements ILossFunction {
    private static final long serialVersionUID = 1L;

    private final ILossFunction loss;
    private boolean on = true;

    Switched(ILossFunction loss) {
      this.loss = loss;
    }

    @Override
    public double computeScore(
        INDArray labels, INDArray output, IActivation activation, INDArray mask, boolean average) {
      return on ? loss.computeScore(labels, output, activation, mask, average) : 0.0;
    }

    @Override
    public INDArray computeScoreArray(
        INDArray labels, INDArray output, IActivation activation, INDArray mask) {
      return loss.computeScoreArray(labels, output, activation, mask);
    }

    @Override
    public INDArray computeGradient(
        INDArray labels, INDArray output, IActivation activation, INDArray mask) {
      return on ? loss.computeGradient(labels, output, activation, mask) : output.like();
    }

    @Override
    public Pair<Double, INDArray> computeGradientAndScore(
        INDArray labels, INDArray output, IActivation activation, INDArray mask, boolean average) {
      return Pair.of(
          computeScore(labels, output, activation, mask, average),
          computeGradient(labels, output, activation, mask));
    }

    @Override
    public String name() {
      return loss.name();
    }
  }
}
