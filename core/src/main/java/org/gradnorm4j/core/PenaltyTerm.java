package org.gradnorm4j.core;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.Predicate;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.regularization.Regularization;

/** A {@link WeightPenalty} of a network, taken together over all parameters it acts on. */
final class PenaltyTerm {

  /** One parameter array, as its layer keeps it, and what is laid on it. */
  record Part(Layer layer, String key, WeightPenalty penalty) {
    INDArray parameter() {
      return layer.getParam(key);
    }

    /** λ_R = 1: ∂R/∂w. */
    INDArray gradient() {
      INDArray gradient = parameter().like();
      penalty.addGradient(parameter(), gradient, 1.0);
      return gradient;
    }
  }

  private final List<Part> parts = new ArrayList<>();

  private PenaltyTerm() {}

  /**
   * The penalties of a network, by the order of its layers.
   *
   * @throws IllegalArgumentException if a penalty has two weights, or meets DL4J's own
   */
  static List<PenaltyTerm> of(List<Layer> layers) {
    Map<String, PenaltyTerm> byName = new LinkedHashMap<>();
    for (Layer layer : layers) {
      if (layer.numParams() == 0
          || layer instanceof FrozenLayer
          || layer instanceof FrozenLayerWithBackprop) {
        continue;
      }
      for (String key : layer.paramTable().keySet()) {
        List<Regularization> all = layer.conf().getLayer().getRegularizationByParam(key);
        for (Regularization regularization : all == null ? List.<Regularization>of() : all) {
          if (regularization instanceof WeightPenalty penalty) {
            checkAlone(layer, penalty, all);
            byName
                .computeIfAbsent(penalty.name(), name -> new PenaltyTerm())
                .add(new Part(layer, key, penalty));
          }
        }
      }
    }
    return List.copyOf(byName.values());
  }

  private static void checkAlone(Layer layer, WeightPenalty penalty, List<Regularization> all) {
    for (Regularization other : all) {
      if (!(other instanceof WeightPenalty)) {
        throw new IllegalArgumentException(
            "layer '%s' has the penalty '%s' and %s, which would penalise its weights twice. Leave one of them out"
                .formatted(
                    layer.conf().getLayer().getLayerName(),
                    penalty.name(),
                    other.getClass().getSimpleName()));
      }
    }
  }

  private void add(Part part) {
    if (!parts.isEmpty() && part.penalty().weight() != weight()) {
      throw new IllegalArgumentException(
          "penalty '%s' has weight %s in one layer and %s in layer '%s'. Use one weight, or two names"
              .formatted(
                  name(),
                  weight(),
                  part.penalty().weight(),
                  part.layer().conf().getLayer().getLayerName()));
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

  List<Part> parts() {
    return parts;
  }

  /** R(θ). */
  double value() {
    return parts.stream().mapToDouble(part -> part.penalty().penalty(part.parameter())).sum();
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

  /** See {@link WeightPenalty#drive}. */
  void drive(DoubleSupplier lossWeight) {
    parts.forEach(part -> part.penalty().drive(lossWeight));
  }
}
