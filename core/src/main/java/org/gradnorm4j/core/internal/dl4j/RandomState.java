package org.gradnorm4j.core.internal.dl4j;

import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.factory.Nd4j;

/** Where ND4J's random numbers are, so that they can be drawn again. */
public record RandomState(long root, long node) {

  public static RandomState current() {
    Random random = Nd4j.getRandom();
    return new RandomState(random.rootState(), random.nodeState());
  }

  public void restore() {
    Nd4j.getRandom().setStates(root, node);
  }
}
