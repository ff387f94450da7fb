package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.gradnorm4j.testing.Networks.network;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.balancer.DryRun;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.history.Row;
import org.gradnorm4j.report.Report;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** GradNorm on a network. */
class GradNormTest {

  /** The second output's labels are thirty times as large as the first's. */
  private static MultiDataSet batch(int seed) {
    Nd4j.getRandom().setSeed(seed + 1);
    INDArray x = Nd4j.randn(DataType.DOUBLE, 16, 4);
    INDArray y =
        x.get(
            org.nd4j.linalg.indexing.NDArrayIndex.all(),
            org.nd4j.linalg.indexing.NDArrayIndex.interval(0, 2));
    return new MultiDataSet(new INDArray[] {x}, new INDArray[] {y.dup(), y.mul(-30)});
  }

  @Test
  void theOneLineOfTheReadme_balancesTheNorms() {
    ComputationGraph net = network("small", "large");
    GradNorm gradNorm = GradNorm.builder().sharedLayer("trunk").alpha(0.0).build();
    gradNorm.attach(net);
    for (int t = 0; t < 400; t++) {
      net.fit(batch(t));
    }
    assertThat(gradNorm.lossWeights()).containsOnlyKeys("small", "large");
    assertThat(gradNorm.lossWeights().get("small")).isGreaterThan(1.9);
    assertThat(gradNorm.lossWeights().get("large")).isBetween(0.0, 0.1);
    assertThat(gradNorm.lossWeights().values().stream().mapToDouble(d -> d).sum())
        .isCloseTo(2.0, within(1e-12));
    BalancedStep first = gradNorm.lastStep().orElseThrow();
    double[] norms = first.values(Quantity.WEIGHTED_GRADIENT_NORM);
    assertThat(norms[0] / norms[1]).isBetween(0.5, 2.0);
    gradNorm.detach();
    assertThat(gradNorm.lossWeights()).hasSize(2);
  }

  /** Each step trains with the weights the step before left: Algorithm 1 uses λ(t) in step t. */
  @Test
  void everyStep_trainsWithTheWeightsOfTheStepBefore() {
    ComputationGraph net = network("a", "b");
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    double[] expected = {1, 1};
    for (int t = 0; t < 10; t++) {
      net.fit(batch(t));
      BalancedStep step = gradNorm.lastStep().orElseThrow();
      assertThat(step.measurement().lossWeights()).isEqualTo(expected);
      expected = step.nextLossWeights();
      assertThat(gradNorm.lossWeights().values()).containsExactly(expected[0], expected[1]);
    }
    assertThat(expected[0]).isGreaterThan(1);
  }

  /** The rule replayed on the measurements alone gives the same weights. */
  @Test
  void weights_areThoseOfTheRuleAppliedToTheMeasurements() {
    ComputationGraph net = network("a", "b");
    GradNorm gradNorm =
        GradNorm.builder().alpha(0.7).lossWeightUpdater(new Adam(0.01)).build().attach(net);
    Rules.Rule rule =
        Rules.of(GradNorm.builder().alpha(0.7).lossWeightUpdater(new Adam(0.01)), "a", "b");
    DryRun<GradNormState> state = rule.init(new double[] {1, 1});
    for (int t = 0; t < 30; t++) {
      net.fit(batch(t));
      DryRun<GradNormState> update =
          rule.update(state, gradNorm.lastStep().orElseThrow().measurement());
      state = update;
      assertThat(gradNorm.lastStep()).contains(update.step());
    }
  }

  @Test
  void frozenWeights_trainAsPlainDeeplearning4j() {
    ComputationGraph plain = network("a", "b");
    ComputationGraph net = network("a", "b");
    GradNorm gradNorm = GradNorm.builder().lossWeightUpdater(new Sgd(0.0)).build().attach(net);
    for (int t = 0; t < 50; t++) {
      plain.fit(batch(t));
      net.fit(batch(t));
    }
    assertThat(gradNorm.lossWeights().values()).containsExactly(1.0, 1.0);
    assertThat(net.params().toDoubleVector()).isEqualTo(plain.params().toDoubleVector());
    assertThat(net.getUpdater().getUpdaterStateViewArray().toDoubleVector())
        .isEqualTo(plain.getUpdater().getUpdaterStateViewArray().toDoubleVector());
  }

