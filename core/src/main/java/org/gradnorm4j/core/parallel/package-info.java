/**
 * Measuring while a ParallelWrapper trains: {@link org.gradnorm4j.core.parallel.ParallelTraining}
 * has the copies of all workers measured and makes one measurement of each round. The one package
 * that needs {@code deeplearning4j-parallel-wrapper} on the class path; no other refers to it, but
 * for listeners that implement {@link org.gradnorm4j.core.parallel.RoundListener}.
 */
package org.gradnorm4j.core.parallel;
