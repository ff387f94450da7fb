package org.gradnorm4j.ui;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.gradnorm.GradNorm;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A small network that learns regressions of unlike scale, with a balancer attached. */
final class Training {
  private static final double[] SCALES = {1.0, 3.0, 0.5};

  private final INDArray teacher;
  final ComputationGraph net;
  final LossBalancer balancer;
  private final String[] tasks;
  private int steps;

  Training(String... tasks) {
    this(GradNorm.builder().alpha(0.5).build(), tasks);
  }

  Training(LossBalancer balancer, String... tasks) {
    this.tasks = tasks;
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(7)
            .updater(new Adam(2e-3))
            .graphBuilder()
            .addInputs("in")
            .addLayer(
                "trunk",
                new DenseLayer.Builder().nIn(8).nOut(32).activation(Activation.RELU).build(),
                "in");
    for (String task : tasks) {
      graph.addLayer(
          task,
          new OutputLayer.Builder(LossFunction.MSE)
              .nIn(32)
              .nOut(2)
              .activation(Activation.IDENTITY)
              .build(),
          "trunk");
    }
    net = new ComputationGraph(graph.setOutputs(tasks).build());
    net.init();
    this.balancer = balancer.attach(net);
    Nd4j.getRandom().setSeed(11);
    teacher = Nd4j.randn(8, 2);
  }

  /** Takes so many steps, each on a minibatch of its own. */
  void fit(int count) {
    for (MultiDataSet batch : batches(count)) {
      net.fit(batch);
    }
  }

  /** The next minibatches. */
  MultiDataSet[] batches(int count) {
    MultiDataSet[] batches = new MultiDataSet[count];
    for (int i = 0; i < count; i++) {
      Nd4j.getRandom().setSeed(++steps);
      INDArray x = Nd4j.randn(32, 8);
      INDArray[] y = new INDArray[tasks.length];
      for (int task = 0; task < y.length; task++) {
        INDArray target = Nd4j.math().sin(x.mmul(teacher).mul(0.3 * (task + 1)));
        y[task] = target.add(Nd4j.randn(32, 2).mul(0.1)).mul(SCALES[task]);
      }
      batches[i] = new MultiDataSet(new INDArray[] {x}, y);
    }
    return batches;
  }
}
