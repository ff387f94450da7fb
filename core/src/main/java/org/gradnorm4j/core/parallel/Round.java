package org.gradnorm4j.core.parallel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.internal.dl4j.MeasuredNetwork;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the workers of a ParallelWrapper do between two meetings: each trains on a minibatch of its
 * own, all with the same loss weights, and together they make one measurement.
 *
 * <p>Rounds are begun and ended by the thread that calls {@code wrapper.fit}, which waits for the
 * workers in between. A worker sees what was set before it was given its minibatch, and writes into
 * its own list; DL4J's queue and counter order the two threads.
 */
final class Round {
  private static final Logger log = LoggerFactory.getLogger(ParallelTraining.class);

  private final MeasuredNetwork root;
  private final MeasuredNetwork.Owner owner;
  private final ParallelWrapper wrapper;
  private final boolean averaging;
  private final List<List<StepMeasurement>> measurements = new ArrayList<>();
  private final CountDownLatch copies;
  private int underWay;
  private boolean untold;
  private boolean attached;
  private double[] lossWeights;
  private boolean measuring;
  private boolean wantsGram;

  /**
   * For the workers of the network with this owner, which sets weights and gets measurements.
   *
   * @param averaging whether the wrapper averages parameters
   */
  Round(MeasuredNetwork root, ParallelWrapper wrapper, boolean averaging) {
    this.root = root;
    this.owner = root.owner();
    this.wrapper = wrapper;
    this.averaging = averaging;
    if (owner.combiner() != null) {
      throw new IllegalStateException(
          "the strategy decides on each step's own gradients, which the workers of a ParallelWrapper have apart. Build the balancer with weights for the next step: timing(Timing.NEXT_STEP)");
    }
    this.copies = new CountDownLatch(wrapper.getWorkers() - 1);
    for (int worker = 0; worker < wrapper.getWorkers(); worker++) {
      measurements.add(new ArrayList<>());
    }
    warnOfReplacedListeners();
  }

  private void warnOfReplacedListeners() {
    Collection<TrainingListener> replaced =
        wrapper.getModel() instanceof ComputationGraph graph
            ? graph.getListeners()
            : ((MultiLayerNetwork) wrapper.getModel()).getListeners();
    for (TrainingListener listener : replaced) {
      if (listener instanceof RoundListener && !wrapper.getListeners().contains(listener)) {
        log.warn(
            "{} is not called while a ParallelWrapper trains the network: Deeplearning4j replaces the network's listeners by the wrapper's. Add it with wrapper.setListeners(...)",
            listener.getClass().getSimpleName());
      }
    }
  }

  /** A worker has made its copy of the network, or will make none. */
  void copied() {
    copies.countDown();
  }

  /** DL4J itself lets the first worker train while the others still copy its parameters. */
  void awaitCopies() {
    try {
      copies.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted before the first step", e);
    }
  }

  /** A worker is about to be given a minibatch; the first one opens the round. */
  void join() {
    if (underWay == 0) {
      tell(false);
      attached = root.isAttached();
      lossWeights = owner.lossWeights();
      measuring = owner.isMeasuring();
      wantsGram = owner.wantsGram();
      measurements.forEach(List::clear);
    }
    underWay++;
  }

  /** A worker is done; with the last one the round is over, and its mean goes to the owner. */
  void leave() {
    underWay--;
    if (underWay == 0) {
      if (root.isAttached()) {
        List<StepMeasurement> all = measurements.stream().flatMap(List::stream).toList();
        owner.trained(all.isEmpty() ? null : mean(all));
      }
      untold = true;
    }
  }

  /** The workers are about to stop. */
  void end() {
    if (underWay == 0) { // not within a round that has failed
      tell(true);
    }
  }

  /**
   * DL4J averages when the workers have been waited for, and tells nobody. What comes next is the
   * next round, or the end: there the listeners hear of the round before.
   */
  private void tell(boolean end) {
    if (untold) {
      untold = false;
      boolean whole = isWhole(end);
      for (TrainingListener listener : wrapper.getListeners()) {
        if (listener instanceof RoundListener told) {
          told.roundDone(wrapper.getModel(), whole);
        }
      }
    }
  }

  /** See {@link RoundListener#roundDone}. With shared gradients each worker has a residual. */
  private boolean isWhole(boolean end) {
    return averaging
        ? wrapper.getIterationsCounter().get() % wrapper.getAveragingFrequency() == 0
            && (end || wrapper.isAverageUpdaters())
        : end;
  }

  MeasuredNetwork root() {
    return root;
  }

  /** Whether the network was attached when the round began. */
  boolean isAttached() {
    return attached;
  }

  /** A worker's view: the weights of the round, and its own list. */
  MeasuredNetwork.Owner ofWorker(int worker) {
    List<StepMeasurement> own = measurements.get(worker);
    return new MeasuredNetwork.Owner() {
      @Override
      public double[] lossWeights() {
        return lossWeights;
      }

      @Override
      public boolean isMeasuring() {
        return measuring;
      }

      @Override
      public boolean wantsGram() {
        return wantsGram;
      }

      @Override
      public boolean isWorker() {
        return true;
      }

      @Override
      public void trained(StepMeasurement measurement) {
        if (measurement != null) {
          own.add(measurement);
        }
      }
    };
  }

  /**
   * Every step counts the same, as every worker's parameters do in DL4J's average. An absent task
   * counts as it does within a minibatch: with a loss and a gradient of 0. The Gram matrix is the
   * mean of the steps' own: no gradient of one worker is multiplied with one of another.
   */
  static StepMeasurement mean(List<StepMeasurement> steps) {
    StepMeasurement first = steps.get(0);
    int tasks = first.taskNames().size();
    boolean[] present = new boolean[tasks];
    double[] losses = new double[tasks];
    double[] perLabel = new double[tasks];
    double[] norms = new double[tasks];
    int[] presentIn = new int[tasks];
    for (StepMeasurement step : steps) {
      for (int i = 0; i < tasks; i++) {
        losses[i] += step.losses()[i];
        norms[i] += step.gradientNorms()[i];
        if (step.present()[i]) {
          present[i] = true;
          perLabel[i] += step.lossesPerLabel()[i];
          presentIn[i]++;
        }
      }
    }
    Arrays.setAll(losses, i -> losses[i] / steps.size());
    Arrays.setAll(norms, i -> norms[i] / steps.size());
    Arrays.setAll(perLabel, i -> perLabel[i] / presentIn[i]); // NaN if nowhere
    StepMeasurement.Builder mean = StepMeasurement.of(first.tasks());
    if (steps.stream().allMatch(StepMeasurement::hasGram)) {
      mean.gram(meanGram(steps, tasks));
    }
    return mean.at(first.iteration(), first.epoch())
        .batchSize(steps.stream().mapToInt(StepMeasurement::batchSize).sum())
        .present(present)
        .losses(losses)
        .lossesPerLabel(perLabel)
        .gradientNorms(norms)
        .lossWeights(first.lossWeights())
        .build();
  }

  private static double[][] meanGram(List<StepMeasurement> steps, int tasks) {
    double[][] mean = new double[tasks][tasks];
    for (StepMeasurement step : steps) {
      double[][] gram = step.gram();
      for (int i = 0; i < tasks; i++) {
        for (int j = 0; j < tasks; j++) {
          mean[i][j] += gram[i][j] / steps.size();
        }
      }
    }
    return mean;
  }
}
