/**
 * Losses with parts that have names: {@link org.gradnorm4j.core.loss.CompositeLoss}, several terms
 * of one output, and {@link org.gradnorm4j.core.loss.WeightPenalty}, a penalty on the weights. They
 * work in any network, attached or not, and are written into saved models: names of classes and
 * fields here are a file format.
 */
package org.gradnorm4j.core.loss;
