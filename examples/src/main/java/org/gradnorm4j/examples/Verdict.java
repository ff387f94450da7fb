package org.gradnorm4j.examples;

/** What the interval of a difference in error says. */
enum Verdict {
  /** All of it is below 0. */
  BETTER("better"),
  /** All of it is above 0. */
  WORSE("worse"),
  /** 0 is in it. */
  NO_DIFFERENCE("no difference shown"),
  /** There is none: one seed only, or a run diverged. */
  UNKNOWN("cannot be told");

  private final String words;

  Verdict(String words) {
    this.words = words;
  }

  @Override
  public String toString() {
    return words;
  }
}
