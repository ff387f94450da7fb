package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.math3.random.RandomGenerator;
import org.apache.commons.math3.random.Well19937c;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.gradnorm4j.core.analysis.GradientNorms;
import org.gradnorm4j.gradnorm.GradNorm;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

class CompositeLearnerTest {
  private static final long SEED = 5;
  private static final double LEARNING_RATE = 1e-2;
  private static final double L2 = 0.1;
  private static final Schedule SCHEDULE = new Schedule(16, 8, 4);

  private final Problem problem =
      new CompositeProblem(SEED, LEARNING_RATE, L2)
          .problem(new DigitSplit(digits(40, 1), digits(20, 2)));

  /** Balancer, analyses and reports included, nothing changes what is learned. */
  @Test
  void staticWeights_trainAsPlainDeeplearning4j_bitForBit() {
    Recorder learner =
        new Recorder(new CompositeLearner(CompositeNetwork.configuration(SEED, LEARNING_RATE, L2)));
    Problem recorded =
        new Problem(
            () -> learner, problem.tasks(), problem.sharedLayer(), problem.train(), problem.test());
    Weighting fixed =
        new GradNormWeighting(GradNorm.builder().lossWeightUpdater(new Sgd(0.0)).build());
    PrintWriter out = new PrintWriter(Writer.nullWriter());
    new Trainer(recorded, SCHEDULE, SEED)
        .train(
            fixed,
            new Progress(problem.tasks().values(), SCHEDULE.steps(), out),
            new AnalysisReport(fixed, problem.train(), SCHEDULE, out));

    MultiLayerNetwork plain = plainNetwork();
    assertThat(learner.batches).hasSize(SCHEDULE.steps());
    learner.batches.forEach(plain::fit);
    assertThat(learner.learner.network().params().toFloatVector())
        .containsExactly(plain.params().toFloatVector());
  }

  /** DL4J's score is cross-entropy + its L2, with the factor 1/2. */
  @Test
  void scores_addUpToDeeplearning4jsScore() {
    TaskScores scores = problem.learner().get().scores(problem.test());

    MultiLayerNetwork plain = plainNetwork();
    Samples test = problem.test();
    double score = plain.score(new DataSet(test.features(), test.labels()[0]), false);
    assertThat(scores.losses()[0] + L2 * scores.losses()[1]).isCloseTo(score, within(1e-5 * score));
    INDArray correct = plain.output(test.features()).argMax(1).eq(test.labels()[0].argMax(1));
    assertThat(scores.accuracies()[0])
        .isCloseTo(correct.castTo(DataType.DOUBLE).meanNumber().doubleValue(), within(1e-6));
    assertThat(scores.accuracies()[1]).isNaN();
  }

  /** Nothing of this library in it. */
  private static MultiLayerNetwork plainNetwork() {
    MultiLayerNetwork plain =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(new Adam(LEARNING_RATE))
                .weightInit(WeightInit.XAVIER)
                .l2(L2)
                .list()
                .layer(
                    new DenseLayer.Builder().nIn(784).nOut(100).activation(Activation.RELU).build())
                .layer(
                    new OutputLayer.Builder(new LossMCXENT())
                        .nIn(100)
                        .nOut(10)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
    plain.init();
    return plain;
  }

  private static Digits digits(int size, int seed) {
    RandomGenerator random = new Well19937c(seed);
    float[][] images = new float[size][Digits.SIDE * Digits.SIDE];
    int[] labels = new int[size];
    for (int i = 0; i < size; i++) {
      labels[i] = i % Digits.CLASSES;
      for (int pixel = 0; pixel < images[i].length; pixel++) {
        images[i][pixel] = random.nextFloat();
      }
    }
    return new Digits(images, labels);
  }

  /** Keeps the minibatches. */
  private static final class Recorder implements Learner {
    private final CompositeLearner learner;
    private final List<MultiDataSet> batches = new ArrayList<>();

    Recorder(CompositeLearner learner) {
      this.learner = learner;
    }

    @Override
    public void attach(Weighting weighting) {
      learner.attach(weighting);
    }

    @Override
    public void fit(MultiDataSet batch) {
      batches.add(batch.copy());
      learner.fit(batch);
    }

    @Override
    public int epochs() {
      return learner.epochs();
    }

    @Override
    public void endEpoch() {
      learner.endEpoch();
    }

    @Override
    public TaskScores scores(Samples samples) {
      return learner.scores(samples);
    }

    @Override
    public void save(Path file) throws IOException {
      learner.save(file);
    }

    @Override
    public GradientNorms gradientNorms() {
      return learner.gradientNorms();
    }
  }
}
