/**
 * Optimisers of loss weights as pure functions. All that touches ND4J's updaters is here; {@link
 * org.gradnorm4j.optimizer.WeightOptimizer#of} is the way in, and what a strategy sees has no type
 * of ND4J. Depends on nothing else of ours.
 */
package org.gradnorm4j.optimizer;
