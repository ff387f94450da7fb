package org.gradnorm4j.examples;

import java.util.List;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.WeightPenalty;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** A classifier with one hidden layer, on cross-entropy and an L2 penalty on all its weights. */
final class CompositeNetwork {
  static final String CROSS_ENTROPY = "cross-entropy";
  static final String PENALTY = "L2";
  static final String OUTPUT = "output";
  private static final int HIDDEN = 100;

  private CompositeNetwork() {}

  static MultiLayerConfiguration configuration(long seed, double learningRate, double l2) {
    return new NeuralNetConfiguration.Builder()
        .seed(seed)
        .dataType(DataType.FLOAT)
        .updater(new Adam(learningRate))
        .weightInit(WeightInit.XAVIER)
        .regularization(List.of(WeightPenalty.l2(PENALTY, l2)))
        .list()
        .layer(
            new DenseLayer.Builder()
                .name("hidden")
                .nIn(Digits.SIDE * Digits.SIDE)
                .nOut(HIDDEN)
                .activation(Activation.RELU)
                .build())
        .layer(
            new OutputLayer.Builder(
                    CompositeLoss.builder().term(CROSS_ENTROPY, 1.0, new LossMCXENT()).build())
                .name(OUTPUT)
                .nIn(HIDDEN)
                .nOut(Digits.CLASSES)
                .activation(Activation.SOFTMAX)
                .build())
        .build();
  }
}
