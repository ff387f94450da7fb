package org.gradnorm4j.gradnorm;

/**
 * What the user is told once, as it makes a setting or a measurement count for less than it says.
 */
enum Notice {
  /** A step was skipped. */
  NOT_FINITE,

  /** The optimiser asked for a larger step of the weights than is taken. */
  STEP_CUT,

  /** Labels of one task only, as far back as tasks are compared. */
  TASKS_APART
}
