package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.weighting.SkipCause;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/**
 * Values that break arithmetic, everywhere a step can meet them: whatever comes, λ stays finite and
 * positive with its sum, and moves again when the fault is over. {@link RuleFaultTest} does more of
 * it.
 */
@Tag(TestSize.EXHAUSTIVE)
class FaultInjectionTest {
  private static final int RUNS = TestSize.of(60, 2000);
  private static final int THREADS = 2;
  private static final int STEPS = 50;
  private static final int CLEAN_STEPS_AT_THE_END = 5;
  private static final int TASKS = 3;
  private static final int BATCH = 4;

  private static final float[] VALUES = {
    Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1e38f, 1e-38f, 0.0f
  };

  /** A loss whose score, or gradient, can be told to be anything. */
  private static final class FaultyLoss extends LossMSE {
    private static final long serialVersionUID = 1L;
    private transient Float score;
    private transient Float gradient;

    @Override
    public double computeScore(
        INDArray labels, INDArray z, IActivation activation, INDArray mask, boolean average) {
      double right = super.computeScore(labels, z, activation, mask, average);
      return score == null ? right : score;
    }

    @Override
    public INDArray computeGradient(
        INDArray labels, INDArray z, IActivation activation, INDArray mask) {
      INDArray right = super.computeGradient(labels, z, activation, mask);
      return gradient == null ? right : right.assign(gradient);
    }
  }

  private static final List<MultiDataSet> BATCHES =
      Stream.generate(FaultInjectionTest::newBatch).limit(20).toList();

