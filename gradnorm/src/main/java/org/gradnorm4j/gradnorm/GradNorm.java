package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.balancer.BalancerSettings;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.balancer.LossBalancerCheckpoint;
import org.gradnorm4j.balancer.SavedRun;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.weighting.Arguments;
import org.gradnorm4j.weighting.Quantity;

/**
 * Balances the losses of a multi-output ComputationGraph, or the terms of a {@link CompositeLoss},
 * while the network trains, by GradNorm (Chen et al., ICML 2018, arXiv 1711.02257).
 *
 * <p>The network is trained on L = &Sigma;<sub>i</sub> &lambda;<sub>i</sub> L<sub>i</sub>, one task
 * per loss. After each step the loss weights &lambda;<sub>i</sub> take one step of an optimiser
 * that brings the tasks' gradient norms on the last shared layer W to a common scale, and gives
 * more to a task that has fallen behind:
 *
 * <pre>
 *   L_grad(λ) = Σ_i | G_i − Ḡ · r_i^α |
 *
 *   G_i = ‖∇_W λ_i L_i‖₂         norm of the weighted gradient of task i
 *   Ḡ   = mean of G_i
 *   r_i = (L_i / L_i(0)) / mean   above 1: the task trains more slowly than the others
 *   α  ≥ 0                        strength of the restoring force
 * </pre>
 *
 * and are then scaled to &Sigma; &lambda;<sub>i</sub> = T (with configured weights other than 1, as
 * of a {@link CompositeLoss}: to their sum, and they begin with them). The target &#7712;
 * r<sub>i</sub> <sup>&alpha;</sup> counts as a constant (Algorithm 1); L<sub>i</sub>(0) is the loss
 * of the first step, if no other {@link InitialLoss} is set.
 *
 * <p>A task without labels in a minibatch (its mask leaves out all of them) takes no step of the
 * optimiser in it. It is compared by what the last step with labels of it showed, if that is not
 * too long ago ({@link GradNormBuilder#taskWindow}), and shares the scaling of the weights; later
 * its weight, and all that is remembered of it, stay as they are, and the others share the rest of
 * &Sigma; &lambda;. So it is at once with a task whose gradient is exactly zero, which no weight
 * can change. A step with a NaN or infinite loss or norm is skipped and counted ({@link #skips()}).
 *
 * <pre>{@code
 * GradNorm gradNorm = GradNorm.builder().alpha(1.5).build();
 * gradNorm.attach(net);                // an initialised ComputationGraph with several outputs
 * net.fit(iterator, 20);               // as before
 * System.out.println(gradNorm.lossWeights());
 * gradNorm.history().writeCsv(Path.of("history.csv"));
 * gradNorm.detach();
 * }</pre>
 *
 * <p><b>Note:</b> by default the weights are updated multiplicatively, where the paper adds; see
 * {@link WeightUpdate}. Everything else is the paper's.
 *
 * <p>{@link #change} gives a run other settings. All else that a balancer can do is in {@link
 * LossBalancer}.
 */
public final class GradNorm extends LossBalancer {
  /**
   * The norm that each task's weighted gradient is to have, &#7712;
   * r<sub>i</sub><sup>&alpha;</sup>.
   */
  public static final Quantity TARGET_GRADIENT_NORM =
      Quantity.perTask("target_gradient_norm", "Target gradient norms", "Ḡ r^α")
          .drawnWith(Quantity.WEIGHTED_GRADIENT_NORM);

  /** r<sub>i</sub>, the loss ratio over its mean; above 1 a task trains more slowly than others. */
  public static final Quantity RELATIVE_INVERSE_TRAINING_RATE =
      Quantity.perTask("relative_inverse_training_rate", "Relative inverse training rates", "r");

  /** Inverse training rates L&#771;<sub>i</sub> = L<sub>i</sub> / L<sub>i</sub>(0). */
  public static final Quantity LOSS_RATIO =
      Quantity.perTask("loss_ratio", "Losses over the initial losses", "L / L(0)");

