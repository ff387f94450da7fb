package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.core.probe.NoInterferenceTest.assertBitIdentical;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.core.StepMeasurement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Random multi-output graphs: each is measured as {@link OneTaskOracle} has it and trained as by
 * plain DL4J, or refused with a message that names a layer or output.
 */
@Tag(TestSize.EXHAUSTIVE)
class RandomGraphTest {
  private static final int GRAPHS = TestSize.of(60, 240);
  private static final int BATCH = 4;
  private static final int TIME = 3;
  private static int measured;
  private static int refused;

  enum Family {
    VECTORS(InputType.feedForward(4)),
    IMAGES(InputType.convolutional(4, 4, 2)),
    SERIES(InputType.recurrent(4, TIME));

    final InputType input;

    Family(InputType input) {
      this.input = input;
    }
  }

  @TestFactory
  Stream<DynamicTest> randomGraphs() {
    return IntStream.rangeClosed(1, GRAPHS)
        .mapToObj(seed -> DynamicTest.dynamicTest("seed " + seed, () -> check(seed)));
  }

  @AfterAll
  static void allWereLookedAt() {
    System.out.println("random graphs: " + measured + " measured, " + refused + " refused");
    assertThat(measured + refused).isEqualTo(GRAPHS);
    assertThat(measured).isGreaterThan(GRAPHS * 2 / 3);
  }

  private static void check(int seed) {
    ComputationGraph plain = network(seed);
    ComputationGraph net = network(seed);
    net.setParams(plain.params().dup());
    List<StepMeasurement> steps = new ArrayList<>();
    GradientNormProbe probe;
    try {
      probe = GradientNormProbe.attach(net, steps::add);
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageMatching("(?s).*(layer|output|outputs) ['\\[].*");
      refused++;
      return;
    }
    OneTaskOracle oracle = new OneTaskOracle(plain, probe.sharedLayers());
    for (int step = 1; step <= 3; step++) {
      MultiDataSet batch = batch(seed, step, plain);
      double[][] gradients = oracle.sharedGradients(plain.params(), batch, step);
      double[] expected = OneTaskOracle.norms(gradients);
      probe.measureGram(step > 1);
      for (ComputationGraph graph : List.of(plain, net)) {
        Nd4j.getRandom().setSeed(step);
        graph.fit(batch);
      }
      double[] actual = steps.get(step - 1).gradientNorms();
      for (int task = 0; task < expected.length; task++) {
        assertThat(actual[task])
            .as("step %d, %s of %s", step, probe.taskNames().get(task), probe.sharedLayers())
            .isCloseTo(expected[task], within(1e-10 * expected[task]));
      }
      if (step > 1) {
        Grams.assertGram(steps.get(step - 1), gradients, 1e-10);
      }
    }
    assertBitIdentical(net.params(), plain.params());
    measured++;
  }

  /** A random graph; every vertex keeps the shape of the input, so that any two can be added. */
  static ComputationGraph network(int seed) {
    Random random = new Random(seed);
    Family family = Family.values()[random.nextInt(3)];
    WorkspaceMode mode = random.nextBoolean() ? WorkspaceMode.ENABLED : WorkspaceMode.NONE;
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(seed)
            .dataType(DataType.DOUBLE)
            .activation(Activation.TANH)
            .updater(new Adam(0.01))
            .trainingWorkspaceMode(mode)
            .inferenceWorkspaceMode(mode)
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(family.input);
    List<String> names = new ArrayList<>(List.of("in"));
    Set<String> used = new HashSet<>(List.of("in"));
    names.add(addTrunk(graph, family, random));
    if (random.nextInt(8) > 0) {
      names.remove("in"); // all that follows depends on the trunk
    }
    int vertices = 1 + random.nextInt(9);
    for (int i = 0; i < vertices; i++) {
      names.add(addVertex(graph, family, random, names, used, "v" + i));
    }
    List<String> outputs = addHeads(graph, family, random, names, used);
    ComputationGraph net =
        new ComputationGraph(graph.setOutputs(outputs.toArray(String[]::new)).build());
    net.init();
    return net;
  }

  /** Frozen layers stand at the bottom, where DL4J can train what is above them. */
  private static String addTrunk(GraphBuilder graph, Family family, Random random) {
    Layer layer = layer(family, random);
    graph.addLayer("trunk", random.nextInt(6) == 0 ? new FrozenLayer(layer) : layer, "in");
    return "trunk";
  }

