package org.gradnorm4j.core.analysis;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.internal.dl4j.NetworkTasks;
import org.gradnorm4j.core.internal.dl4j.OutputLoss;
import org.gradnorm4j.core.internal.dl4j.PenaltyTerm;
import org.gradnorm4j.core.internal.dl4j.RandomState;
import org.gradnorm4j.core.internal.dl4j.TaskGraph;
import org.gradnorm4j.core.internal.dl4j.TrainingStep;
import org.gradnorm4j.core.internal.dl4j.Vertices;
import org.gradnorm4j.core.internal.dl4j.WeightedLoss;
import org.gradnorm4j.core.internal.kernel.Blas;
import org.gradnorm4j.core.internal.loss.LossManners;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.WeightPenalty;
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

  private final AnalysedCopy copy;
  private final NetworkTasks tasks;
  private final TrainingStep step;
  private final List<Penalty> penalties = new ArrayList<>();
  private final List<String> names;
  private final List<Double> weights = new ArrayList<>();
  private final List<Parameter> parameters = new ArrayList<>();

  /** A part that is a function of the parameters alone: its gradient and value, by parameter. */
  private record Penalty(Map<Parameter, PenaltyTerm.Part> terms, Map<Parameter, Own> own) {}

  /** Regularization of DL4J's own of one kind, with its coefficient inside. */
  private record Own(AnalysedCopy copy, INDArray parameter, List<Regularization> all) {
    INDArray gradient() {
      INDArray gradient = parameter.like();
      all.forEach(each -> each.apply(parameter, gradient, 0.0, copy.iteration(), copy.epoch()));
      return gradient;
    }

    double value() {
      return all.stream()
          .mapToDouble(each -> each.score(parameter, copy.iteration(), copy.epoch()))
          .sum();
    }
  }

  private PartGradients(TaskGraph graph, AnalysedCopy copy) {
    this.copy = copy;
    this.tasks = graph.tasks();
    step = new TrainingStep(tasks.count());
    for (int output = 0; output < graph.losses().size(); output++) {
      OutputLoss loss = graph.losses().get(output);
      if (WeightedLoss.unwrap(loss.get()) instanceof CompositeLoss shared) {
        loss.set(copyOf(shared)); // copies of a network share its loss, and so the scores it notes
      }
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
      if (vertex.numParams() > 0 && !Vertices.isFrozen(vertex)) {
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

  private static CompositeLoss copyOf(CompositeLoss loss) {
    CompositeLoss.Builder copy = CompositeLoss.builder();
    for (int i = 0; i < loss.termNames().size(); i++) {
      copy.term(loss.termNames().get(i), loss.weights()[i], loss.loss(i));
    }
    return copy.build();
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
    for (Map.Entry<String, INDArray> entry : vertex.paramTable(false).entrySet()) {
      String key = entry.getKey();
      if (!vertex.updaterDivideByMinibatch(key)) { // a running statistic, not trained by gradient
        continue;
      }
      Parameter parameter = new Parameter(copy.prefix(vertex) + "_" + key, vertex.getVertexName());
      parameters.add(parameter);
      for (int i = 0; i < tasks.penalties().size(); i++) {
        for (PenaltyTerm.Part part : tasks.penalties().get(i).parts()) {
          if (part.vertex() == vertex && part.key().equals(key)) {
            penalties.get(i).terms().put(parameter, part);
          }
        }
      }
      for (Regularization each : Vertices.regularization(vertex, key)) {
        if (each.applyStep() == Regularization.ApplyStep.BEFORE_UPDATER
            && !(each instanceof WeightPenalty)) {
          own.computeIfAbsent(nameOf(each), name -> new LinkedHashMap<>())
              .computeIfAbsent(
                  parameter, name -> new Own(copy, entry.getValue(), new ArrayList<>()))
              .all()
              .add(each);
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

  static PartGradients of(MultiLayerNetwork network) {
    TaskGraph.of(network); // checks that it can be read, before it is copied
    MultiLayerNetwork copy = AnalysedCopy.copyOf(network);
    return new PartGradients(TaskGraph.of(copy), AnalysedCopy.of(copy));
  }

  static PartGradients of(ComputationGraph graph) {
    TaskGraph.of(graph);
    ComputationGraph copy = AnalysedCopy.copyOf(graph);
    return new PartGradients(TaskGraph.of(copy), AnalysedCopy.of(copy));
  }

  /** The parts: the tasks, as a probe has them, then DL4J's own L1 and L2 as one part each. */
  List<String> names() {
    return List.copyOf(names);
  }

  /** How many of the parts, counted from the first, are no penalties. */
  int lossParts() {
    return tasks.countOfOutputs();
  }

  /**
   * How far rounding may carry the cosine of two gradients from 0: √ε of the type they are computed
   * in. Half of all digits is far more than backward passes lose, and far less than matters.
   */
  double rounding() {
    return Math.sqrt(
        switch (copy.dataType()) {
          case DOUBLE -> Math.ulp(1.0);
          case FLOAT -> Math.ulp(1.0f);
          default -> 0x1p-10; // HALF: DL4J trains in no other
        });
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
    if (batch.getLabels() == null || batch.getLabels(0) == null) {
      throw new IllegalArgumentException("batch has no labels: the losses need them");
    }
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
        copy.computeGradient(copyOf(batch));
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

  /** A loss may write into the labels, a vertex of the user's into anything. */
  private static MultiDataSet copyOf(MultiDataSet batch) {
    return new org.nd4j.linalg.dataset.MultiDataSet(
        copyOf(batch.getFeatures()),
        copyOf(batch.getLabels()),
        copyOf(batch.getFeaturesMaskArrays()),
        copyOf(batch.getLabelsMaskArrays()));
  }

  private static INDArray[] copyOf(INDArray[] arrays) {
    return arrays == null
        ? null
        : Arrays.stream(arrays).map(LossManners::copy).toArray(INDArray[]::new);
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
}
