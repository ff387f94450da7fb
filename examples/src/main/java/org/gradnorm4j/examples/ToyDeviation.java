package org.gradnorm4j.examples;

import java.util.Locale;
import org.apache.commons.math3.util.FastMath;

/** What s is in the paper's N(0, s). */
enum ToyDeviation {
  /** The standard deviation. */
  STD,
  /** The variance. */
  VARIANCE;

  /** The name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  double standardDeviation(double s) {
    return this == STD ? s : FastMath.sqrt(s);
  }
}
