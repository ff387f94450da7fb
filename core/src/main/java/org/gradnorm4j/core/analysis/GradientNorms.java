package org.gradnorm4j.core.analysis;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.internal.loss.LossTerm;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Analyses, without training, the gradient of every part of a network's loss
 *
 * <pre>
 *   L(θ) = Σ_i λ_i L_i(θ),      ‖∇_θ L_i‖ = √ Σ_j (∂L_i/∂θ_j)²
 * </pre>
 *
 * over all parameters, over each layer, and over any selection: which part dominates the update,
 * which parts are in conflict. Parts are the network's outputs, the terms of a {@link
 * CompositeLoss}, each {@link WeightPenalty}, and Deeplearning4j's own {@code l1} and {@code l2}
 * ({@code weightDecay} acts past the gradient and is none).
 *
 * <pre>{@code
 * GradientAnalysis analysis = GradientNorms.analyze(net, batch);
 * System.out.println(analysis);
 * }</pre>
 *
 * <p>The gradients are those a training step on the batch would compute: dropout is active, with
 * the random numbers that step would draw and the same for every part, and batch normalization uses
 * the batch's statistics. They are exact, at one forward and one backward pass per part. Series are
 * backpropagated to their beginning, also where training truncates.
 *
 * <p>The network is only read: parameters, updater, counters, listeners, running statistics, masks
 * and ND4J's random numbers stay as they are. The passes run on a copy. A network may be attached
 * to a probe; its parts count with the weights as configured, unless {@link #lossWeights} says
 * otherwise.
 *
 * <p>Not modified by {@code analyze}, and usable again; not for several threads at once.
 */
public final class GradientNorms {
  private static final double DOMINANT_SHARE = 0.75;

  private final Supplier<PartGradients> network;
  private final Map<String, Predicate<String>> selections = new LinkedHashMap<>();
  private Map<String, Double> lossWeights = Map.of();
  private double dominance = DOMINANT_SHARE;

  private GradientNorms(Supplier<PartGradients> network) {
    this.network = network;
  }

  /**
   * Analyses a network, with options.
   *
   * @param network initialised; not modified
   * @return an analysis to be configured, and started by {@code analyze}
   */
  public static GradientNorms of(MultiLayerNetwork network) {
    Objects.requireNonNull(network, "network");
    return new GradientNorms(() -> PartGradients.of(network));
  }

  /**
   * Analyses a graph, with options.
   *
   * @param graph initialised; not modified
   * @return as {@link #of(MultiLayerNetwork)}
   */
  public static GradientNorms of(ComputationGraph graph) {
    Objects.requireNonNull(graph, "graph");
    return new GradientNorms(() -> PartGradients.of(graph));
  }

  /**
   * {@code of(network).analyze(batch)}.
   *
   * @param network initialised; not modified
   * @param batch one minibatch; not modified
   * @return what it showed
   * @throws IllegalArgumentException if the network's loss cannot be taken apart
   */
  public static GradientAnalysis analyze(MultiLayerNetwork network, DataSet batch) {
    return of(network).analyze(batch);
  }

  /**
   * {@code of(network).analyze(batches)}.
   *
   * @param network initialised; not modified
   * @param batches reset before and after, if it can be
   * @return mean and deviation over the batches
   * @throws IllegalArgumentException if the network's loss cannot be taken apart, or there is no
   *     batch
   */
  public static GradientAnalysis analyze(MultiLayerNetwork network, DataSetIterator batches) {
    return of(network).analyze(batches);
  }

  /**
   * {@code of(graph).analyze(batch)}.
   *
   * @param graph initialised; not modified
   * @param batch one minibatch; not modified
   * @return what it showed
   * @throws IllegalArgumentException if the graph's loss cannot be taken apart
   */
  public static GradientAnalysis analyze(ComputationGraph graph, MultiDataSet batch) {
    return of(graph).analyze(batch);
  }

  /**
   * {@code of(graph).analyze(batch)}, of a graph with one input and one output.
   *
   * @param graph initialised; not modified
   * @param batch one minibatch; not modified
   * @return what it showed
   * @throws IllegalArgumentException if the graph's loss cannot be taken apart
   */
  public static GradientAnalysis analyze(ComputationGraph graph, DataSet batch) {
    return of(graph).analyze(batch);
  }

  /**
   * {@code of(graph).analyze(batches)}, of a graph with one input and one output.
   *
   * @param graph initialised; not modified
   * @param batches reset before and after, if it can be
   * @return mean and deviation over the batches
   * @throws IllegalArgumentException if the graph's loss cannot be taken apart, or there is no
   *     batch
   */
  public static GradientAnalysis analyze(ComputationGraph graph, DataSetIterator batches) {
    return of(graph).analyze(batches);
  }

  /**
   * {@code of(graph).analyze(batches)}.
   *
   * @param graph initialised; not modified
   * @param batches reset before and after, if it can be
   * @return mean and deviation over the batches
   * @throws IllegalArgumentException if the graph's loss cannot be taken apart, or there is no
   *     batch
   */
  public static GradientAnalysis analyze(ComputationGraph graph, MultiDataSetIterator batches) {
    return of(graph).analyze(batches);
  }

  /**
   * Adds a selection of parameters to what is analysed.
   *
   * @param name of the selection, in the result
   * @param parameters true for the names, as in the network's {@code paramTable()}, that belong to
   *     it: {@code "fc_W"}; in a MultiLayerNetwork {@code "0_W"}
   * @return this
   */
  public GradientNorms select(String name, Predicate<String> parameters) {
    selections.put(name, Objects.requireNonNull(parameters, "parameters"));
    return this;
  }

  /**
   * Replaces weights of parts, such as by those of a {@code GradNorm} in training.
   *
   * @param lossWeights &lambda;<sub>i</sub> by part name, finite and &ge; 0; copied. A part that is
   *     not named keeps the weight as configured
   * @return this
   * @throws IllegalArgumentException if a weight is negative, infinite or NaN; names the part
   */
  public GradientNorms lossWeights(Map<String, Double> lossWeights) {
    lossWeights.forEach((name, weight) -> LossTerm.checkedWeight("part", name, weight));
    this.lossWeights = Map.copyOf(lossWeights);
    return this;
  }

  /**
   * The share of the update above which a part is said to dominate. Default: 0.75.
   *
   * @param share from 0 to 1
   * @return this
   * @throws IllegalArgumentException if out of range
   */
  public GradientNorms dominance(double share) {
    if (!(share >= 0.0 && share <= 1.0)) {
      throw new IllegalArgumentException("dominance (" + share + ") must be from 0 to 1");
    }
    dominance = share;
    return this;
  }

  /**
   * Analyses one minibatch.
   *
   * @param batch not modified
   * @return what it showed
   * @throws IllegalArgumentException if the network's loss cannot be taken apart, or a weight is
   *     for a part that is not there
   */
  public GradientAnalysis analyze(DataSet batch) {
    return analyze(batch.toMultiDataSet());
  }

  /**
   * Analyses one minibatch.
   *
   * @param batch not modified
   * @return what it showed
   * @throws IllegalArgumentException as for {@link #analyze(DataSet)}
   */
  public GradientAnalysis analyze(MultiDataSet batch) {
    return analyze(List.of(batch).iterator());
  }

  /**
   * Analyses all minibatches of an iterator.
   *
   * @param batches reset before and after, if it can be
   * @return mean and deviation over the batches
   * @throws IllegalArgumentException as for {@link #analyze(DataSet)}, or if there is no batch
   */
  public GradientAnalysis analyze(DataSetIterator batches) {
    Runnable reset = batches.resetSupported() ? batches::reset : () -> {};
    return analyze(
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return batches.hasNext();
          }

          @Override
          public MultiDataSet next() {
            return batches.next().toMultiDataSet();
          }
        },
        reset);
  }

  /**
   * Analyses all minibatches of an iterator.
   *
   * @param batches reset before and after, if it can be
   * @return mean and deviation over the batches
   * @throws IllegalArgumentException as for {@link #analyze(DataSetIterator)}
   */
  public GradientAnalysis analyze(MultiDataSetIterator batches) {
    return analyze(batches, batches.resetSupported() ? batches::reset : () -> {});
  }

  private GradientAnalysis analyze(Iterator<MultiDataSet> batches, Runnable reset) {
    reset.run();
    try {
      return analyze(batches);
    } finally {
      reset.run();
    }
  }

  private GradientAnalysis analyze(Iterator<MultiDataSet> batches) {
    PartGradients gradients = network.get();
    AnalysisStatistics statistics =
        new AnalysisStatistics(
            gradients.names(),
            gradients.lossParts(),
            weights(gradients),
            groups(gradients.parameters()));
    while (batches.hasNext()) {
      statistics.add(gradients.measure(batches.next()));
    }
    return statistics.result(dominance, gradients.rounding());
  }

  private double[] weights(PartGradients gradients) {
    double[] weights = gradients.weights();
    lossWeights.forEach(
        (name, weight) -> {
          int part = gradients.names().indexOf(name);
          if (part < 0) {
            throw new IllegalArgumentException(
                String.format(
                    Locale.ROOT,
                    "lossWeights has a weight for '%s', which is no part of this network's loss %s",
                    name,
                    gradients.names()));
          }
          weights[part] = weight;
        });
    return weights;
  }

  /** All parameters, each layer, each selection. */
  private Map<String, Predicate<PartGradients.Parameter>> groups(
      List<PartGradients.Parameter> parameters) {
    Map<String, Predicate<PartGradients.Parameter>> groups = new LinkedHashMap<>();
    groups.put(GradientAnalysis.ALL, parameter -> true);
    for (PartGradients.Parameter parameter : parameters) {
      groups.put(parameter.layer(), other -> other.layer().equals(parameter.layer()));
    }
    selections.forEach(
        (name, selection) -> {
          if (parameters.stream().noneMatch(parameter -> selection.test(parameter.name()))) {
            throw new IllegalArgumentException(
                String.format(
                    Locale.ROOT,
                    "selection '%s' takes none of the parameters %s",
                    name,
                    parameters.stream().map(PartGradients.Parameter::name).toList()));
          }
          if (groups.containsKey(name)) {
            throw new IllegalArgumentException(
                "selection '" + name + "' has the name of a layer. Use another");
          }
          groups.put(name, parameter -> selection.test(parameter.name()));
        });
    return groups;
  }
}
