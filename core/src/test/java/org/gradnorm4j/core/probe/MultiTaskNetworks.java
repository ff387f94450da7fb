package org.gradnorm4j.core.probe;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Small multi-task networks for tests, and the oracle: the same network with one of the heads only,
 * trained by plain DL4J.
 */
public final class MultiTaskNetworks {
  static final int INPUTS = 7;
  static final int OUTPUTS = 3;

  /** What varies between tests; the trunk ends in the layer "shared". */
  public record Spec(
      int tasks,
      int headLayers,
      WorkspaceMode workspaces,
      DataType dataType,
      IUpdater updater,
      BiConsumer<GraphBuilder, NeuralNetConfiguration.Builder> trunk) {

    public static Spec dense(int tasks, int headLayers, WorkspaceMode workspaces) {
      return new Spec(
          tasks,
          headLayers,
          workspaces,
          DataType.DOUBLE,
          new Adam(0.01),
          denseTrunk(Activation.TANH));
    }

    static Spec of(BiConsumer<GraphBuilder, NeuralNetConfiguration.Builder> trunk) {
      return new Spec(2, 1, WorkspaceMode.ENABLED, DataType.DOUBLE, new Adam(0.01), trunk);
    }
  }

  public static BiConsumer<GraphBuilder, NeuralNetConfiguration.Builder> denseTrunk(
      Activation shared) {
    return (graph, net) ->
        graph
            .addLayer(
                "below",
                new DenseLayer.Builder().nIn(INPUTS).nOut(6).activation(Activation.TANH).build(),
                "in")
            .addLayer(
                "shared",
                new DenseLayer.Builder().nIn(6).nOut(5).activation(shared).build(),
                "below");
  }

  private MultiTaskNetworks() {}

  static String taskName(int task) {
    return "task" + task;
  }

  public static ComputationGraph network(Spec spec) {
    return network(spec, allTasks(spec));
  }

  /** The network with these heads only; its parameters are random. */
  public static ComputationGraph network(Spec spec, List<Integer> tasks) {
    ComputationGraph graph = new ComputationGraph(configuration(spec, tasks));
    graph.init();
    return graph;
  }

  static ComputationGraphConfiguration configuration(Spec spec) {
    return configuration(spec, allTasks(spec));
  }

  private static ComputationGraphConfiguration configuration(Spec spec, List<Integer> tasks) {
    NeuralNetConfiguration.Builder net =
        new NeuralNetConfiguration.Builder()
            .seed(5)
            .dataType(spec.dataType())
            .updater(spec.updater())
            .trainingWorkspaceMode(spec.workspaces())
            .inferenceWorkspaceMode(spec.workspaces());
    GraphBuilder graph = net.graphBuilder().addInputs("in");
    spec.trunk().accept(graph, net);
    for (int task : tasks) {
      addHead(graph, task, spec.headLayers());
    }
    graph.setOutputs(tasks.stream().map(MultiTaskNetworks::taskName).toArray(String[]::new));
    return graph.build();
  }

  /** Regression and classification heads in turn. */
  private static void addHead(GraphBuilder graph, int task, int layers) {
    String below = "shared";
    int width = 5;
    for (int layer = 1; layer < layers; layer++) {
      String name = taskName(task) + "-hidden" + layer;
      graph.addLayer(
          name,
          new DenseLayer.Builder().nIn(width).nOut(4).activation(Activation.SIGMOID).build(),
          below);
      below = name;
      width = 4;
    }
    boolean classify = task % 2 == 1;
    graph.addLayer(
        taskName(task),
        new OutputLayer.Builder(classify ? LossFunction.MCXENT : LossFunction.MSE)
            .nIn(width)
            .nOut(OUTPUTS)
            .activation(classify ? Activation.SOFTMAX : Activation.IDENTITY)
            .build(),
        below);
  }

  private static List<Integer> allTasks(Spec spec) {
    List<Integer> tasks = new ArrayList<>();
    for (int task = 0; task < spec.tasks(); task++) {
      tasks.add(task);
    }
    return tasks;
  }

  /**
   * Random inputs, the same for the same seed > 0 (ND4J takes 0 for "any"); labels are one-hot rows
   * for classification, unequally scaled otherwise.
   */
  public static MultiDataSet batch(Spec spec, int size, long seed) {
    Nd4j.getRandom().setSeed(seed);
    INDArray[] labels = new INDArray[spec.tasks()];
    for (int task = 0; task < labels.length; task++) {
      labels[task] = Nd4j.zeros(spec.dataType(), size, OUTPUTS);
      if (task % 2 == 1) {
        for (int row = 0; row < size; row++) {
          labels[task].putScalar(row, (row + task) % OUTPUTS, 1.0);
        }
      } else {
        labels[task].assign(Nd4j.randn(spec.dataType(), size, OUTPUTS)).muli(1 + 10 * task);
      }
    }
    INDArray features = Nd4j.randn(spec.dataType(), size, INPUTS);
    return new MultiDataSet(new INDArray[] {features}, labels);
  }

  public static MultiDataSet onlyTask(MultiDataSet batch, int task) {
    return new MultiDataSet(batch.getFeatures(), new INDArray[] {batch.getLabels()[task]});
  }

  /**
   * The oracle: loss and gradients of every task alone, by plain DL4J, at the parameters of the
   * given network. Means over the minibatch.
   */
  static List<TaskGradient> oneTaskAtATime(Spec spec, ComputationGraph graph, MultiDataSet batch) {
    List<TaskGradient> result = new ArrayList<>();
    int size = (int) batch.getFeatures()[0].size(0);
    for (int task = 0; task < spec.tasks(); task++) {
      ComputationGraph alone = network(spec, List.of(task));
      alone.paramTable().forEach((name, value) -> value.assign(graph.getParam(name)));
      MultiDataSet own = onlyTask(batch, task);
      alone.setInputs(own.getFeatures());
      alone.setLabels(own.getLabels());
      alone.computeGradientAndScore();
      Map<String, INDArray> gradients = new LinkedHashMap<>();
      alone
          .gradient()
          .gradientForVariable()
          .forEach((name, value) -> gradients.put(name, value.div(size)));
      result.add(new TaskGradient(alone.score(), gradients));
    }
    return result;
  }

  /** One task's loss and gradients by parameter name. */
  record TaskGradient(double loss, Map<String, INDArray> gradients) {
    double norm(String... parameters) {
      double squared = 0.0;
      for (String parameter : parameters) {
        double[] values = gradients.get(parameter).dup().data().asDouble();
        for (double value : values) {
          squared += value * value;
        }
      }
      return Math.sqrt(squared);
    }
  }
}
