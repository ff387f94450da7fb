/**
 * Strategies other than GradNorm, one a file: pure functions on doubles, without a type of ND4J.
 * Each is a {@link org.gradnorm4j.weighting.LossWeighting}, and is attached by {@code
 * LossBalancer.of(...)}. To add one, write the class and its line in {@code StrategyCatalog}.
 */
package org.gradnorm4j.strategies;
