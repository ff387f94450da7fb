package org.gradnorm4j.core.internal.dl4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/**
 * An initialised network seen as tasks: for every vertex the set of tasks it serves. A
 * MultiLayerNetwork is a graph without branches. NetworkTasks are numbered as in {@link
 * NetworkTasks}; penalties are not among those a vertex serves.
 */
public final class TaskGraph {
  private final GraphVertex[] vertices;
  private final int[] forwardOrder;
  private final List<String> outputs;
  private final boolean wholeChain;
  private final IntSupplier batchSize;
  private final List<OutputLoss> losses = new ArrayList<>();
  private final NetworkTasks tasks;
  private final BitSet[] dependents;
  private final BitSet[] trainers;

  private TaskGraph(
      GraphVertex[] vertices,
      int[] forwardOrder,
      List<String> outputs,
      boolean wholeChain,
      IntSupplier batchSize,
      OptimizationAlgorithm algorithm) {
    this.vertices = vertices;
    this.forwardOrder = forwardOrder;
    this.outputs = List.copyOf(outputs);
    this.wholeChain = wholeChain;
    this.batchSize = batchSize;
    checkOptimizer(algorithm);
    for (String name : outputs) {
      losses.add(lossOf(vertex(name)));
    }
    tasks = new NetworkTasks(outputs, losses, PenaltyTerm.of(verticesInForwardOrder()));
    dependents = servedTasks(false);
    trainers = servedTasks(true);
  }

  /**
   * Reads the graph, which is not modified.
   *
   * @throws IllegalArgumentException if an output's loss is out of reach, or two tasks have the
   *     same name
   * @throws IllegalStateException if the graph is not initialised
   */
  public static TaskGraph of(ComputationGraph graph) {
    if (graph.getVertices() == null) {
      throw new IllegalStateException("the graph is not initialised. Call init() first");
    }
    return new TaskGraph(
        graph.getVertices(),
        graph.topologicalSortOrder(),
        graph.getConfiguration().getNetworkOutputs(),
        false,
        graph::batchSize,
        graph.conf().getOptimizationAlgo());
  }

  /**
   * Reads the network, which is not modified.
   *
   * @throws IllegalArgumentException as above
   * @throws IllegalStateException if the network is not initialised
   */
  public static TaskGraph of(MultiLayerNetwork network) {
    if (!network.isInitCalled()) {
      throw new IllegalStateException("the network is not initialised. Call init() first");
    }
    NetworkLayer[] vertices = NetworkLayer.of(network);
    return new TaskGraph(
        vertices,
        IntStream.range(0, vertices.length).toArray(),
        List.of(vertices[vertices.length - 1].getVertexName()),
        true,
        network::batchSize,
        network.getDefaultConfiguration().getOptimizationAlgo());
  }

  private static void checkOptimizer(OptimizationAlgorithm algorithm) {
    if (algorithm != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
      throw new IllegalArgumentException(
          "optimization algorithm "
              + algorithm
              + " searches along a line and takes several gradients a step. Use"
              + " STOCHASTIC_GRADIENT_DESCENT with any updater");
    }
  }

  /**
   * Checks that there is something to balance.
   *
   * @throws IllegalArgumentException if there are fewer than two tasks
   */
  void checkSeveralTasks() {
    if (tasks.count() < 2) {
      throw new IllegalArgumentException(
          "there is the one loss "
              + tasks.names()
              + " only: balancing takes two or more. Use several outputs, a CompositeLoss of"
              + " several terms, or a WeightPenalty");
    }
  }

  private static OutputLoss lossOf(GraphVertex output) {
    String name = output.getVertexName();
    if (output.getNumOutputConnections() > 0) {
      throw new IllegalArgumentException(
          "output '"
              + name
              + "' feeds other layers, and DL4J does not train through an output. Let them start"
              + " from the layer below it");
    }
    Layer layer = Vertices.outputLayer(output.getLayer());
    if (layer == null) {
      throw new IllegalArgumentException(
          "output '" + name + "' is no output layer, it has no loss. End it with an OutputLayer");
    }
    var configuration = layer.conf().getLayer();
    return OutputLoss.of(configuration)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    String.format(
                        Locale.ROOT,
                        "output '%s' (%s): its gradient does not come from an ILossFunction alone, so it cannot be weighted. Use OutputLayer, LossLayer, or their Rnn/Cnn forms",
                        name,
                        configuration.getClass().getSimpleName())));
  }

  /** Examples in the minibatch under way. */
  int batchSize() {
    return batchSize.getAsInt();
  }

  List<String> outputs() {
    return outputs;
  }

  public NetworkTasks tasks() {
    return tasks;
  }

  /** The loss of every output. */
  public List<OutputLoss> losses() {
    return losses;
  }

  /** The vertex of that name, or null. */
  GraphVertex vertex(String name) {
    return Arrays.stream(vertices)
        .filter(vertex -> vertex.getVertexName().equals(name))
        .findFirst()
        .orElse(null);
  }

  public List<GraphVertex> verticesInForwardOrder() {
    return Arrays.stream(forwardOrder).mapToObj(index -> vertices[index]).toList();
  }

  /** The tasks that begin at this vertex: those of an output, none elsewhere. */
  BitSet tasksOf(GraphVertex vertex) {
    int output = outputs.indexOf(vertex.getVertexName());
    return output < 0 ? new BitSet() : tasks.of(output);
  }

  /** Whether the gradient of every output gets to this vertex. */
  boolean isTrainedByAll(GraphVertex vertex) {
    return tasksThatTrain(vertex).cardinality() == tasks.countOfOutputs();
  }

  /** NetworkTasks whose output is computed from this vertex. Not to be modified. */
  BitSet tasksThatDependOn(GraphVertex vertex) {
    return dependents[vertex.getVertexIndex()];
  }

  /** NetworkTasks whose gradient arrives at this vertex: frozen vertices pass none on. */
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
      for (int input = 0; input < inputs.length && !Vertices.stopsGradient(consumer); input++) {
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
   * layer. In a MultiLayerNetwork, whose real backward pass cannot be watched, all that lies
   * behind.
   */
  List<GraphVertex> sharedZone(List<GraphVertex> sharedLayers) {
    boolean[] behind = new boolean[vertices.length];
    sharedLayers.forEach(vertex -> behind[vertex.getVertexIndex()] = true);
    List<GraphVertex> zone = new ArrayList<>();
    for (GraphVertex vertex : verticesInForwardOrder()) {
      for (GraphVertex source : sources(vertex)) {
        behind[vertex.getVertexIndex()] |=
            behind[source.getVertexIndex()] && !Vertices.stopsGradient(vertex);
      }
      boolean apart =
          tasksThatTrain(vertex).cardinality() > 1 || Vertices.isIn(sharedLayers, vertex);
      if (behind[vertex.getVertexIndex()] && (apart || wholeChain)) {
        zone.add(0, vertex);
      }
    }
    return zone;
  }

  /** The vertices a vertex takes its inputs from, in the order of the inputs. */
  List<GraphVertex> sources(GraphVertex vertex) {
    return Arrays.stream(inputs(vertex)).map(input -> vertices[input.getVertexIndex()]).toList();
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
      own.or(tasksOf(vertex));
      if (!(byGradient && Vertices.stopsGradient(vertex))) {
        for (VertexIndices input : inputs(vertex)) {
          served[input.getVertexIndex()].or(own);
        }
      }
    }
    return served;
  }
}