  private static String addVertex(
      GraphBuilder graph,
      Family family,
      Random random,
      List<String> names,
      Set<String> used,
      String name) {
    String below = recent(names, random);
    used.add(below);
    switch (random.nextInt(11)) {
      case 0 -> {
        String other = recent(names, random);
        used.add(other);
        graph.addVertex(name, new ElementWiseVertex(ElementWiseVertex.Op.Add), below, other);
      }
      case 1 -> {
        String other = recent(names, random);
        used.add(other);
        graph.addVertex(name + "-merge", new MergeVertex(), below, other);
        graph.addLayer(name, layer(family, random), name + "-merge");
      }
      case 2 -> graph.addVertex(name, new ScaleVertex(1.5), below);
      case 3 -> graph.addVertex(name, new ShiftVertex(0.5), below);
      case 4 -> graph.addLayer(name, new ActivationLayer(Activation.SIGMOID), below);
      case 5 -> graph.addLayer(name, noise(family, random), below);
      case 6 ->
          graph.addLayer(
              name,
              family == Family.SERIES ? layer(family, random) : new BatchNormalization(),
              below);
      default -> graph.addLayer(name, layer(family, random), below);
    }
    return name;
  }

  /** One of the names, more likely a late one. */
  private static String recent(List<String> names, Random random) {
    int back = (int) (random.nextDouble() * random.nextDouble() * names.size());
    return names.get(names.size() - 1 - back);
  }

  /** Weights that keep the shape. */
  private static Layer layer(Family family, Random random) {
    Dropout dropout = random.nextInt(3) == 0 ? new Dropout(0.7) : null;
    return switch (family) {
      case VECTORS -> new DenseLayer.Builder().nOut(4).dropOut(dropout).build();
      case IMAGES ->
          new ConvolutionLayer.Builder(3, 3)
              .nOut(2)
              .convolutionMode(ConvolutionMode.Same)
              .dropOut(dropout)
              .build();
      case SERIES ->
          random.nextBoolean()
              ? new LSTM.Builder().nOut(4).dropOut(dropout).build()
              : new SimpleRnn.Builder().nOut(4).dropOut(dropout).build();
    };
  }

  private static Layer noise(Family family, Random random) {
    return switch (family) {
      case VECTORS, SERIES -> new DropoutLayer(new Dropout(0.7));
      case IMAGES ->
          new SubsamplingLayer.Builder(random.nextBoolean() ? PoolingType.MAX : PoolingType.AVG)
              .kernelSize(3, 3)
              .stride(1, 1)
              .convolutionMode(ConvolutionMode.Same)
              .build();
    };
  }

  /** A head on every loose end, and more somewhere until there are two. */
  private static List<String> addHeads(
      GraphBuilder graph, Family family, Random random, List<String> names, Set<String> used) {
    List<String> ends = new ArrayList<>(names.stream().filter(n -> !used.contains(n)).toList());
    int heads = Math.max(ends.size(), 2 + random.nextInt(3));
    while (ends.size() < heads) {
      ends.add(names.get(1 + random.nextInt(names.size() - 1)));
    }
    List<String> outputs = new ArrayList<>();
    for (String end : ends) {
      String name = "out" + outputs.size();
      addHead(graph, family, random, end, name);
      outputs.add(name);
    }
    return outputs;
  }

  private static void addHead(
      GraphBuilder graph, Family family, Random random, String below, String name) {
    String top = below;
    if (random.nextBoolean()) {
      top = name + "-hidden";
      graph.addLayer(top, layer(family, random), below);
    }
    if (family == Family.SERIES && random.nextBoolean()) {
      graph.addLayer(
          name,
          new RnnOutputLayer.Builder(LossFunction.MSE)
              .nOut(3)
              .activation(Activation.IDENTITY)
              .build(),
          top);
      return;
    }
    if (family == Family.SERIES) {
      graph.addLayer(name + "-pool", new GlobalPoolingLayer(PoolingType.AVG), top);
      top = name + "-pool";
    }
    graph.addLayer(
        name,
        new OutputLayer.Builder(LossFunction.MSE).nOut(3).activation(Activation.IDENTITY).build(),
        top);
  }

  static MultiDataSet batch(int seed, int step, ComputationGraph net) {
    Random random = new Random(1000L * seed + step);
    Nd4j.getRandom().setSeed(1000L * seed + step);
    long[] shape = Family.values()[new Random(seed).nextInt(3)].input.getShape(true);
    shape[0] = BATCH;
    INDArray features = Nd4j.randn(DataType.DOUBLE, shape);
    INDArray[] outputs = net.output(features);
    INDArray[] labels = new INDArray[outputs.length];
    INDArray[] masks = new INDArray[outputs.length];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = Nd4j.randn(DataType.DOUBLE, outputs[i].shape());
      if (random.nextInt(4) == 0) {
        masks[i] =
            outputs[i].rank() == 3
                ? Nd4j.ones(DataType.DOUBLE, BATCH, TIME)
                : Nd4j.ones(DataType.DOUBLE, BATCH, 1);
        masks[i].putScalar(random.nextInt(BATCH), 0, 0.0);
      }
    }
    return new MultiDataSet(new INDArray[] {features}, labels, null, masks);
  }
}
