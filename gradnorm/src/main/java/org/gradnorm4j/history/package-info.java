/**
 * What a training run recorded: {@link org.gradnorm4j.history.History} is what a user reads and
 * writes as CSV, {@link org.gradnorm4j.history.HistoryRecorder} is how a balancer fills it, {@link
 * org.gradnorm4j.history.HistoryView} is a snapshot for those who draw or save it. Columns come
 * from the strategy's {@link org.gradnorm4j.weighting.Quantity quantities}; nothing here knows a
 * strategy. Uses {@code org.gradnorm4j.weighting} and {@code org.gradnorm4j.core}, no type of ND4J.
 */
package org.gradnorm4j.history;
