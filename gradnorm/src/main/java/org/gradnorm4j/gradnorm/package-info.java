/**
 * GradNorm (Chen, Badrinarayanan, Lee, Rabinovich: <i>GradNorm: Gradient Normalization for Adaptive
 * Loss Balancing in Deep Multitask Networks</i>, ICML 2018, arXiv 1711.02257) for Deeplearning4j.
 *
 * <p>{@link org.gradnorm4j.gradnorm.GradNorm} is the way in: a {@link
 * org.gradnorm4j.balancer.LossBalancer} whose strategy is {@code GradNormWeighting}, which asks
 * {@code GradNormRule} (the equations, on plain doubles, without a type of ND4J). Only the builder
 * sees ND4J's updaters. Other packages may use what is public here; none needs to.
 */
package org.gradnorm4j.gradnorm;
