package org.gradnorm4j.examples;

/** What a task's loss is of, and so which quantities of it have a meaning. */
enum TaskKind {
  /** Of labels that are numbers. */
  REGRESSION,
  /** Of one-hot labels: there is an accuracy. */
  CLASSIFICATION,
  /** Of the parameters alone: it is the same for all examples. */
  PENALTY
}
