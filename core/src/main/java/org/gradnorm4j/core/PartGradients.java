package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.learning.regularization.L1Regularization;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * The gradient of every part of a network's loss over all its parameters: one forward and backward
 * pass per part on a copy of the network, with the losses of the other parts left out and the same
 * random numbers for each. The network itself is only read.
 */
final class PartGradients {

  /** A parameter array that is trained. */
  record Parameter(String name, String layer) {}

  /**
   * What one batch showed.
   *
   * @param losses of each part, without its weight
   * @param products by parameter, the inner products of the parts' gradients
   */
  record Batch(double[] losses, Map<Parameter, double[][]> products) {}

  /** What the two kinds of network do differently. */
  private interface Copy {
    void computeGradient(MultiDataSet batch);

    Gradient gradient();

    int batchSize();

    boolean isMiniBatch();

    /** What DL4J puts before a layer's parameter names. */
    String prefix(GraphVertex vertex);
  }

  private final Copy copy;
  private final Tasks tasks;
  private final TrainingStep step;
  private final List<Penalty> penalties = new ArrayList<>();
  private final List<String> names;
  private final List<Double> weights = new ArrayList<>();
  private final List<Parameter> parameters = new ArrayList<>();

  /** A part that is a function of the parameters alone: its gradient and value, by parameter. */
  private record Penalty(Map<Parameter, PenaltyTerm.Part> terms, Map<Parameter, Own> own) {}

  /** A regularization of DL4J's own, with its coefficient inside. */
  private record Own(Layer layer, String key, Regularization regularization) {
    INDArray gradient() {
      INDArray parameter = layer.getParam(key);
      INDArray gradient = parameter.like();
      regularization.apply(
          parameter, gradient, 0.0, layer.getIterationCount(), layer.getEpochCount());
      return gradient;
    }

    double value() {
      return regularization.score(
          layer.getParam(key), layer.getIterationCount(), layer.getEpochCount());
    }
  }

  private PartGradients(TaskGraph graph, Copy copy) {
    this.copy = copy;
    this.tasks = graph.tasks();
    step = new TrainingStep(tasks.count());
    for (int output = 0; output < graph.losses().size(); output++) {
      OutputLoss loss = graph.losses().get(output);
      BitSet own = tasks.of(output);
      loss.set(new WeightedLoss(loss, own, step, ofTheCopy(step)));
    }
    names = new ArrayList<>(tasks.names());
    for (double weight : tasks.weights()) {
      weights.add(weight);
    }
    tasks.penalties().forEach(term -> penalties.add(new Penalty(new LinkedHashMap<>(), Map.of())));
    Map<String, Map<Parameter, Own>> own = new LinkedHashMap<>();
    for (GraphVertex vertex : graph.verticesInForwardOrder()) {
      if (vertex.hasLayer() && vertex.getLayer().numParams() > 0 && !TaskGraph.isFrozen(vertex)) {
        readParameters(vertex, own);
      }
    }
    own.forEach(
        (name, terms) -> {
          names.add(name);
          weights.add(1.0);
          penalties.add(new Penalty(Map.of(), terms));
        });
  }

  /** The copy is nobody else's: every call is its own. */
  private static WeightedLoss.Calls ofTheCopy(TrainingStep step) {
    return new WeightedLoss.Calls() {
      @Override
      public boolean isOwnGradient(INDArray labels) {
        return step.isOpen();
      }

      @Override
      public boolean isOwnScore(INDArray labels) {
        return step.isOpen();
      }
    };
  }

  private void readParameters(GraphVertex vertex, Map<String, Map<Parameter, Own>> own) {
    Layer layer = vertex.getLayer();
    for (String key : layer.paramTable().keySet()) {
      if (isStatistic(layer, key)) {
        continue;
      }
      Parameter parameter = new Parameter(copy.prefix(vertex) + "_" + key, vertex.getVertexName());
      parameters.add(parameter);
      for (int i = 0; i < tasks.penalties().size(); i++) {
        for (PenaltyTerm.Part part : tasks.penalties().get(i).parts()) {
          if (part.layer() == layer && part.key().equals(key)) {
            penalties.get(i).terms().put(parameter, part);
          }
        }
      }
      List<Regularization> all = layer.conf().getLayer().getRegularizationByParam(key);
      for (Regularization each : all == null ? List.<Regularization>of() : all) {
        if (each.applyStep() == Regularization.ApplyStep.BEFORE_UPDATER
            && !(each instanceof WeightPenalty)) {
          own.computeIfAbsent(nameOf(each), name -> new LinkedHashMap<>())
              .put(parameter, new Own(layer, key, each));
        }
      }
    }
  }

  private static String nameOf(Regularization regularization) {
    if (regularization instanceof L1Regularization) {
      return "DL4J l1";
    }
    return regularization instanceof L2Regularization
        ? "DL4J l2"
        : regularization.getClass().getSimpleName();
  }

  /** Running statistics travel among the parameters, but are not trained by a gradient. */
  private static boolean isStatistic(Layer layer, String key) {
    return layer.conf().getLayer() instanceof BatchNormalization
        && (key.equals(BatchNormalizationParamInitializer.GLOBAL_MEAN)
            || key.equals(BatchNormalizationParamInitializer.GLOBAL_VAR)
            || key.equals(BatchNormalizationParamInitializer.GLOBAL_LOG_STD));
  }

  static PartGradients of(MultiLayerNetwork network) {
    RandomState random = RandomState.current();
    TaskGraph.of(network); // checks that it can be read, before it is copied
    MultiLayerConfiguration configuration = network.getLayerWiseConfigurations().clone();
    configuration.setBackpropType(BackpropType.Standard);
    MultiLayerNetwork copy = new MultiLayerNetwork(configuration);
    copy.init(network.params().dup(), false);
    copy.setIterationCount(network.getIterationCount());
    copy.setEpochCount(network.getEpochCount());
    random.restore();
    return new PartGradients(TaskGraph.of(copy), new NetworkCopy(copy));
  }

