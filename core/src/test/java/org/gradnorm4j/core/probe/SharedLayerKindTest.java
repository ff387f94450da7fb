package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.gradnorm4j.core.StepMeasurement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Shared layers of other kinds than dense: each task alone by plain DL4J is the oracle. */
class SharedLayerKindTest {
  private static final int STEPS = 4;
  private static final int BATCH = 5;
  private static final int TIME = 6;

  /** A shared layer and what goes into it. */
  record Kind(String name, Layer layer, InputType input, String... weights) {
    @Override
    public String toString() {
      return name;
    }

    boolean recurrent() {
      return input.getType() == InputType.Type.RNN;
    }
  }

  static Stream<Kind> kinds() {
    InputType image = InputType.convolutional(7, 7, 2);
    InputType series = InputType.recurrent(3, TIME);
    InputType flat = InputType.feedForward(4);
    return Stream.of(
        new Kind(
            "convolution",
            new ConvolutionLayer.Builder(3, 3).nOut(3).activation(Activation.RELU).build(),
            image,
            "W"),
        new Kind(
            "convolution, dropout",
            new ConvolutionLayer.Builder(3, 3).nOut(3).stride(2, 2).dropOut(0.7).build(),
            image,
            "W"),
        new Kind("deconvolution", new Deconvolution2D.Builder(2, 2).nOut(2).build(), image, "W"),
        new Kind(
            "depthwise convolution",
            new DepthwiseConvolution2D.Builder(2, 2).depthMultiplier(2).build(),
            image,
            "W"),
        new Kind(
            "separable convolution",
            new SeparableConvolution2D.Builder(2, 2).nOut(3).build(),
            image,
            "W",
            "pW"),
        new Kind("LSTM", new LSTM.Builder().nOut(4).build(), series, "W", "RW"),
        new Kind(
            "LSTM, dropout", new LSTM.Builder().nOut(4).dropOut(0.7).build(), series, "W", "RW"),
        new Kind("Graves LSTM", gravesLstm(), series, "W", "RW"),
        new Kind("simple RNN", new SimpleRnn.Builder().nOut(4).build(), series, "W", "RW"),
        new Kind(
            "bidirectional LSTM",
            new Bidirectional(new LSTM.Builder().nOut(4).build()),
            series,
            "fW",
            "fRW",
            "bW",
            "bRW"),
        new Kind(
            "bidirectional LSTM, dropout",
            new Bidirectional(new LSTM.Builder().nOut(4).dropOut(0.7).build()),
            series,
            "fW",
            "fRW",
            "bW",
            "bRW"),
        new Kind(
            "dense with layer normalization",
            new DenseLayer.Builder().nOut(4).hasLayerNorm(true).build(),
            flat,
            "W",
            "g"),
        new Kind("PReLU", new PReLULayer.Builder().inputShape(4).build(), flat, "W"));
  }

  @SuppressWarnings("deprecation")
  private static Layer gravesLstm() {
    return new GravesLSTM.Builder().nOut(4).build();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void norms_areThoseOfSeparateNetworks_andTrainingIsUntouched(Kind kind) {
    for (WorkspaceMode mode : List.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE)) {
      ComputationGraph plain = network(kind, mode, 0, 1);
      ComputationGraph net = network(kind, mode, 0, 1);
      net.setParams(plain.params().dup());
      List<StepMeasurement> steps = new ArrayList<>();
      GradientNormProbe.attach(net, List.of("shared"), steps::add);
      for (int i = 0; i < STEPS; i++) {
        MultiDataSet batch = batch(kind, i + 1);
        double[] expected = new double[2];
        double[] losses = new double[2];
        for (int task = 0; task < 2; task++) {
          ComputationGraph alone = network(kind, mode, task);
          alone.paramTable().forEach((name, value) -> value.assign(net.getParam(name)));
          alone.setInputs(batch.getFeatures());
          alone.setLabels(batch.getLabels()[task]);
          Nd4j.getRandom().setSeed(77);
          alone.computeGradientAndScore();
          expected[task] = norm(alone, kind) / BATCH;
          losses[task] = alone.score();
        }
        Nd4j.getRandom().setSeed(77);
        plain.fit(batch);
        Nd4j.getRandom().setSeed(77);
        net.fit(batch);
        for (int task = 0; task < 2; task++) {
          assertThat(steps.get(i).losses()[task])
              .isCloseTo(losses[task], within(1e-12 * losses[task]));
          assertThat(steps.get(i).gradientNorms()[task])
              .isCloseTo(expected[task], within(1e-11 * expected[task]));
        }
      }
      assertBitIdentical(net.params(), plain.params());
      assertBitIdentical(
          net.getUpdater().getUpdaterStateViewArray(),
          plain.getUpdater().getUpdaterStateViewArray());
    }
  }

