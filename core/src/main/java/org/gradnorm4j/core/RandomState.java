package org.gradnorm4j.core;

import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.factory.Nd4j;

/** Where ND4J's random numbers are, so that they can be drawn again. */
record RandomState(long root, long node) {

  static RandomState current() {
    Random random = Nd4j.getRandom();
    return new RandomState(random.rootState(), random.nodeState());
  }

  void restore() {
    Nd4j.getRandom().setStates(root, node);
  }
}
