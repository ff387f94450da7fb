/**
 * The way in: a {@link org.gradnorm4j.core.probe.GradientNormProbe} is attached to a network, which
 * then trains as before and reports every step as a {@link org.gradnorm4j.core.StepMeasurement}. A
 * step is one call of {@code computeGradientAndScore()}, by {@code fit} or by anybody else, of
 * either kind of network, but for those in {@link
 * org.gradnorm4j.core.probe.GradientNormProbe#notAStep(Runnable)}. How it works is told where it is
 * done, in {@code core.internal.dl4j}; nothing here touches Deeplearning4j's objects itself.
 */
package org.gradnorm4j.core.probe;
