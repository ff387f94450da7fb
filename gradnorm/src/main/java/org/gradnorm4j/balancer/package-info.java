/**
 * The facade: {@link org.gradnorm4j.balancer.LossBalancer} attaches any {@link
 * org.gradnorm4j.weighting.LossWeighting} to a network, remembers, saves and goes on. The path of a
 * step: the probe of {@code org.gradnorm4j.core.probe} measures; {@code LossBalancer} takes the
 * measurement under its lock; {@code Run} guards it against NaN, asks the strategy, and records;
 * the weights that come out are installed for the next step. The listeners that save and log are
 * here too. No strategy is known here.
 */
package org.gradnorm4j.balancer;
