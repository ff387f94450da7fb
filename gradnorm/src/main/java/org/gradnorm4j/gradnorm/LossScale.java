package org.gradnorm4j.gradnorm;

/**
 * What L<sub>i</sub> is when GradNorm compares it with L<sub>i</sub>(0). The two differ where masks
 * leave out some of a task's labels, and in series and images, which have several labels per
 * example. What the network trains on, and the gradient norms, stay as Deeplearning4j has them.
 */
public enum LossScale {
  /**
   * &Sigma; &#8467; over the present labels / number of examples in the minibatch: the score that
   * Deeplearning4j reports, and trains on. The default. If the number of present labels changes
   * from one minibatch to the next, L<sub>i</sub> changes with it.
   */
  EXAMPLES,

  /**
   * &Sigma; &#8467; over the present labels / number of present labels: does not depend on how many
   * labels a minibatch happens to have. For partly labelled data, and series of different lengths.
   */
  LABELS
}
