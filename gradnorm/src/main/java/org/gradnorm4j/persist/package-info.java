/**
 * Files: {@link org.gradnorm4j.persist.AtomicFile} has all of the old content or all of the new,
 * {@link org.gradnorm4j.persist.StateFile} writes records as JSON and back, {@link
 * org.gradnorm4j.persist.ModelFile} adds them to Deeplearning4j's own zip, {@link
 * org.gradnorm4j.persist.HistoryLog} grows beside checkpoints. Knows no strategy: what is in a
 * file, its callers' records say. May use {@code weighting} and {@code optimizer}, and is for the
 * library itself; users meet {@code AtomicFile} at most.
 */
package org.gradnorm4j.persist;
