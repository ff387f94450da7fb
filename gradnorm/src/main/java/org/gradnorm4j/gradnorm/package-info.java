/**
 * GradNorm (Chen, Badrinarayanan, Lee, Rabinovich: <i>GradNorm: Gradient Normalization for Adaptive
 * Loss Balancing in Deep Multitask Networks</i>, ICML 2018, arXiv 1711.02257) for Deeplearning4j.
 *
 * <p>{@link org.gradnorm4j.gradnorm.GradNorm} is the way in. It takes each step's measurement from
 * {@link org.gradnorm4j.core.probe.GradientNormProbe}, hands it to {@code GradNormRule} (the
 * equations, on plain doubles) and installs the loss weights that come out for the next step.
 */
package org.gradnorm4j.gradnorm;
