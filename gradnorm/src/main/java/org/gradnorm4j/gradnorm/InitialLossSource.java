package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.Locale;

/**
 * What an {@link InitialLoss} is made of, as files have it.
 *
 * @param kind the way it is found
 * @param steps how many steps are averaged, if it is measured; else 0
 * @param value the loss itself, if it is given; else 0
 */
record InitialLossSource(Kind kind, int steps, double value) {

  /** Ways to find an initial loss. */
  enum Kind {
    /** The mean over the first steps that have labels of the task. */
    MEASURED,
    /** The loss of an output that gives every class the same probability. */
    UNINFORMED,
    /** Known to the user. */
    GIVEN
  }

  InitialLossSource {
    if (kind == null) {
      throw new IllegalArgumentException(
          "kind (null) must be one of " + Arrays.toString(Kind.values()));
    }
    if (kind == Kind.MEASURED && steps < 1) {
      throw new IllegalArgumentException("steps (" + steps + ") of a mean must be >= 1");
    }
    if (kind == Kind.GIVEN && !(value >= InitialLosses.SMALLEST && Double.isFinite(value))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "initial loss (%s) must be >= %s and finite",
              value,
              InitialLosses.SMALLEST));
    }
  }

  /** To be read. */
  String describe() {
    return switch (kind) {
      case MEASURED -> steps == 1 ? "first" : "mean of " + steps;
      case UNINFORMED -> "uninformed";
      case GIVEN -> Double.toString(value);
    };
  }
}
