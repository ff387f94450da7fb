/**
 * Runnable programs that train with and without GradNorm and compare: MultiMNIST on real digits,
 * and the regression toy of the paper's section 4. {@link org.gradnorm4j.examples.Examples} is the
 * command line.
 *
 * <p>A command ({@code MultiMnistCommand}, {@code ToyCommand}) turns its options into a {@code
 * Problem}: a network and its data. {@code Trainer} trains it, once per balancer, from the same
 * initial parameters on the same minibatches; {@code RunFiles} writes what came out.
 */
package org.gradnorm4j.examples;
