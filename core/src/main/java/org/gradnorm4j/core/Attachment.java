package org.gradnorm4j.core;

/** What differs between the kinds of network: where to listen in, and where to read. */
interface Attachment {

  /** Begins to listen in, other than through the losses. */
  default void install() {}

  /** Gives back what {@link #install} took, also in the middle of a step. */
  default void remove() {}

  /** Who the losses report to. */
  WeightedLoss.Calls calls();

  /** Whether DL4J divides gradients by the minibatch size. */
  boolean isMiniBatch();

  int iteration();

  int epoch();

  /** Where a step is. */
  interface StepEvents {
    /** A forward pass has got to the shared layers, in training or not. */
    void begin();

    /** A backward pass has gone through the shared layers. */
    void measured();

    /** The step is over, but for the update of the parameters. */
    void end();
  }
}
