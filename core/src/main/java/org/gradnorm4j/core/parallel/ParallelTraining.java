package org.gradnorm4j.core.parallel;

import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.deeplearning4j.parallelism.factory.DefaultTrainerContext;
import org.deeplearning4j.parallelism.factory.SymmetricTrainerContext;
import org.deeplearning4j.parallelism.factory.TrainerContext;
import org.deeplearning4j.parallelism.trainer.Trainer;
import org.gradnorm4j.core.internal.dl4j.MeasuredNetwork;

/**
 * Lets a network that is attached be trained by a ParallelWrapper: every worker's copy of it is
 * measured, and all of them train with the same loss weights.
 *
 * <pre>{@code
 * gradNorm.attach(net);                                   // or a GradientNormProbe
 * ParallelWrapper wrapper = new ParallelWrapper.Builder<>(net).workers(4).build();
 * ParallelTraining.attach(wrapper);
 * wrapper.fit(iterator);
 * }</pre>
 *
 * <p>The workers take one minibatch each and then wait for each other. Such a round of K
 * minibatches makes one measurement, and so one update of the loss weights:
 *
 * <pre>
 *   L_i  =  1/K Σ_k L_i(k)            mean of the workers' losses
 *   n_i  =  1/K Σ_k ‖∇_W L_i(k)‖      mean of the workers' gradient norms
 * </pre>
 *
 * Its batch size is that of all minibatches together; its iteration and epoch are those of the
 * network. It does not depend on which worker is faster. {@code measureEvery(n)} counts rounds.
 *
 * <p><b>Note:</b> the norm of the mean gradient would be smaller, by what the minibatches disagree.
 * The mean of the norms is what each worker's own minibatch shows.
 *
 * <p>A wrapper takes the network's listeners over when it is built; later ones it takes by {@code
 * setListeners}. Deeplearning4j calls them in the middle of a round, from every worker. A {@link
 * RoundListener} among them is told as well when a round is over.
 *
 * <p>The measurement is complete when the workers have trained already: an exception thrown by the
 * listener ends {@code wrapper.fit}, but after the parameters have changed. Detaching is possible
 * at any time; a round under way ends as it began in all copies.
 *
 * <p>Needs {@code org.deeplearning4j:deeplearning4j-parallel-wrapper} on the class path. Without
 * this call, {@code wrapper.fit} of an attached network ends with an exception before its first
 * step.
 */
public final class ParallelTraining {
  private ParallelTraining() {}

  /**
   * Shares the attachment of the wrapper's network among the workers, in every {@code fit} from the
   * next on; while the network is not attached, the wrapper works as before. A second call does
   * nothing.
   *
   * @param wrapper for averaged parameters, shared gradients or a gradients accumulator of the
   *     user's; its trainer context is replaced
   * @throws IllegalArgumentException if the wrapper is null, or has a trainer context that is not
   *     DL4J's
   */
  public static void attach(ParallelWrapper wrapper) {
    if (wrapper == null) {
      throw new IllegalArgumentException(
          "wrapper (null) must not be null. Build it first: new ParallelWrapper.Builder<>(net)");
    }
    TrainerContext context = wrapper.getTrainerContext();
    if (context instanceof Context) {
      return;
    }
    if (!(context instanceof DefaultTrainerContext || context instanceof SymmetricTrainerContext)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "trainer context (%s) must be Deeplearning4j's DefaultTrainerContext or SymmetricTrainerContext. Leave the wrapper's as it was built",
              context.getClass().getName()));
    }
    wrapper.setTrainerContext(new Context(context));
  }

  /** Makes DL4J's trainers, told to a {@link Worker} each if the network is attached. */
  private static final class Context implements TrainerContext {
    private final TrainerContext plain;
    private Round round;

    Context(TrainerContext plain) {
      this.plain = plain;
    }

    @Override
    public void init(Model model, Object... arguments) {
      plain.init(model, arguments);
    }

    @Override
    public Trainer create(
        String uuid,
        int index,
        Model model,
        int rootDevice,
        boolean multi,
        ParallelWrapper wrapper,
        WorkspaceMode workspaces,
        int averagingFrequency) {
      if (index == 0) {
        round =
            MeasuredNetwork.of(model)
                .map(root -> new Round(root, wrapper, plain instanceof DefaultTrainerContext))
                .orElse(null);
      }
      if (round == null) {
        return plain.create(
            uuid, index, model, rootDevice, multi, wrapper, workspaces, averagingFrequency);
      }
      Worker worker = new Worker(round, index);
      return plain instanceof SymmetricTrainerContext
          ? new SharingWorker(worker, uuid, index, model, multi, wrapper, workspaces)
          : new AveragingWorker(
              worker, uuid, index, model, multi, wrapper, workspaces, averagingFrequency);
    }

    @Override
    public void finalizeRound(Model original, Model... models) {
      plain.finalizeRound(original, models);
    }

    @Override
    public void finalizeTraining(Model original, Model... models) {
      plain.finalizeTraining(original, models);
    }
  }
}
