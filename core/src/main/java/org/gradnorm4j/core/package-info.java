/**
 * What one training step of a network showed, as values: {@link
 * org.gradnorm4j.core.StepMeasurement} and {@link org.gradnorm4j.core.Tasks}. They depend on
 * nothing else, Deeplearning4j and ND4J included, so that whatever chooses loss weights can be
 * written and tested without a network. What fills them is in the packages below: {@code
 * core.probe} measures while a network trains, {@code core.analysis} without training, {@code
 * core.parallel} what the workers of a ParallelWrapper train. None of them knows how loss weights
 * are chosen.
 */
package org.gradnorm4j.core;
