/**
 * The seam between measuring and deciding: {@link org.gradnorm4j.weighting.LossWeighting} is a pure
 * function from what a step measured to the loss weights of the next, {@link
 * org.gradnorm4j.weighting.Quantity} names what it reports, {@link
 * org.gradnorm4j.weighting.BalancedStep} is the record of one step. Whoever writes a strategy needs
 * this package and {@code org.gradnorm4j.core}, and no type of ND4J. Depends on nothing else of
 * ours.
 */
package org.gradnorm4j.weighting;