  static PartGradients of(ComputationGraph graph) {
    RandomState random = RandomState.current();
    TaskGraph.of(graph);
    ComputationGraphConfiguration configuration = graph.getConfiguration().clone();
    configuration.setBackpropType(BackpropType.Standard);
    ComputationGraph copy = new ComputationGraph(configuration);
    copy.init(graph.params().dup(), false);
    configuration.setIterationCount(graph.getConfiguration().getIterationCount());
    configuration.setEpochCount(graph.getConfiguration().getEpochCount());
    random.restore();
    return new PartGradients(TaskGraph.of(copy), new GraphCopy(copy));
  }

  /** The parts: the tasks, as a probe has them, then DL4J's own L1 and L2 as one part each. */
  List<String> names() {
    return List.copyOf(names);
  }

  /** λ_i as configured; 1 where DL4J has the coefficient inside. */
  double[] weights() {
    return weights.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** All that is trained, in the order of the layers. */
  List<Parameter> parameters() {
    return parameters;
  }

  /** Measures one batch; ND4J's random numbers are left as they were found. */
  Batch measure(MultiDataSet batch) {
    RandomState random = RandomState.current();
    double[] ones = new double[tasks.count()];
    Arrays.fill(ones, 1.0);
    List<Map<Parameter, INDArray>> gradients = new ArrayList<>();
    double[] losses = new double[names.size()];
    try {
      for (int task = 0; task < tasks.countOfOutputs(); task++) {
        step.open(ones, false);
        step.replayOnly(task);
        random.restore();
        copy.computeGradient(batch);
        double divisor = copy.isMiniBatch() ? copy.batchSize() : 1.0;
        losses[task] = step.losses(divisor)[task];
        gradients.add(gradients(divisor));
      }
    } finally {
      step.close();
      random.restore();
    }
    for (Penalty penalty : penalties) {
      int part = gradients.size();
      Map<Parameter, INDArray> gradient = new LinkedHashMap<>();
      penalty.terms().forEach((name, term) -> gradient.put(name, asDouble(term.gradient())));
      penalty.own().forEach((name, own) -> gradient.put(name, asDouble(own.gradient())));
      losses[part] =
          part < tasks.count()
              ? tasks.penalties().get(part - tasks.countOfOutputs()).value()
              : penalty.own().values().stream().mapToDouble(Own::value).sum();
      gradients.add(gradient);
    }
    return new Batch(losses, products(gradients));
  }

  /** Copies of the copy's gradient arrays, as means over the minibatch. */
  private Map<Parameter, INDArray> gradients(double divisor) {
    Map<Parameter, INDArray> gradients = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      INDArray gradient = copy.gradient().getGradientFor(parameter.name());
      if (gradient != null) { // a layer below a frozen one has none
        gradients.put(parameter, asDouble(gradient).divi(divisor));
      }
    }
    return gradients;
  }

  private static INDArray asDouble(INDArray gradient) {
    return gradient.dataType() == DataType.DOUBLE
        ? gradient.dup()
        : gradient.castTo(DataType.DOUBLE);
  }

  private Map<Parameter, double[][]> products(List<Map<Parameter, INDArray>> gradients) {
    Map<Parameter, double[][]> products = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      double[][] of = new double[gradients.size()][gradients.size()];
      for (int i = 0; i < of.length; i++) {
        for (int j = 0; j <= i; j++) {
          INDArray a = gradients.get(i).get(parameter);
          INDArray b = gradients.get(j).get(parameter);
          of[i][j] = a == null || b == null ? 0.0 : product(a, b);
          of[j][i] = of[i][j];
        }
      }
      products.put(parameter, of);
    }
    return products;
  }

  /** ⟨a, b⟩; the two may be laid out differently. */
  private static double product(INDArray a, INDArray b) {
    INDArray same = a.ordering() == b.ordering() ? b : b.dup(a.ordering());
    return Blas.INSTANCE.dot(a, same);
  }

  private record NetworkCopy(MultiLayerNetwork network) implements Copy {
    @Override
    public void computeGradient(MultiDataSet batch) {
      network.setInput(batch.getFeatures(0));
      network.setLabels(batch.getLabels(0));
      network.setLayerMaskArrays(batch.getFeaturesMaskArray(0), batch.getLabelsMaskArray(0));
      network.computeGradientAndScore();
      network.clearLayerMaskArrays();
    }

    @Override
    public Gradient gradient() {
      return network.gradient();
    }

    @Override
    public int batchSize() {
      return network.batchSize();
    }

    @Override
    public boolean isMiniBatch() {
      return network.conf().isMiniBatch();
    }

    @Override
    public String prefix(GraphVertex vertex) {
      return String.valueOf(vertex.getVertexIndex());
    }
  }

  private record GraphCopy(ComputationGraph graph) implements Copy {
    @Override
    public void computeGradient(MultiDataSet batch) {
      graph.setInputs(batch.getFeatures());
      graph.setLabels(batch.getLabels());
      graph.setLayerMaskArrays(batch.getFeaturesMaskArrays(), batch.getLabelsMaskArrays());
      graph.computeGradientAndScore();
      graph.clearLayerMaskArrays();
    }

    @Override
    public Gradient gradient() {
      return graph.gradient();
    }

    @Override
    public int batchSize() {
      return graph.batchSize();
    }

    @Override
    public boolean isMiniBatch() {
      return graph.conf().isMiniBatch();
    }

    @Override
    public String prefix(GraphVertex vertex) {
      return vertex.getVertexName();
    }
  }
}
