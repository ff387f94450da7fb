package org.gradnorm4j.core.parallel;

import org.deeplearning4j.nn.api.Model;
import org.gradnorm4j.core.internal.dl4j.WorkerThread;

/**
 * A TrainingListener of a ParallelWrapper that has to know where a round ends. Deeplearning4j calls
 * a wrapper's listeners in the middle of a round: on each worker's thread, with that worker's
 * network, before parameters are averaged. One that implements this as well is called again between
 * two rounds, once, with the wrapper's own network.
 *
 * <pre>{@code
 * wrapper.setListeners(listener);
 * ParallelTraining.attach(wrapper);
 * }</pre>
 */
public interface RoundListener {

  /**
   * A round is over, and GradNorm or whoever else listens to the attachment has had its
   * measurement. Called on the thread that called {@code wrapper.fit}, which an exception ends.
   *
   * @param network the wrapper's, with its iteration counted
   * @param whole whether the network has all that training goes on from: all workers are as it is,
   *     or will be made anew from it. So it is where parameters and updaters have just been
   *     averaged, and where {@code wrapper.fit} ends; not at the end of a {@code fit} that was not
   *     averaged, as the next one averages where this one has left off
   */
  void roundDone(Model network, boolean whole);

  /**
   * Whether the calling thread is a worker in the middle of a round. Looks at the whole stack: not
   * for every step.
   *
   * @return true in a ParallelWrapper's call of a listener
   */
  static boolean isInRound() {
    return WorkerThread.isCurrent();
  }
}
