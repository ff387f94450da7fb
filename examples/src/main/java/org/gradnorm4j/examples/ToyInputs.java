package org.gradnorm4j.examples;

import java.util.Locale;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.random.RandomGenerator;

/** The distribution of the toy's inputs x, which the paper does not tell. */
enum ToyInputs {
  /** Each component uniform in (-1, 1). */
  UNIFORM,
  /** Each component uniform in (0, 1). */
  POSITIVE,
  /** Each component normal, mean 0, standard deviation 1. */
  NORMAL,
  /** Uniform on the sphere of radius 1. */
  SPHERE;

  /** The name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  double[] draw(int length, RandomGenerator random) {
    double[] x = new double[length];
    for (int i = 0; i < length; i++) {
      x[i] =
          switch (this) {
            case UNIFORM -> 2.0 * random.nextDouble() - 1.0;
            case POSITIVE -> random.nextDouble();
            case NORMAL, SPHERE -> random.nextGaussian();
          };
    }
    return this == SPHERE ? new ArrayRealVector(x, false).unitVector().toArray() : x;
  }
}
