package org.gradnorm4j.testing;

import java.util.stream.Stream;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;

/** The updaters of ND4J that optimise loss weights. */
public final class Updaters {
  private Updaters() {}

  public static Stream<IUpdater> all() {
    return Stream.of(
        new Sgd(0.1),
        new Adam(0.025),
        new AMSGrad(0.01),
        new AdaDelta(),
        new AdaGrad(0.1),
        new AdaMax(0.01),
        new Nadam(0.01),
        new Nesterovs(0.01, 0.9),
        new RmsProp(0.01));
  }
}
