/**
 * Takes the gradient of a loss apart without training: {@link
 * org.gradnorm4j.core.analysis.GradientNorms} asks, {@link
 * org.gradnorm4j.core.analysis.GradientAnalysis} answers. The network is only read; all passes run
 * on a copy.
 */
package org.gradnorm4j.core.analysis;