  /**
   * L<sub>grad</sub> = &Sigma; |G<sub>i</sub> &minus; target<sub>i</sub>|, the loss of the weights.
   */
  public static final Quantity GRADIENT_LOSS =
      Quantity.ofStep("gradient_loss", "Gradient loss", "L_grad");

  GradNorm(GradNormSettings settings, BalancerSettings balancer) {
    super(new GradNormWeighting(settings), balancer);
  }

  private GradNorm(SavedRun run) {
    super(run);
  }

  /**
   * Starts from the defaults: the last layer that all outputs depend on, &alpha; = 1.5, Adam with
   * learning rate 0.025, multiplicative updates.
   *
   * @return a new builder
   */
  public static GradNormBuilder builder() {
    return new GradNormBuilder();
  }

  @Override
  public GradNorm attach(ComputationGraph graph) {
    super.attach(graph);
    return this;
  }

  @Override
  public GradNorm attach(MultiLayerNetwork network) {
    super.attach(network);
    return this;
  }

  /**
   * Gives a run other settings, from the next step on, and keeps what it has: loss weights, initial
   * losses, moments of their optimiser, history.
   *
   * <pre>{@code
   * gradNorm.change(settings -> settings.alpha(0.5).lossWeightUpdater(new Adam(0.01)));
   * }</pre>
   *
   * <p>An updater of another kind begins with moments of its own, another {@link
   * GradNormBuilder#smoothing} with new averages; weights outside of new limits are brought within
   * them. The shared layer, {@link GradNormBuilder#lossScale}, initial losses, shifts and floors
   * cannot change once a run has begun. May be called from any thread. The history's settings, and
   * with them the report, say what was changed and when; so does a log line.
   *
   * @param changes gets a builder with the settings as they are; not kept
   * @return this
   * @throws IllegalArgumentException if null, or for what cannot change, or a setting that is
   *     impossible; nothing has changed then
   */
  public GradNorm change(Consumer<GradNormBuilder> changes) {
    Arguments.given(changes, "changes", "must be made to the builder");
    synchronized (this) {
      GradNormSettings before = ((GradNormWeighting) weighting()).settings();
      GradNormBuilder builder = new GradNormBuilder(before, settings());
      changes.accept(builder);
      change(builder.weighting(), builder.balancer());
    }
    return this;
  }

  /**
   * A GradNorm that goes on where the saved one was, once it is attached to a network with the same
   * tasks. Its history begins anew.
   *
   * @param file as for {@link LossBalancer#restore}; not modified
   * @return with the settings of the one that was saved, not attached
   * @throws IOException as for {@link LossBalancer#restore}, or if another strategy wrote it
   */
  public static GradNorm restore(Path file) throws IOException {
    return new GradNorm(checked(read(file), file));
  }

  /**
   * The GradNorm in a model's file, with its history.
   *
   * <pre>{@code
   * ComputationGraph net = ModelSerializer.restoreComputationGraph(file.toFile(), true);
   * GradNorm gradNorm = GradNorm.restoreFromModel(file).attach(net);
   * }</pre>
   *
   * @param file written by {@link #writeModel} or {@link LossBalancerCheckpoint}; not modified
   * @return with the settings of the one that was saved, not attached
   * @throws IOException as for {@link LossBalancer#restoreFromModel}, or if another strategy wrote
   *     it
   */
  public static GradNorm restoreFromModel(Path file) throws IOException {
    GradNorm gradNorm = new GradNorm(checked(readFromModel(file), file));
    gradNorm.readHistory(file);
    return gradNorm;
  }

  private static SavedRun checked(SavedRun run, Path file) throws IOException {
    if (run.weighting() instanceof GradNormWeighting) {
      return run;
    }
    throw new IOException(
        String.format(
            Locale.ROOT,
            "%s is of the strategy '%s', not of GradNorm. Restore it with LossBalancer",
            file,
            run.weighting().id()));
  }
}
