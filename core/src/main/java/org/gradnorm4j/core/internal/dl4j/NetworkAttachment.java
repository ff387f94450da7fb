package org.gradnorm4j.core.internal.dl4j;

import java.lang.StackWalker.StackFrame;
import java.util.List;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.util.TimeSeriesUtils;
import org.gradnorm4j.core.internal.kernel.BackwardState;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Listens in on a MultiLayerNetwork through its one loss. When the backward pass asks it for the
 * gradient, everything the layers remember of the forward pass is still there: the layers from the
 * output down to W are then replayed for each task, ahead of the real pass.
 */
final class NetworkAttachment implements Attachment {
  private static final String SOLVERS = "org.deeplearning4j.optimize.";

  private final MultiLayerNetwork network;
  private final List<EpsilonTap> taps;
  private final TrainingStep step;
  private final StepEvents events;
  private DataBuffer inUse;

  NetworkAttachment(
      MultiLayerNetwork network, SharedZone zone, TrainingStep step, StepEvents events) {
    this.network = network;
    this.taps = zone.taps();
    this.step = step;
    this.events = events;
  }

  /** Replays for the norms when the backward pass asks for the first time. */
  @Override
  public boolean isOwnGradient(INDArray labels) {
    if (step.isOpen() && step.isReplaying()) {
      return true;
    }
    INDArray input = network.getOutputLayer().input();
    if (!isOfThisNetwork(labels) || isInUse(input)) {
      return false;
    }
    inUse = input.data();
    events.begin();
    if (!step.isOpen()) { // detached meanwhile
      return false;
    }
    if (isBypassed()) {
      step.skipMeasuring();
      events.bypassed();
    } else if (step.isMeasuring()) {
      measure();
    }
    events.measured();
    return true;
  }

  @Override
  public boolean isOwnScore(INDArray labels) {
    return step.isOpen() && isOfThisNetwork(labels);
  }

  /** With one loss everything is known now: what it sends back is weighted already. */
  @Override
  public void lossNoted() {
    step.decide();
  }

  @Override
  public void scored() {
    if (step.isMeasuring()) {
      taps.forEach(tap -> tap.prove(gradientOf(tap), null));
    }
  }

  /** Whether a layer of those that are replayed has been replaced, which is how DL4J freezes it. */
  private boolean isBypassed() {
    for (EpsilonTap tap : taps) {
      if (network.getLayer(tap.vertex().getVertexIndex()) != tap.vertex().getLayer()) {
        return true;
      }
    }
    return false;
  }

  /**
   * Copies of the network share its loss. Only in training does the network have labels: these. And
   * its {@code fit} holds its monitor; else somebody calls {@code computeGradientAndScore()} in a
   * loop of their own.
   */
  private boolean isOfThisNetwork(INDArray labels) {
    INDArray own = network.getLabels();
    INDArray input = network.getOutputLayer().input();
    return own != null
        && input != null
        && own.length() == labels.length()
        && (own.rank() != labels.rank() || own.data() == labels.data())
        && (Thread.holdsLock(network) || (isOfThisThread(input) && isInOwnLoop()));
  }

  /** Whether what the forward pass left lies in this thread's workspace, or in none. */
  private static boolean isOfThisThread(INDArray input) {
    return !input.isAttached()
        || input.data().getParentWorkspace().getThreadId() == Thread.currentThread().getId();
  }

  /** Whether a network's gradient and score are being computed, but not by its {@code fit}. */
  private static boolean isInOwnLoop() {
    List<StackFrame> callers =
        StackWalker.getInstance()
            .walk(
                frames ->
                    frames
                        .dropWhile(
                            frame -> !isNetworks(frame) || isNamed(frame, "calcBackpropGradients"))
                        .filter(frame -> !frame.getClassName().startsWith(SOLVERS))
                        .limit(3) // computeGradientAndScore calls its own namesake, at most
                        .toList());
    int inside = 0;
    while (inside < callers.size()
        && isNetworks(callers.get(inside))
        && isNamed(callers.get(inside), "computeGradientAndScore")) {
      inside++;
    }
    return inside > 0 && inside < callers.size() && !isNetworks(callers.get(inside));
  }

  private static boolean isNetworks(StackFrame frame) {
    return frame.getClassName().equals(MultiLayerNetwork.class.getName());
  }

  private static boolean isNamed(StackFrame frame, String method) {
    return frame.getMethodName().equals(method);
  }

  /**
   * Whether a step has begun with this input already: then a listener trains a copy on the same
   * labels. Each step's is an array of its own, unless it comes straight from the user.
   */
  private boolean isInUse(INDArray input) {
    boolean afterBackprop =
        network.getOutputLayer() instanceof RnnOutputLayer && input.rank() == 3; // within it: 2
    return afterBackprop || (network.getnLayers() > 1 && input.data() == inUse);
  }

  private void measure() {
    boolean none =
        network.getLayerWiseConfigurations().getTrainingWorkspaceMode() == WorkspaceMode.NONE;
    if (none) {
      measureIn(LayerWorkspaceMgr.noWorkspaces());
    } else {
      step.replaying(() -> measureIn(ReplayWorkspaces.OF_NETWORK));
    }
  }

  @SuppressWarnings("try") // a workspace is there to be open, not to be named
  private void measureIn(LayerWorkspaceMgr workspaces) {
    INDArray input = network.getOutputLayer().input();
    if (network.getOutputLayer() instanceof RnnOutputLayer output && input.rank() == 2) {
      BackwardState.setInput(output, asSeries(input, output)); // as before its backward pass
    }
    for (EpsilonTap tap : taps) {
      try (MemoryWorkspace working = workspaces.notifyScopeEntered(ArrayType.BP_WORKING_MEM)) {
        tap.measure(false, workspaces);
      }
    }
    BackwardState.setInput(network.getOutputLayer(), input);
  }

  /** [N·time, size] as the series it was made of. */
  private INDArray asSeries(INDArray input, RnnOutputLayer output) {
    INDArray series =
        TimeSeriesUtils.reshape2dTo3d(
            input, network.batchSize(), LayerWorkspaceMgr.noWorkspaces(), ArrayType.ACTIVATIONS);
    return output.layerConf().getRnnDataFormat() == RNNFormat.NWC
        ? series.permute(0, 2, 1)
        : series;
  }

  /** The layer's part of what the real backward pass gave, under the layer's own names. */
  private Gradient gradientOf(EpsilonTap tap) {
    Gradient own = new DefaultGradient();
    String prefix = tap.vertex().getVertexIndex() + "_";
    network
        .gradient()
        .gradientForVariable()
        .forEach(
            (name, gradient) -> {
              if (name.startsWith(prefix)) {
                own.setGradientFor(name.substring(prefix.length()), gradient);
              }
            });
    return own;
  }

  @Override
  public boolean isMiniBatch() {
    return network.conf().isMiniBatch();
  }

  @Override
  public int iteration() {
    return network.getIterationCount();
  }

  @Override
  public int epoch() {
    return network.getEpochCount();
  }
}
