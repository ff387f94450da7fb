package org.gradnorm4j.core.internal.dl4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * What gives the tasks of a network their weights: a {@link WeightedLoss} before the loss of each
 * output, and penalties that are driven. Puts them in, takes them out, finds them again.
 */
final class WeightedLosses {
  private final TaskGraph graph;
  private final TrainingStep step;
  private final List<WeightedLoss> losses = new ArrayList<>();

  /** The network is not touched yet. */
  WeightedLosses(TaskGraph graph, TrainingStep step) {
    this.graph = graph;
    this.step = step;
  }

  /**
   * Puts them in.
   *
   * @param isPlain whether a penalty counts as configured at present
   */
  void install(WeightedLoss.Calls calls, BooleanSupplier isPlain) {
    for (int output = 0; output < graph.losses().size(); output++) {
      OutputLoss loss = graph.losses().get(output);
      losses.add(new WeightedLoss(loss, graph.tasks().of(output), step, calls));
      loss.set(losses.get(output));
    }
    for (int i = 0; i < graph.tasks().penalties().size(); i++) {
      int task = graph.tasks().ofPenalty(i);
      double configured = graph.tasks().weights()[task];
      graph
          .tasks()
          .penalties()
          .get(i)
          .drive(() -> isPlain.getAsBoolean() ? configured : step.lossWeight(task));
    }
  }

  /** Takes out what is still there. */
  void remove() {
    for (int output = 0; output < losses.size(); output++) {
      OutputLoss loss = graph.losses().get(output);
      if (loss.get() == losses.get(output)) {
        loss.set(losses.get(output).wrapped());
      }
      losses.get(output).retire();
    }
    graph.tasks().penalties().forEach(penalty -> penalty.drive(null));
  }

  /** See {@code Tasks.uninformedLosses()}. */
  double[] uninformed() {
    double[] uninformed = new double[graph.tasks().count()];
    Arrays.fill(uninformed, Double.NaN);
    for (int output = 0; output < losses.size(); output++) {
      Layer layer = graph.losses().get(output).layer();
      ILossFunction loss = losses.get(output).wrapped();
      int first = graph.tasks().of(output).nextSetBit(0);
      if (loss instanceof CompositeLoss composite) {
        for (int term = 0; term < composite.termNames().size(); term++) {
          uninformed[first + term] = UninformedLoss.of(layer, composite.loss(term));
        }
      } else {
        uninformed[first] = UninformedLoss.of(layer, loss);
      }
    }
    return uninformed;
  }

  /** Those that are in a network; of any network, also one that cannot be attached. */
  static Stream<WeightedLoss> in(Model network) {
    return layersOf(network)
        .map(Vertices::outputLayer)
        .flatMap(layer -> OutputLoss.of(layer.conf().getLayer()).stream())
        .flatMap(WeightedLosses::installed);
  }

  private static Stream<org.deeplearning4j.nn.api.Layer> layersOf(Model network) {
    org.deeplearning4j.nn.api.Layer[] layers = null; // as before init()
    if (network instanceof ComputationGraph graph) {
      layers = graph.getLayers();
    } else if (network instanceof MultiLayerNetwork chain) {
      layers = chain.getLayers();
    }
    return layers == null ? Stream.empty() : Arrays.stream(layers);
  }

  /** The one of an output; none if it is of another network that shares the loss. */
  static Stream<WeightedLoss> installed(OutputLoss output) {
    return output.get() instanceof WeightedLoss loss && loss.isInstalledIn(output.layer())
        ? Stream.of(loss)
        : Stream.empty();
  }
}
