package org.gradnorm4j.examples;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** The LeNet that Sener and Koltun train on MultiMNIST, with one output layer per task. */
final class MultiMnistNetwork {
  private MultiMnistNetwork() {}

  static ComputationGraphConfiguration configuration(long seed, double learningRate) {
    return new NeuralNetConfiguration.Builder()
        .seed(seed)
        .dataType(DataType.FLOAT)
        .updater(new Adam(learningRate))
        .weightInit(WeightInit.RELU)
        .graphBuilder()
        .addInputs("picture")
        .addLayer("conv1", convolution(10), "picture")
        .addLayer("pool1", maxPool(), "conv1")
        .addLayer("relu1", new ActivationLayer(Activation.RELU), "pool1")
        .addLayer("conv2", convolution(20), "relu1")
        .addLayer("pool2", maxPool(), "conv2")
        .addLayer("relu2", new ActivationLayer(Activation.RELU), "pool2")
        .addLayer(
            Problem.SHARED_LAYER,
            new DenseLayer.Builder().nOut(50).activation(Activation.RELU).build(),
            "relu2")
        .addLayer("left", softmax(), Problem.SHARED_LAYER)
        .addLayer("right", softmax(), Problem.SHARED_LAYER)
        .setOutputs("left", "right")
        .setInputTypes(InputType.convolutionalFlat(Digits.SIDE, Digits.SIDE, 1))
        .build();
  }

  private static ConvolutionLayer convolution(int channels) {
    return new ConvolutionLayer.Builder(5, 5)
        .nOut(channels)
        .activation(Activation.IDENTITY)
        .build();
  }

  private static SubsamplingLayer maxPool() {
    return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
        .kernelSize(2, 2)
        .stride(2, 2)
        .build();
  }

  private static OutputLayer softmax() {
    return new OutputLayer.Builder(new LossMCXENT())
        .nOut(10)
        .activation(Activation.SOFTMAX)
        .weightInit(WeightInit.XAVIER)
        .build();
  }
}
