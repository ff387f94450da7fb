package org.gradnorm4j.weighting;

/** Which step the weights that a {@link LossWeighting} decides on are for. */
public enum Timing {
  /** The next one: heads and shared layers train with them, as with weights in front of losses. */
  NEXT_STEP,

  /**
   * The very step that was measured: the tasks' gradients are combined where they meet, at the
   * shared layers. The heads train on their own losses, unweighted, unless {@link
   * LossWeighting#headsWeighted()}.
   */
  SAME_STEP
}
