package org.gradnorm4j.examples;

import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.updater.graph.ComputationGraphUpdater;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Deeplearning4j's updater, on the way that was meant for the network's own gradients.
 *
 * <p>Version 1.0.0-M2.1 asks whether a gradient is the network's own by comparing objects, but
 * {@link DefaultGradient#gradient()} makes a new view each time. So every gradient counts as one
 * from elsewhere, for which two views are made of each parameter array in each step; and each of
 * them is a view of the one before, so that the time of a step grows with the cube of their number:
 * with 300 tasks most of it is spent there. The numbers are the same on either way.
 */
final class StandardUpdater extends ComputationGraphUpdater {
  private static final long serialVersionUID = 1L;

  private StandardUpdater(ComputationGraph net) {
    super(net);
  }

  /**
   * Gives a network this updater.
   *
   * @param net initialised, not trained yet: the updater's state begins anew
   */
  static void install(ComputationGraph net) {
    net.setUpdater(new StandardUpdater(net));
  }

  @Override
  public synchronized void update(
      Gradient gradient, int iteration, int epoch, int batchSize, LayerWorkspaceMgr workspaceMgr) {
    boolean own = gradient == network.gradient();
    super.update(
        own ? new Own(gradient, getFlattenedGradientsView()) : gradient,
        iteration,
        epoch,
        batchSize,
        workspaceMgr);
  }

  /** The network's gradient, which says so. */
  private static final class Own extends DefaultGradient {
    private static final long serialVersionUID = 1L;

    private final transient INDArray flattened;

    Own(Gradient gradient, INDArray flattened) {
      super(flattened);
      this.flattened = flattened;
      gradientForVariable().putAll(gradient.gradientForVariable());
    }

    @Override
    public INDArray gradient() {
      return flattened;
    }
  }
}
