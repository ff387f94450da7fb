package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.gradnorm4j.core.probe.CompositeMeasurementTest.assertClose;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.analysis.GradientAnalysis;
import org.gradnorm4j.core.analysis.GradientNorms;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** Terms on every kind of output layer of a MultiLayerNetwork, as far as others do not test it. */
class OutputLayerKindTest {

  /** Output layers that reshape labels and input before the loss sees them. */
  static Stream<Arguments> lossLayers() {
    ILossFunction loss =
        CompositeLoss.builder()
            .term("mse", 1.0, new LossMSE())
            .term("mae", 0.5, new LossMAE())
            .build();
    return Stream.of(
        Arguments.of(
            "series",
            InputType.recurrent(3, 4),
            new LSTM.Builder().nOut(4).build(),
            new RnnLossLayer.Builder(loss).activation(Activation.IDENTITY).build()),
        Arguments.of(
            "series, time before size",
            InputType.recurrent(3, 4, RNNFormat.NWC),
            new LSTM.Builder().dataFormat(RNNFormat.NWC).nOut(4).build(),
            new RnnOutputLayer.Builder(loss)
                .dataFormat(RNNFormat.NWC)
                .nOut(2)
                .activation(Activation.IDENTITY)
                .build()),
        Arguments.of(
            "images",
            InputType.convolutional(4, 4, 2),
            new ConvolutionLayer.Builder(2, 2).nOut(3).build(),
            new CnnLossLayer.Builder(loss).activation(Activation.IDENTITY).build()),
        Arguments.of(
            "images, channels last",
            InputType.convolutional(4, 4, 2, CNN2DFormat.NHWC),
            new ConvolutionLayer.Builder(2, 2).dataFormat(CNN2DFormat.NHWC).nOut(3).build(),
            new CnnLossLayer.Builder(loss)
                .format(CNN2DFormat.NHWC)
                .activation(Activation.IDENTITY)
                .build()),
        Arguments.of(
            "volumes",
            InputType.convolutional3D(Convolution3D.DataFormat.NCDHW, 3, 3, 3, 2),
            new Convolution3D.Builder(2, 2, 2).nOut(2).build(),
            new Cnn3DLossLayer.Builder(Convolution3D.DataFormat.NCDHW)
                .lossFunction(loss)
                .activation(Activation.IDENTITY)
                .build()));
  }

  /** The analysis, which is itself checked against networks of one loss, is the oracle. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("lossLayers")
  void everyKindOfOutputLayer_isMeasured_alsoWithLabelsOfAnotherType(
      String name, InputType input, Layer shared, Layer output) {
    MultiLayerNetwork[] nets = new MultiLayerNetwork[2];
    for (int i = 0; i < 2; i++) {
      nets[i] =
          new MultiLayerNetwork(
              new NeuralNetConfiguration.Builder()
                  .seed(3)
                  .dataType(DataType.DOUBLE)
                  .updater(new Adam(0.01))
                  .list()
                  .layer(shared.clone())
                  .layer(output.clone())
                  .setInputType(input)
                  .build());
      nets[i].init();
    }
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(nets[1], List.of("layer0"), steps::add);
    long[] shape = input.getShape(true);
    shape[0] = 5;
    INDArray features = Nd4j.rand(DataType.DOUBLE, shape);
    INDArray labels = Nd4j.rand(DataType.FLOAT, nets[0].output(features).shape());
    DataSet data = new DataSet(features, labels);
    Set<String> weights = Set.of("0_W", "0_RW");
    for (int step = 0; step < 3; step++) {
      GradientAnalysis analysis =
          GradientNorms.of(nets[0]).select("weights", weights::contains).analyze(data);
      nets[0].fit(data);
      nets[1].fit(data);
      assertThat(steps).hasSize(step + 1);
      assertClose(
          steps.get(step).gradientNorms(),
          analysis.parameters("weights").parts().stream()
              .mapToDouble(part -> part.norm().mean())
              .toArray());
    }
    assertBitIdentical(nets[1].params(), nets[0].params());
  }
}
