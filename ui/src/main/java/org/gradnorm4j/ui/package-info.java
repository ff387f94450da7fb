/**
 * Loss balancing, by any strategy, in Deeplearning4j's UI server: {@link
 * org.gradnorm4j.ui.LossBalancerStatsListener} writes each step to a {@code StatsStorage}, as
 * Deeplearning4j's own StatsListener does, and the server shows it at {@code /gradnorm}.
 *
 * <pre>{@code
 * StatsStorage storage = new InMemoryStatsStorage();
 * UIServer.getInstance().attach(storage);
 * net.setListeners(new StatsListener(storage), new LossBalancerStatsListener(balancer, storage));
 * }</pre>
 */
package org.gradnorm4j.ui;
