package org.gradnorm4j.ui;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.core.util.UIDProvider;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.ui.model.stats.BaseStatsListener;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.core.parallel.RoundListener;
import org.gradnorm4j.weighting.BalancedStep;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Writes a balancer's steps, of any strategy, to a stats storage, in memory, in a file or on
 * another machine, for the page {@code /gradnorm} of the UI server to which that storage is
 * attached.
 *
 * <pre>{@code
 * StatsStorage storage = new InMemoryStatsStorage();
 * UIServer.getInstance().attach(storage);
 * net.addListeners(new LossBalancerStatsListener(balancer, storage));
 * }</pre>
 *
 * <p>Records what is measured while it listens: not the last step of a run that was restored, and
 * nothing while the weights are frozen.
 *
 * <p>A {@code FileStatsStorage} writes each step to disk at once: where steps are short, record
 * every tenth or hundredth.
 *
 * <p><b>Note:</b> a storage tells records apart by their millisecond. Steps that take less get the
 * milliseconds that follow, so none is lost.
 */
public final class LossBalancerStatsListener extends BaseTrainingListener implements RoundListener {
  private final LossBalancer balancer;
  private final StatsStorageRouter storage;
  private final int frequency;
  private final LongSupplier clock;
  private final String worker = UIDProvider.getJVMUID() + "_" + UUID.randomUUID();
  private String session;
  private boolean begun;
  private BalancedStep last;
  private long steps;
  private long time;

  /**
   * Records every step.
   *
   * @param balancer attached, now or later, to the network this listens to
   * @param storage where to
   */
  public LossBalancerStatsListener(LossBalancer balancer, StatsStorageRouter storage) {
    this(balancer, storage, 1);
  }

  /**
   * Records the first of every so many steps.
   *
   * @param balancer attached, now or later, to the network this listens to
   * @param storage where to
   * @param frequency from one recorded step to the next, of the steps that are measured; &ge; 1
   * @throws IllegalArgumentException if frequency is less than 1
   */
  public LossBalancerStatsListener(
      LossBalancer balancer, StatsStorageRouter storage, int frequency) {
    this(balancer, storage, frequency, System::currentTimeMillis);
  }

  /** As above, with a clock of milliseconds. */
  LossBalancerStatsListener(
      LossBalancer balancer, StatsStorageRouter storage, int frequency, LongSupplier clock) {
    if (frequency < 1) {
      throw new IllegalArgumentException("frequency (" + frequency + ") must be >= 1");
    }
    this.balancer = Objects.requireNonNull(balancer, "balancer");
    this.storage = Objects.requireNonNull(storage, "storage");
    this.frequency = frequency;
    this.clock = clock;
  }

  @Override
  public void onForwardPass(Model model, List<INDArray> activations) {
    begin();
  }

  @Override
  public void onForwardPass(Model model, Map<String, INDArray> activations) {
    begin();
  }

  /** The step that is there before the first one we see is not ours: restored, or long done. */
  private synchronized void begin() {
    if (!begun) {
      begun = true;
      last = balancer.lastStep().orElse(null);
    }
  }

  /** Records the step, unless it is recorded already; called by Deeplearning4j. */
  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    record(model);
  }

  /**
   * Records the last round, too; called by {@link org.gradnorm4j.core.parallel.ParallelTraining}.
   */
  @Override
  public void roundDone(Model network, boolean whole) {
    record(network);
  }

  private synchronized void record(Model model) {
    begin();
    BalancedStep step = balancer.lastStep().orElse(null);
    if (step == null || step == last) {
      return;
    }
    last = step;
    if (session == null) {
      session = sessionOf(model);
      storage.putStaticInfo(
          LossBalancerRecord.ofRun(session, worker, nextTime(), balancer.history()));
    }
    if (steps++ % frequency == 0) {
      storage.putUpdate(LossBalancerRecord.ofStep(session, worker, nextTime(), step));
    }
  }

  private long nextTime() {
    time = Math.max(clock.getAsLong(), time + 1);
    return time;
  }

  /** That of the network's StatsListener, so that both pages speak of the same session. */
  private static String sessionOf(Model model) {
    return listeners(model).stream()
        .filter(BaseStatsListener.class::isInstance)
        .map(listener -> ((BaseStatsListener) listener).getSessionID())
        .findFirst()
        .orElseGet(() -> UUID.randomUUID().toString());
  }

  private static Collection<TrainingListener> listeners(Model model) {
    if (model instanceof ComputationGraph graph) {
      return graph.getListeners();
    }
    return model instanceof MultiLayerNetwork network ? network.getListeners() : List.of();
  }
}
