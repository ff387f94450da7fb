package org.gradnorm4j.gradnorm;

/**
 * All that GradNorm remembers from one step to the next. Immutable by convention: who holds one
 * does not write into its arrays.
 *
 * @param updates number of weight updates so far
 * @param lossWeights λ_i for the next step
 * @param totalWeight Σ λ_i, which stays as it was at the start
 * @param initialLosses L_i(0), or null before the first step
 * @param optimizer state of the weights' optimiser
 */
record GradNormState(
    int updates,
    double[] lossWeights,
    double totalWeight,
    double[] initialLosses,
    double[] optimizer) {}
