package org.gradnorm4j.balancer;

/** What to do in a step whose loss or gradient norm is NaN or infinite. */
public enum NonFinitePolicy {
  /**
   * Leave the loss weights as they are, count it, and warn the first time. The network itself is
   * updated as it would be without balancing. The default.
   */
  SKIP,

  /**
   * End the fit with an {@link ArithmeticException} that names the tasks, before the parameters of
   * the network change. In steps that are measured, see {@link LossBalancerBuilder#measureEvery}.
   *
   * <p><b>Note:</b> the workers of a ParallelWrapper have changed theirs by then: a round is
   * complete when all of them have trained.
   */
  THROW
}
