package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.graph.vertex.impl.FrozenVertex;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;

/**
 * An initialised ComputationGraph seen as tasks: one task per network output, and for every vertex
 * the set of tasks it serves. Tasks are numbered in the order of the network's outputs.
 */
final class TaskGraph {
  private final GraphVertex[] vertices;
  private final int[] forwardOrder;
  private final List<String> taskNames;
  private final List<OutputLoss> losses = new ArrayList<>();
  private final BitSet[] dependents;
  private final BitSet[] trainers;

  /**
   * Reads the graph, which is not modified.
   *
   * @throws IllegalArgumentException if it cannot be trained on several tasks, or if an output's
   *     loss is out of reach
   * @throws IllegalStateException if the graph is not initialised
   */
  TaskGraph(ComputationGraph graph) {
    if (graph.getVertices() == null) {
      throw new IllegalStateException("the graph is not initialised. Call init() first");
    }
    vertices = graph.getVertices();
    forwardOrder = graph.topologicalSortOrder();
    taskNames = List.copyOf(graph.getConfiguration().getNetworkOutputs());
    if (taskNames.size() < 2) {
      throw new IllegalArgumentException(
          "the graph has the output " + taskNames + " only: balancing takes two or more");
    }
    checkOptimizer(graph);
    for (String name : taskNames) {
      losses.add(lossOf(vertex(name)));
    }
    dependents = servedTasks(false);
    trainers = servedTasks(true);
  }

  private static void checkOptimizer(ComputationGraph graph) {
    OptimizationAlgorithm algorithm = graph.conf().getOptimizationAlgo();
    if (algorithm != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
      throw new IllegalArgumentException(
          "optimization algorithm "
              + algorithm
              + " searches along a line and takes several gradients a step. Use STOCHASTIC_GRADIENT_DESCENT with any updater");
    }
  }

