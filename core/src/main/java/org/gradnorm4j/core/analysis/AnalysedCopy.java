package org.gradnorm4j.core.analysis;

import java.util.Locale;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.internal.dl4j.RandomState;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * The copy of a network on which gradients are taken: what the two kinds of network do differently.
 */
interface AnalysedCopy {

  /** Series are backpropagated to their beginning; ND4J's random numbers stay as they are. */
  static MultiLayerNetwork copyOf(MultiLayerNetwork network) {
    RandomState random = RandomState.current();
    MultiLayerConfiguration configuration = network.getLayerWiseConfigurations().clone();
    configuration.setBackpropType(BackpropType.Standard);
    MultiLayerNetwork copy = new MultiLayerNetwork(configuration);
    copy.init(network.params().dup(), false);
    copy.setIterationCount(network.getIterationCount());
    copy.setEpochCount(network.getEpochCount());
    random.restore();
    return copy;
  }

  /** As above. */
  static ComputationGraph copyOf(ComputationGraph graph) {
    RandomState random = RandomState.current();
    ComputationGraphConfiguration configuration = graph.getConfiguration().clone();
    configuration.setBackpropType(BackpropType.Standard);
    ComputationGraph copy = new ComputationGraph(configuration);
    copy.init(graph.params().dup(), false);
    configuration.setIterationCount(graph.getConfiguration().getIterationCount());
    configuration.setEpochCount(graph.getConfiguration().getEpochCount());
    random.restore();
    return copy;
  }

  static AnalysedCopy of(MultiLayerNetwork copy) {
    return new NetworkCopy(copy);
  }

  static AnalysedCopy of(ComputationGraph copy) {
    return new GraphCopy(copy);
  }

  void computeGradient(MultiDataSet batch);

  Gradient gradient();

  DataType dataType();

  int batchSize();

  boolean isMiniBatch();

  int iteration();

  int epoch();

  /** What DL4J puts before a layer's parameter names. */
  String prefix(GraphVertex vertex);

  record NetworkCopy(MultiLayerNetwork network) implements AnalysedCopy {
    @Override
    public void computeGradient(MultiDataSet batch) {
      if (batch.numFeatureArrays() != 1 || batch.numLabelsArrays() != 1) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "batch (%d feature and %d label arrays) must have one of each for a MultiLayerNetwork",
                batch.numFeatureArrays(),
                batch.numLabelsArrays()));
      }
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
    public DataType dataType() {
      return network.params().dataType();
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
    public int iteration() {
      return network.getIterationCount();
    }

    @Override
    public int epoch() {
      return network.getEpochCount();
    }

    @Override
    public String prefix(GraphVertex vertex) {
      return String.valueOf(vertex.getVertexIndex());
    }
  }

  record GraphCopy(ComputationGraph graph) implements AnalysedCopy {
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
    public DataType dataType() {
      return graph.params().dataType();
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
    public int iteration() {
      return graph.getConfiguration().getIterationCount();
    }

    @Override
    public int epoch() {
      return graph.getConfiguration().getEpochCount();
    }

    @Override
    public String prefix(GraphVertex vertex) {
      return vertex.getVertexName();
    }
  }
}
