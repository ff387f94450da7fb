package org.gradnorm4j.core.internal.dl4j;

import org.nd4j.linalg.api.ndarray.INDArray;

/** What differs between the kinds of network: where to listen in, and where to read. */
interface Attachment {

  /** Begins to listen in, other than through the losses. */
  default void install() {}

  /** Gives back what {@link #install} took, also in the middle of a step of this thread. */
  default void remove() {}

  /** Whether it is this network's backward pass that asks a loss for the gradient. */
  boolean isOwnGradient(INDArray labels);

  /** Whether it is this network's training step, backward pass done, that asks for the score. */
  boolean isOwnScore(INDArray labels);

  /** In a step whose gradients are combined, a loss is noted before its gradient is sent back. */
  default void lossNoted() {}

  /** All losses of a step are noted. */
  default void scored() {}

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

    /** The network forgets what it has computed: what is open now does not end any more. */
    void abandon();

    /** The losses have sent back their gradients, and none has come through the shared layers. */
    void bypassed();
  }
}