  private static OutputLoss lossOf(GraphVertex output) {
    String name = output.getVertexName();
    if (output.getNumOutputConnections() > 0) {
      throw new IllegalArgumentException(
          "output '"
              + name
              + "' feeds other layers, and DL4J does not train through an output. Let them start from the layer below it");
    }
    Layer layer = output.getLayer();
    if (layer instanceof FrozenLayerWithBackprop frozen) {
      layer = frozen.getInsideLayer();
    }
    if (layer == null) {
      throw new IllegalArgumentException(
          "output '" + name + "' is no output layer, it has no loss. End it with an OutputLayer");
    }
    var configuration = layer.conf().getLayer();
    return OutputLoss.of(configuration)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "output '%s' (%s): its gradient does not come from an ILossFunction alone, so it cannot be weighted. Use OutputLayer, LossLayer, or their Rnn/Cnn forms"
                        .formatted(name, configuration.getClass().getSimpleName())));
  }

  List<String> taskNames() {
    return taskNames;
  }

  /** The loss of every task. */
  List<OutputLoss> losses() {
    return losses;
  }

  /** The vertex of that name, or null. */
  GraphVertex vertex(String name) {
    return Arrays.stream(vertices)
        .filter(vertex -> vertex.getVertexName().equals(name))
        .findFirst()
        .orElse(null);
  }

  List<GraphVertex> verticesInForwardOrder() {
    return Arrays.stream(forwardOrder).mapToObj(index -> vertices[index]).toList();
  }

  /** Tasks whose output is computed from this vertex. Not to be modified. */
  BitSet tasksThatDependOn(GraphVertex vertex) {
    return dependents[vertex.getVertexIndex()];
  }

  /** Tasks whose gradient arrives at this vertex: frozen vertices pass none on. */
  BitSet tasksThatTrain(GraphVertex vertex) {
    return trainers[vertex.getVertexIndex()];
  }

  /** An epsilon's way: from the input of a consumer back to the vertex that input comes from. */
  record Edge(GraphVertex consumer, int input) {}

  /**
   * The edges over which a vertex gets epsilons, in the order in which DL4J's backward pass sends
   * them.
   */
  List<Edge> epsilonEdges(GraphVertex vertex) {
    List<Edge> edges = new ArrayList<>();
    for (int i = forwardOrder.length - 1; i >= 0; i--) {
      GraphVertex consumer = vertices[forwardOrder[i]];
      VertexIndices[] inputs = inputs(consumer);
      for (int input = 0; input < inputs.length && !stopsGradient(consumer); input++) {
        if (inputs[input].getVertexIndex() == vertex.getVertexIndex()) {
          edges.add(new Edge(consumer, input));
        }
      }
    }
    return edges;
  }

  /**
   * The vertices whose gradient has to be kept apart by task, in backward order: the shared layers
   * and whatever lies behind one of them and still serves several tasks. The last is a shared
   * layer.
   */
  List<GraphVertex> sharedZone(List<GraphVertex> sharedLayers) {
    boolean[] behind = new boolean[vertices.length];
    sharedLayers.forEach(vertex -> behind[vertex.getVertexIndex()] = true);
    List<GraphVertex> zone = new ArrayList<>();
    for (GraphVertex vertex : verticesInForwardOrder()) {
      for (GraphVertex source : sources(vertex)) {
        behind[vertex.getVertexIndex()] |=
            behind[source.getVertexIndex()] && !stopsGradient(vertex);
      }
      if (behind[vertex.getVertexIndex()] && tasksThatTrain(vertex).cardinality() > 1) {
        zone.add(0, vertex);
      }
    }
    return zone;
  }

  /** The vertices a vertex takes its inputs from, in the order of the inputs. */
  List<GraphVertex> sources(GraphVertex vertex) {
    return Arrays.stream(inputs(vertex)).map(input -> vertices[input.getVertexIndex()]).toList();
  }

  /** Names of the vertex' weights in DL4J's parameter table, biases left out; empty if none. */
  static List<String> weightKeys(GraphVertex vertex) {
    if (!vertex.hasLayer() || vertex.getLayer().numParams() == 0) {
      return List.of();
    }
    var configuration = vertex.getLayer().conf().getLayer();
    if (configuration instanceof BatchNormalization) { // DL4J counts its scale as no weight
      return vertex.getLayer().paramTable().containsKey(BatchNormalizationParamInitializer.GAMMA)
          ? List.of(BatchNormalizationParamInitializer.GAMMA)
          : List.of();
    }
    return configuration.initializer().weightKeys(configuration);
  }

  /** True if the weights of this vertex do not train, whether or not it lets gradients pass. */
  static boolean isFrozen(GraphVertex vertex) {
    return stopsGradient(vertex) || vertex.getLayer() instanceof FrozenLayerWithBackprop;
  }

  private static boolean stopsGradient(GraphVertex vertex) {
    return vertex instanceof FrozenVertex || vertex.getLayer() instanceof FrozenLayer;
  }

  private static VertexIndices[] inputs(GraphVertex vertex) {
    return vertex.getInputVertices() == null ? new VertexIndices[0] : vertex.getInputVertices();
  }

  /**
   * For every vertex the tasks computed from it or, by gradient, the tasks whose gradient gets to
   * it: frozen vertices pass none on.
   */
  private BitSet[] servedTasks(boolean byGradient) {
    BitSet[] served = new BitSet[vertices.length];
    Arrays.setAll(served, i -> new BitSet());
    for (int i = forwardOrder.length - 1; i >= 0; i--) {
      GraphVertex vertex = vertices[forwardOrder[i]];
      BitSet own = served[vertex.getVertexIndex()];
      int task = taskNames.indexOf(vertex.getVertexName());
      if (task >= 0) {
        own.set(task);
      }
      if (!(byGradient && stopsGradient(vertex))) {
        for (VertexIndices input : inputs(vertex)) {
          served[input.getVertexIndex()].or(own);
        }
      }
    }
    return served;
  }
}
