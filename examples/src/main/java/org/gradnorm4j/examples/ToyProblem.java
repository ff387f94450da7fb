package org.gradnorm4j.examples;

import org.apache.commons.math3.random.RandomGenerator;
import org.apache.commons.math3.random.Well19937c;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The regression toy of the GradNorm paper, section 4 (Eq. 3): T tasks of the same kind, which
 * differ in scale and a little in content.
 *
 * <pre>
 *   f_i(x) = σ_i tanh((B + ε_i) x)      x ∈ R^250, f_i ∈ R^100, tanh element by element
 *   B_jk ~ N(0, 10),  ε_i,jk ~ N(0, 3.5)
 * </pre>
 *
 * The network is a trunk of four layers of 100 ReLU units and one affine layer per task; the loss
 * is the squared error, averaged over the 100 components.
 *
 * @param sigmas σ_i, one per task
 * @param inputs distribution of x
 * @param deviation how to read N(0, s)
 * @param trainSize number of training examples
 * @param testSize number of test examples
 * @param learningRate of Adam on the network
 * @param seed of functions, examples and initial parameters
 */
record ToyProblem(
    double[] sigmas,
    ToyInputs inputs,
    ToyDeviation deviation,
    int trainSize,
    int testSize,
    double learningRate,
    long seed) {
  private static final int IN = 250;
  private static final int OUT = 100;
  private static final int WIDTH = 100;
  private static final double COMMON = 10.0;
  private static final double OWN = 3.5;

  Problem problem() {
    RandomGenerator random = new Well19937c(seed);
    INDArray[] functions = functions(random);
    Samples train = samples(trainSize, functions, random);
    Samples test = samples(testSize, functions, random);
    return Problem.ofGraph(network(), TaskKind.REGRESSION, train, test);
  }

  /** (B + ε_i)ᵀ of every task. */
  private INDArray[] functions(RandomGenerator random) {
    INDArray common = gaussian(COMMON, random);
    INDArray[] functions = new INDArray[sigmas.length];
    for (int task = 0; task < functions.length; task++) {
      functions[task] = gaussian(OWN, random).addi(common);
    }
    return functions;
  }

  private INDArray gaussian(double s, RandomGenerator random) {
    double standardDeviation = deviation.standardDeviation(s);
    float[] values = new float[IN * OUT];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (standardDeviation * random.nextGaussian());
    }
    return Nd4j.create(values, IN, OUT);
  }

  private Samples samples(int size, INDArray[] functions, RandomGenerator random) {
    INDArray x = Nd4j.create(DataType.FLOAT, size, IN);
    for (int row = 0; row < size; row++) {
      x.putRow(row, Nd4j.createFromArray(inputs.draw(IN, random)).castTo(DataType.FLOAT));
    }
    INDArray[] targets = new INDArray[functions.length];
    for (int task = 0; task < targets.length; task++) {
      targets[task] = Transforms.tanh(x.mmul(functions[task]), false).muli(sigmas[task]);
    }
    return new Samples(x, targets);
  }

  private ComputationGraphConfiguration network() {
    var graph =
        new NeuralNetConfiguration.Builder()
            .seed(seed)
            .dataType(DataType.FLOAT)
            .updater(new Adam(learningRate))
            .weightInit(WeightInit.XAVIER)
            .graphBuilder()
            .addInputs("x")
            .addLayer("trunk1", relu(IN), "x")
            .addLayer("trunk2", relu(WIDTH), "trunk1")
            .addLayer("trunk3", relu(WIDTH), "trunk2")
            .addLayer(Problem.SHARED_LAYER, relu(WIDTH), "trunk3");
    String[] tasks = new String[sigmas.length];
    for (int task = 0; task < tasks.length; task++) {
      tasks[task] = "task" + task;
      graph.addLayer(
          tasks[task],
          new OutputLayer.Builder(new LossMSE())
              .activation(Activation.IDENTITY)
              .nIn(WIDTH)
              .nOut(OUT)
              .build(),
          Problem.SHARED_LAYER);
    }
    return graph.setOutputs(tasks).build();
  }

  private static DenseLayer relu(int in) {
    return new DenseLayer.Builder().nIn(in).nOut(WIDTH).activation(Activation.RELU).build();
  }
}
