package org.gradnorm4j.core.parallel;

import org.deeplearning4j.nn.api.Model;
import org.gradnorm4j.core.internal.dl4j.MeasuredNetwork;

/**
 * One worker of a ParallelWrapper: has its network measured in the rounds of all of them. The first
 * trains the user's network, the others copies that ParallelWrapper makes of it, with plain losses.
 */
final class Worker {
  private final Round round;
  private final MeasuredNetwork.Owner owner;
  private final boolean first;
  private MeasuredNetwork copy;
  private boolean joined;
  private boolean copied;

  Worker(Round round, int index) {
    this.round = round;
    this.owner = round.ofWorker(index);
    this.first = index == 0;
  }

  /** On the worker's thread, before its first minibatch. */
  void begin(Model network) {
    if (!first) {
      copy = round.root().attachCopy(network, owner);
      copied();
    }
  }

  /**
   * On the worker's thread, when it ends for whatever reason: nobody waits for its copy any more.
   */
  void stopped() {
    copied();
  }

  private void copied() {
    if (!first && !copied) {
      copied = true;
      round.copied();
    }
  }

  /** On the thread that calls {@code wrapper.fit}, before the worker is given a minibatch. */
  void join() {
    joined = true;
    round.join();
  }

  /** On the worker's thread. */
  void train(Runnable fit) {
    if (first) {
      round.awaitCopies();
      round.root().lendTo(owner, fit);
      return;
    }
    if (!round.isAttached()) {
      copy.detach();
    }
    fit.run();
  }

  /** On the thread that calls {@code wrapper.fit}, when the worker has trained. */
  void leave() {
    if (joined) {
      joined = false;
      round.leave();
    }
  }

  /** On the thread that calls {@code wrapper.fit}, before the worker is stopped. */
  void ending() {
    if (first) {
      round.end();
    }
  }

  /** When the worker has stopped. */
  void end() {
    if (copy != null) {
      copy.detach();
    }
  }
}
