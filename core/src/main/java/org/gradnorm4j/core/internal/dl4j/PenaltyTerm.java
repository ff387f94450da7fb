package org.gradnorm4j.core.internal.dl4j;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Predicate;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.gradnorm4j.core.internal.kernel.Blas;
import org.gradnorm4j.core.internal.loss.ElasticNet;
import org.gradnorm4j.core.internal.loss.LossAccess;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.regularization.Regularization;

/** A {@link WeightPenalty} of a network, taken together over all parameters it acts on. */
public final class PenaltyTerm {

  /** One parameter array, and what is laid on it. */
  public record Part(GraphVertex vertex, String key, WeightPenalty penalty) {
    INDArray parameter() {
      return vertex.paramTable(false).get(key);
    }

    /** R of it, without λ_R. */
    double value() {
      return new ElasticNet(penalty.l1Ratio()).value(parameter());
    }

    /** λ_R = 1: ∂R/∂w. */
    public INDArray gradient() {
      INDArray gradient = parameter().like();
      new ElasticNet(penalty.l1Ratio()).addGradient(parameter(), gradient, 1.0);
      return gradient;
    }
  }

  private final List<Part> parts = new ArrayList<>();

  private PenaltyTerm() {}

  /**
   * The penalties of a network, by the order of its vertices.
   *
   * @throws IllegalArgumentException if a penalty has two weights, or meets DL4J's own or itself
   */
  static List<PenaltyTerm> of(List<GraphVertex> vertices) {
    Map<String, PenaltyTerm> byName = new LinkedHashMap<>();
    for (GraphVertex vertex : vertices) {
      if (vertex.numParams() == 0 || Vertices.isFrozen(vertex)) {
        continue;
      }
      for (String key : vertex.paramTable(false).keySet()) {
        List<Regularization> all = Vertices.regularization(vertex, key);
        for (Regularization regularization : all) {
          if (regularization instanceof WeightPenalty penalty) {
            checkAlone(vertex, penalty, all);
            byName
                .computeIfAbsent(penalty.name(), name -> new PenaltyTerm())
                .add(new Part(vertex, key, penalty));
          }
        }
      }
    }
    return List.copyOf(byName.values());
  }

  private static void checkAlone(
      GraphVertex vertex, WeightPenalty penalty, List<Regularization> all) {
    for (Regularization other : all) {
      if (!(other instanceof WeightPenalty second)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "layer '%s' has the penalty '%s' and %s, which would penalise its weights twice. Leave one of them out",
                vertex.getVertexName(),
                penalty.name(),
                other.getClass().getSimpleName()));
      }
      if (other != penalty && second.name().equals(penalty.name())) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "layer '%s' has two penalties of the name '%s'. Use two names, or one elasticNet",
                vertex.getVertexName(),
                penalty.name()));
      }
    }
  }

  private void add(Part part) {
    if (!parts.isEmpty() && part.penalty().weight() != weight()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "penalty '%s' has weight %s in one layer and %s in layer '%s'. Use one weight, or two names",
              name(),
              weight(),
              part.penalty().weight(),
              part.vertex().getVertexName()));
    }
    parts.add(part);
  }

  String name() {
    return parts.get(0).penalty().name();
  }

  /** λ_R as configured. */
  double weight() {
    return parts.get(0).penalty().weight();
  }

  public List<Part> parts() {
    return parts;
  }

  /** R(θ). */
  public double value() {
    return parts.stream().mapToDouble(Part::value).sum();
  }

  /** ‖∂R/∂w‖² over some of the parameters. */
  double squaredNorm(Predicate<Part> selection) {
    double squared = 0.0;
    for (Part part : parts) {
      if (selection.test(part)) {
        INDArray gradient = part.gradient();
        squared += Blas.INSTANCE.dot(gradient, gradient);
      }
    }
    return squared;
  }

  /**
   * Takes the weight of every following update from here; null for the configured one. The network
   * gets penalties of its own for it: another may be configured with the same object.
   */
  void drive(DoubleSupplier lossWeight) {
    parts.forEach(part -> drive(part.vertex().getConfig(), lossWeight));
  }

  private void drive(Object configuration, DoubleSupplier lossWeight) {
    if (configuration instanceof BaseWrapperLayer wrapper) {
      drive(wrapper.getUnderlying(), lossWeight);
    } else if (configuration instanceof Bidirectional both) {
      drive(both.getFwd(), lossWeight);
      drive(both.getBwd(), lossWeight);
    } else if (configuration instanceof BaseLayer layer) {
      drive(layer.getRegularization(), layer::setRegularization, lossWeight);
      drive(layer.getRegularizationBias(), layer::setRegularizationBias, lossWeight);
    } else if (configuration instanceof AbstractSameDiffLayer layer) {
      drive(layer.getRegularization(), layer::setRegularization, lossWeight);
      drive(layer.getRegularizationBias(), layer::setRegularizationBias, lossWeight);
    } else if (configuration instanceof SameDiffVertex vertex) {
      drive(vertex.getRegularization(), vertex::setRegularization, lossWeight);
      drive(vertex.getRegularizationBias(), vertex::setRegularizationBias, lossWeight);
    }
  }

  private void drive(
      List<Regularization> all, Consumer<List<Regularization>> setter, DoubleSupplier lossWeight) {
    if (all == null) {
      return;
    }
    List<Regularization> own = new ArrayList<>(all);
    own.replaceAll(
        each ->
            each instanceof WeightPenalty penalty && penalty.name().equals(name())
                ? LossAccess.driven(penalty, lossWeight)
                : each);
    setter.accept(own);
  }
}