  @Test
  void history_writesOneRowPerStepAndTask(@TempDir Path folder) throws Exception {
    ComputationGraph net = network("a", "with,comma");
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    net.fit(batch(0));
    net.fit(batch(1));
    Path file = folder.resolve("history.csv");
    gradNorm.history().writeCsv(file);
    List<String> lines = Files.readAllLines(file);
    assertThat(lines).hasSize(5);
    assertThat(lines.get(0))
        .isEqualTo(
            "iteration,epoch,task,loss,loss_weight,gradient_norm,weighted_gradient_norm,target_gradient_norm,relative_inverse_training_rate,loss_ratio,gradient_loss,present,skipped,steps,gradient_share");
    BalancedStep last = gradNorm.lastStep().orElseThrow();
    assertThat(lines.get(4))
        .isEqualTo(
            String.format(
                Locale.ROOT,
                "1,0,\"with,comma\",%s,%s,%s,%s,%s,%s,%s,%s,true,false,1,%s",
                last.measurement().losses()[1],
                last.measurement().lossWeights()[1],
                last.measurement().gradientNorms()[1],
                last.values(Quantity.WEIGHTED_GRADIENT_NORM)[1],
                last.values(GradNorm.TARGET_GRADIENT_NORM)[1],
                last.values(GradNorm.RELATIVE_INVERSE_TRAINING_RATE)[1],
                last.values(GradNorm.LOSS_RATIO)[1],
                last.value(GradNorm.GRADIENT_LOSS),
                last.values(Quantity.WEIGHTED_GRADIENT_NORM)[1]
                    / Arrays.stream(last.values(Quantity.WEIGHTED_GRADIENT_NORM)).sum()));
    assertThat(lines.get(1)).startsWith("0,0,a,").contains(",1.0,");
    assertThat(gradNorm.history().size()).isEqualTo(2);
    assertThat(gradNorm.history().rows().map(Row::task))
        .containsExactly("a", "with,comma", "a", "with,comma");
  }

  @Test
  void report_tellsSettingsAndOverhead() {
    ComputationGraph net = network("a", "b");
    GradNorm gradNorm = GradNorm.builder().alpha(0.7).build().attach(net);
    net.fit(batch(0));
    net.fit(batch(1));
    assertThat(gradNorm.history().settings())
        .containsEntry("alpha", "0.7")
        .containsEntry("shared layer", "trunk");
    assertThat(gradNorm.history().meanMilliseconds()).isGreaterThan(0.0);
    assertThat(Report.of(gradNorm.history()).content()).contains("id=\"overhead\"");
  }

  @Test
  void attachedAgain_goesOnWhereItWas() {
    ComputationGraph net = network("a", "b");
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    for (int t = 0; t < 5; t++) {
      net.fit(batch(t));
    }
    double weight = gradNorm.lossWeights().get("a");
    gradNorm.detach();
    gradNorm.detach();
    net.fit(batch(5));
    assertThat(gradNorm.lossWeights()).containsEntry("a", weight);
    gradNorm.attach(net);
    net.fit(batch(6));
    assertThat(gradNorm.lastStep().orElseThrow().measurement().lossWeights()[0]).isEqualTo(weight);
    assertThat(gradNorm.history().size()).isEqualTo(6);
  }

