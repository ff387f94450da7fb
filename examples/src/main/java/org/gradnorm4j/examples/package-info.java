/**
 * Runnable programs that train with and without GradNorm and compare: MultiMNIST on real digits,
 * the regression toy of the paper's section 4, a digit classifier on a composite loss, and any
 * table of the user's. {@link org.gradnorm4j.examples.Examples} is the command line.
 *
 * <p>A command ({@code MultiMnistCommand}, {@code ToyCommand}, {@code CompositeCommand}, {@code
 * CsvCommand}) turns its options into a {@code Problem}: a network, as a {@code Learner}, and its
 * data. {@code Trainer} trains it, once per balancer, from the same initial parameters on the same
 * minibatches, with the loss weights of a {@code Weighting}; {@code RunFiles} writes what came out.
 *
 * <p>A table is read by {@code TableReader}, row by row from {@code CsvFile}s; {@code
 * TableEncoding} makes {@code Samples} of it, {@code TableStudy} trains on them for one seed after
 * the other, and {@code TableAnswer} says what the {@code TableResults} mean.
 */
package org.gradnorm4j.examples;