  @Test
  void truncatedBackpropThroughTime_isMeasuredOnceASegment() {
    ComputationGraph plain = truncated(new Adam(0.01), 0, 1);
    ComputationGraph net = truncated(new Adam(0.01), 0, 1);
    net.setParams(plain.params().dup());
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, List.of("shared"), steps::add);
    for (int i = 0; i < STEPS; i++) {
      plain.fit(batch(lstm(), i + 1));
      net.fit(batch(lstm(), i + 1));
    }
    assertThat(steps).hasSize(2 * STEPS);
    assertBitIdentical(net.params(), plain.params());
  }

  /** Segments of 4 and 2 steps; with a learning rate of 0 each task alone sees the same ones. */
  @Test
  void everySegmentOfTruncatedBackpropThroughTime_isMeasuredExactly() {
    ComputationGraph net = truncated(new Sgd(0.0), 0, 1);
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe.attach(net, List.of("shared"), steps::add).lossWeights(0.3, 2.0);
    MultiDataSet batch = batch(lstm(), 9);
    net.fit(batch);
    for (int task = 0; task < 2; task++) {
      List<Double> expected = new ArrayList<>();
      ComputationGraph alone = truncated(new Sgd(0.0), task);
      alone.paramTable().forEach((name, value) -> value.assign(net.getParam(name)));
      alone.setListeners(
          new BaseTrainingListener() {
            @Override
            public void onGradientCalculation(Model model) {
              expected.add(norm(alone, lstm()) / BATCH);
            }
          });
      INDArray[] labels = {batch.getLabels()[task]};
      alone.fit(new MultiDataSet(batch.getFeatures(), labels));
      assertThat(expected).hasSize(2);
      for (int segment = 0; segment < 2; segment++) {
        assertThat(steps.get(segment).gradientNorms()[task])
            .isCloseTo(expected.get(segment), within(1e-11 * expected.get(segment)));
      }
    }
  }

  private static Kind lstm() {
    return kinds().filter(kind -> kind.name().equals("LSTM")).findFirst().orElseThrow();
  }

  private static ComputationGraph truncated(IUpdater updater, int... tasks) {
    ComputationGraph net = network(lstm(), WorkspaceMode.ENABLED, updater, tasks);
    net.getConfiguration().setBackpropType(BackpropType.TruncatedBPTT);
    net.getConfiguration().setTbpttFwdLength(4);
    net.getConfiguration().setTbpttBackLength(4);
    return net;
  }

  @Test
  void layerWhoseBackwardPassCannotBeRepeated_isFoundOutInTheFirstStep() {
    Kind kind = new Kind("unrepeatable", new UnrepeatableLayer(), InputType.feedForward(4), "W");
    ComputationGraph net = network(kind, WorkspaceMode.ENABLED, 0, 1);
    INDArray before = net.params().dup();
    GradientNormProbe.attach(net, List.of("shared"), step -> {});
    assertThatThrownBy(() -> net.fit(batch(kind, 1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith(
            "'shared' (UnrepeatableLayer) does not give the same gradient twice");
    assertBitIdentical(net.params(), before);
  }

  private static double norm(ComputationGraph alone, Kind kind) {
    double squared = 0.0;
    for (String weight : kind.weights()) {
      for (double value :
          alone.gradient().getGradientFor("shared_" + weight).dup().data().asDouble()) {
        squared += value * value;
      }
    }
    return Math.sqrt(squared);
  }

  private static ComputationGraph network(Kind kind, WorkspaceMode mode, int... tasks) {
    return network(kind, mode, new Adam(0.01), tasks);
  }

  private static ComputationGraph network(
      Kind kind, WorkspaceMode mode, IUpdater updater, int... tasks) {
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(5)
            .dataType(DataType.DOUBLE)
            .activation(Activation.TANH)
            .updater(updater)
            .trainingWorkspaceMode(mode)
            .inferenceWorkspaceMode(mode)
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(kind.input())
            .addLayer("shared", kind.layer().clone(), "in");
    String[] outputs = new String[tasks.length];
    for (int i = 0; i < tasks.length; i++) {
      outputs[i] = "task" + tasks[i];
      LossFunction loss = tasks[i] == 0 ? LossFunction.MSE : LossFunction.MCXENT;
      Activation activation = tasks[i] == 0 ? Activation.IDENTITY : Activation.SOFTMAX;
      graph.addLayer(
          outputs[i],
          kind.recurrent()
              ? new RnnOutputLayer.Builder(loss).nOut(3).activation(activation).build()
              : new OutputLayer.Builder(loss).nOut(3).activation(activation).build(),
          "shared");
    }
    ComputationGraph net = new ComputationGraph(graph.setOutputs(outputs).build());
    net.init();
    return net;
  }

  private static MultiDataSet batch(Kind kind, long seed) {
    Nd4j.getRandom().setSeed(seed);
    long[] shape = kind.input().getShape(true);
    shape[0] = BATCH;
    INDArray features = Nd4j.randn(DataType.DOUBLE, shape);
    long[] labelShape = kind.recurrent() ? new long[] {BATCH, 3, TIME} : new long[] {BATCH, 3};
    INDArray oneHot = Nd4j.zeros(DataType.DOUBLE, labelShape);
    oneHot.tensorAlongDimension(0, oneHot.rank() == 3 ? new int[] {0, 2} : new int[] {0}).assign(1);
    return new MultiDataSet(
        new INDArray[] {features},
        new INDArray[] {Nd4j.randn(DataType.DOUBLE, labelShape).muli(5), oneHot});
  }

  /** A dense layer that keeps count of its backward passes, and whose gradient grows with it. */
  static final class UnrepeatableLayer extends DenseLayer {
    private static final long serialVersionUID = 1L;

    UnrepeatableLayer() {
      setNOut(4);
    }

    @Override
    public org.deeplearning4j.nn.api.Layer instantiate(
        NeuralNetConfiguration configuration,
        Collection<TrainingListener> listeners,
        int index,
        INDArray parameters,
        boolean initialize,
        DataType dataType) {
      var layer =
          new org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer(configuration, dataType) {
            private int passes;

            @Override
            public Pair<Gradient, INDArray> backpropGradient(
                INDArray epsilon, LayerWorkspaceMgr workspaces) {
              return super.backpropGradient(epsilon.mul(++passes), workspaces);
            }
          };
      layer.setIndex(index);
      layer.setParamsViewArray(parameters);
      layer.setParamTable(initializer().init(configuration, parameters, initialize));
      layer.setConf(configuration);
      return layer;
    }
  }
}