  @Test
  void whateverComes_theWeightsStayFiniteAndPositive_andMoveAgain() throws Exception {
    Map<String, Integer> injected = new TreeMap<>();
    Map<String, Integer> outcomes = new TreeMap<>();
    List<Runs> all = IntStream.range(0, THREADS).mapToObj(Runs::new).toList();
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      for (Future<Void> done : threads.invokeAll(all)) {
        done.get();
      }
    } finally {
      threads.shutdownNow();
    }
    for (Runs runs : all) {
      runs.injected.forEach((what, count) -> injected.merge(what, count, Integer::sum));
      runs.outcomes.forEach((what, count) -> outcomes.merge(what, count, Integer::sum));
    }
    System.out.printf(
        Locale.ROOT,
        "%d runs of %d steps. Injected: %s. Outcomes: %s%n",
        RUNS,
        STEPS,
        injected,
        outcomes);
    for (SkipCause cause : new SkipCause[] {SkipCause.LOSS, SkipCause.GRADIENT_NORM}) {
      assertThat(outcomes.get("skipped: " + cause)).isGreaterThan(RUNS);
    }
    assertThat(injected).hasSize(6 * VALUES.length);
  }

  /** As different as users are. */
  private static GradNormBuilder settings(int run) {
    return switch (run % 5) {
      case 0 -> GradNorm.builder();
      case 1 -> GradNorm.builder().lossWeightUpdater(new Sgd(0.1)).lossScale(LossScale.LABELS);
      case 2 ->
          GradNorm.builder()
              .smoothing(0.9)
              .weightLimits(0.2, 2.0)
              .lossFloor("task0", 1e-6)
              .lossFloor("task1", 1e-6)
              .lossFloor("task2", 1e-6);
      case 3 -> GradNorm.builder().pin("task1", 0.5).prior("task0", 3.0).warmUp(3);
      default ->
          GradNorm.builder()
              .lossWeightUpdater(new RmsProp(0.01))
              .initialLoss(InitialLoss.meanOf(5))
              .alpha(0.1);
    };
  }

  private static MultiDataSet newBatch() {
    INDArray x = Nd4j.rand(DataType.FLOAT, BATCH, 3);
    INDArray sum = x.sum(true, 1);
    INDArray[] masks = new INDArray[TASKS];
    for (int task = 0; task < TASKS; task++) {
      masks[task] = Nd4j.ones(DataType.FLOAT, BATCH, 1);
    }
    return new MultiDataSet(
        new INDArray[] {x}, new INDArray[] {sum.add(1), sum.mul(30), sum.rsub(1)}, null, masks);
  }

  /** One thread's share of the runs, all on one network. */
  private static final class Runs implements Callable<Void> {
    private final int first;
    private final FaultyLoss[] losses = new FaultyLoss[TASKS];
    private final ComputationGraph net = network();
    private final INDArray initial = net.params().dup();
    private final Random random;
    private final Map<String, Integer> injected = new TreeMap<>();
    private final Map<String, Integer> outcomes = new TreeMap<>();

    Runs(int first) {
      this.first = first;
      random = new Random(6 + first);
    }

    private ComputationGraph network() {
      var graph =
          new NeuralNetConfiguration.Builder()
              .seed(3)
              .updater(new Sgd(0.01))
              .graphBuilder()
              .addInputs("in")
              .addLayer(
                  "trunk",
                  new DenseLayer.Builder().nIn(3).nOut(4).activation(Activation.TANH).build(),
                  "in");
      String[] names = Rules.names(TASKS);
      for (int task = 0; task < TASKS; task++) {
        losses[task] = new FaultyLoss();
        graph.addLayer(
            names[task],
            new OutputLayer.Builder(losses[task])
                .nIn(4)
                .nOut(1)
                .activation(Activation.IDENTITY)
                .build(),
            "trunk");
      }
      ComputationGraph built = new ComputationGraph(graph.setOutputs(names).build());
      built.init();
      return built;
    }

    @Override
    public Void call() {
      for (int run = first; run < RUNS; run += THREADS) {
        net.params().assign(initial);
        GradNorm gradNorm = settings(run).build().attach(net);
        for (int step = 0; step < STEPS; step++) {
          boolean clean = step >= STEPS - CLEAN_STEPS_AT_THE_END;
          MultiDataSet batch = batch();
          if (!clean && random.nextInt(3) == 0) {
            batch = batch.copy();
            inject(batch);
          }
          fit(batch, clean);
          assertSound(gradNorm);
          for (FaultyLoss loss : losses) {
            loss.score = null;
            loss.gradient = null;
          }
        }
        assertThat(gradNorm.lastStep().orElseThrow().skipped()).as("run %d", run).isFalse();
        gradNorm
            .skips()
            .values()
            .forEach(
                byCause ->
                    byCause.forEach(
                        (cause, count) ->
                            outcomes.merge("skipped: " + cause, count, Integer::sum)));
        gradNorm.detach();
      }
      return null;
    }

    /** One of a few minibatches, made once: making arrays takes as long as a step. */
    private MultiDataSet batch() {
      return BATCHES.get(random.nextInt(BATCHES.size()));
    }

    /** In one element or in all of an array. */
    private void inject(MultiDataSet batch) {
      float value = VALUES[random.nextInt(VALUES.length)];
      int task = random.nextInt(TASKS);
      String place;
      switch (random.nextInt(6)) {
        case 0 -> place = put(batch.getFeatures(0), value, "features");
        case 1 -> place = put(batch.getLabels(task), value, "labels");
        case 2 -> place = put(batch.getLabelsMaskArray(task), value, "masks");
        case 3 -> {
          place = "losses";
          losses[task].score = value;
        }
        case 4 -> {
          place = "gradients";
          losses[task].gradient = value;
        }
        default -> {
          place = "absent with labels";
          batch.getLabelsMaskArray(task).assign(0.0f);
          put(batch.getLabels(task), value, place);
        }
      }
      injected.merge(place + " " + value, 1, Integer::sum);
    }

    private String put(INDArray array, float value, String place) {
      if (random.nextBoolean()) {
        array.assign(value);
      } else {
        array.putScalar(random.nextInt((int) array.length()), value);
      }
      return place;
    }

    /**
     * Only an initial loss of nothing may end a fit; parameters that were poisoned are put back.
     */
    private void fit(MultiDataSet batch, boolean clean) {
      try {
        net.fit(batch);
        outcomes.merge("trained", 1, Integer::sum);
      } catch (IllegalStateException e) {
        assertThat(clean).isFalse();
        assertThat(e).hasMessageMatching("task 'task\\d': (initial )?loss \\(.*\\) must be >= .*");
        outcomes.merge("refused by an error that names the task", 1, Integer::sum);
      }
      double size = net.params().norm1Number().doubleValue();
      if (!(size < 1e6)) {
        net.params().assign(initial);
        outcomes.merge("parameters poisoned", 1, Integer::sum);
      }
    }

    /** One assertion for all: there are 100,000. */
    private static void assertSound(GradNorm gradNorm) {
      double sum = 0.0;
      boolean sound = true;
      for (double weight : gradNorm.lossWeights().values()) {
        sound &= weight > 0.0 && Double.isFinite(weight);
        sum += weight;
      }
      assertThat(sound && Math.abs(sum - TASKS) < 1e-9).as("finite, positive, with sum 3").isTrue();
    }
  }
}