  @Test
  void wrongOrderOfCalls_andWrongArguments_sayWhatToDo() {
    GradNorm gradNorm = GradNorm.builder().build();
    assertThat(gradNorm.lastStep()).isEmpty();
    for (Runnable early : new Runnable[] {gradNorm::lossWeights, gradNorm::history}) {
      assertThatThrownBy(early::run)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("not attached to a network yet. Call attach(...) first");
    }
    ComputationGraph net = network("a", "b");
    assertThatThrownBy(() -> GradNorm.builder().sharedLayer("nowhere").build().attach(net))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("layer 'nowhere' is not in the graph. Shared by all outputs: [trunk]");
    gradNorm.attach(net);
    assertThatThrownBy(() -> gradNorm.attach(network("a", "b")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("this GradNorm is attached already");
    gradNorm.detach();
    assertThatThrownBy(() -> gradNorm.attach(network("a", "c")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "this GradNorm has been balancing [a, b], the network has [a, c]. Build another, or begin anew: reset()");
    for (double alpha : new double[] {-0.5, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> GradNorm.builder().alpha(alpha))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("alpha (" + alpha + ") must be >= 0 and finite");
    }
  }

  @Test
  void initialLossOfZero_stopsTheFitBeforeTheParametersChange() {
    ComputationGraph net = network("a", "b");
    GradNorm.builder().build().attach(net);
    MultiDataSet batch = batch(0);
    INDArray[] perfect = {net.output(batch.getFeatures())[0].dup(), batch.getLabels()[1]};
    INDArray before = net.params().dup();
    assertThatThrownBy(() -> net.fit(new MultiDataSet(batch.getFeatures(), perfect)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("task 'a': initial loss (0.0) must be >= 1.0E-30");
    assertThat(net.params().toDoubleVector()).isEqualTo(before.toDoubleVector());
  }

  @Test
  void nonFiniteLabels_neverReachTheWeights() {
    ComputationGraph net = network("a", "b");
    GradNorm gradNorm = GradNorm.builder().build().attach(net);
    net.fit(batch(0));
    var weights = gradNorm.lossWeights();
    MultiDataSet bad = batch(1);
    bad.getLabels()[0].putScalar(0, Double.NaN);
    net.fit(bad);
    assertThat(gradNorm.lastStep().orElseThrow().skipped()).isTrue();
    assertThat(gradNorm.lossWeights()).isEqualTo(weights);
  }

  @Test
  void termsOfACompositeLoss_startFromTheirWeights_andKeepTheirSum() {
    MultiLayerNetwork net =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .updater(new Adam(0.01))
                .list()
                .layer(new DenseLayer.Builder().nIn(4).nOut(6).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(
                            CompositeLoss.builder()
                                .term("squared", 1.0, new LossMSE())
                                .term("absolute", 0.1, new LossMAE())
                                .build())
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    net.init();
    GradNorm gradNorm = GradNorm.builder().alpha(0.0).build().attach(net);
    assertThat(gradNorm.lossWeights())
        .containsExactly(Map.entry("squared", 1.0), Map.entry("absolute", 0.1));
    Rules.Rule rule = Rules.of(GradNorm.builder().alpha(0.0), 1.1, "squared", "absolute");
    DryRun<GradNormState> state = rule.init(new double[] {1.0, 0.1});
    for (int t = 0; t < 50; t++) {
      MultiDataSet batch = batch(t);
      net.fit(batch.getFeatures(0), batch.getLabels(0));
      state = rule.update(state, gradNorm.lastStep().orElseThrow().measurement());
      assertThat(gradNorm.lossWeights().values())
          .containsExactly(state.lossWeights()[0], state.lossWeights()[1]);
      assertThat(state.lossWeights()[0] + state.lossWeights()[1]).isCloseTo(1.1, within(1e-14));
    }
    assertThat(state.lossWeights()[1]).isNotEqualTo(0.1);
    gradNorm.detach();
    assertThatThrownBy(() -> gradNorm.attach(network("a", "b")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "this GradNorm has been balancing [squared, absolute], the network has [a, b]. Build another, or begin anew: reset()");
  }

  @Test
  void measureEvery_movesTheWeightsInThoseStepsOnly() {
    ComputationGraph net = network("a", "b");
    GradNorm gradNorm = GradNorm.builder().measureEvery(3).build().attach(net);
    double[] weights = new double[7];
    for (int t = 0; t < 7; t++) {
      net.fit(batch(t));
      weights[t] = gradNorm.lossWeights().get("a");
    }
    assertThat(gradNorm.history().rows().mapToInt(Row::iteration))
        .containsExactly(0, 0, 3, 3, 6, 6);
    assertThat(weights[1]).isEqualTo(weights[0]);
    assertThat(weights[2]).isEqualTo(weights[0]);
    assertThat(weights[3]).isNotEqualTo(weights[2]);
    assertThat(weights[5]).isEqualTo(weights[3]);
    assertThatThrownBy(() -> GradNorm.builder().measureEvery(0))
        .hasMessage("measureEvery (0) must be >= 1");
  }
}
