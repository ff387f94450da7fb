/**
 * Runnable programs that train with and without GradNorm and compare: MultiMNIST on real digits,
 * the regression toy of the paper's section 4, and a digit classifier on a composite loss. {@link
 * org.gradnorm4j.examples.Examples} is the command line.
 *
 * <p>A command ({@code MultiMnistCommand}, {@code ToyCommand}, {@code CompositeCommand}) turns its
 * options into a {@code Problem}: a network, as a {@code Learner}, and its data. {@code Trainer}
 * trains it, once per balancer, from the same initial parameters on the same minibatches; {@code
 * RunFiles} writes what came out.
 */
package org.gradnorm4j.examples;
