package org.gradnorm4j.gradnorm;

/**
 * How the optimiser's step moves the loss weights. With &Delta;<sub>i</sub> what the optimiser
 * makes of the gradient of L<sub>grad</sub> (up to a bound, see {@link
 * GradNormBuilder#lossWeightUpdater}); both are followed by the renormalisation to &Sigma; &lambda;
 * = T.
 */
public enum WeightUpdate {
  /**
   * log &lambda;<sub>i</sub> &larr; log &lambda;<sub>i</sub> &minus; &Delta;<sub>i</sub>, with the
   * gradient &part;L<sub>grad</sub>/&part;log &lambda;<sub>i</sub> = &lambda;<sub>i</sub>
   * &part;L<sub>grad</sub>/&part;&lambda;<sub>i</sub>. Weights stay positive, and a step changes a
   * weight of 0.001 by the same fraction as a weight of 1. The default.
   *
   * <p><b>Note:</b> the paper moves &lambda; itself, see {@link #ADDITIVE}.
   */
  MULTIPLICATIVE,

  /**
   * &lambda;<sub>i</sub> &larr; &lambda;<sub>i</sub> &minus; &Delta;<sub>i</sub>: the paper's
   * Algorithm 1 to the letter.
   *
   * <p><b>Note:</b> nothing keeps a weight positive. If the tasks' gradients differ by more than
   * about 2 / learning rate, the balanced weight is smaller than one step, and the weight crosses
   * zero: the task's loss is then maximised. Where weights are negative the paper's factor &Sigma;
   * &lambda; / &Sigma; (&lambda; &minus; &Delta;) may have any size and sign; they are brought to
   * the sum by &lambda;<sub>i</sub> + c |&lambda;<sub>i</sub>| instead, which is that factor where
   * all are positive.
   */
  ADDITIVE
}
