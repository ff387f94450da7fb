package org.gradnorm4j.gradnorm;

import java.util.Arrays;
import java.util.Locale;

/**
 * Where a task's initial loss L<sub>i</sub>(0) comes from, by which GradNorm divides its losses.
 *
 * <pre>{@code
 * GradNorm.builder()
 *     .initialLoss(InitialLoss.meanOf(10))             // of every task
 *     .initialLoss("digit", InitialLoss.uninformed())  // of one
 * }</pre>
 *
 * @param source the way it is found
 * @param steps how many steps are averaged, where the source is {@link Source#MEASURED}; else 0
 * @param value the loss itself, where the source is {@link Source#GIVEN}; else 0
 */
public record InitialLoss(Source source, int steps, double value) {

  /** Ways to find an initial loss. */
  public enum Source {
    /** The mean over the first steps that have labels of the task. */
    MEASURED,
    /** The loss of an output that gives every class the same probability. */
    UNINFORMED,
    /** Known to the user. */
    GIVEN
  }

  /**
   * Checks the values.
   *
   * @param source see above
   * @param steps see above
   * @param value see above
   * @throws IllegalArgumentException if there is no source, a mean is over no steps, or a given
   *     loss is too small to divide by
   */
  public InitialLoss {
    Arguments.given(source, "source", "must be one of " + Arrays.toString(Source.values()));
    if (source == Source.MEASURED && steps < 1) {
      throw new IllegalArgumentException("steps (" + steps + ") of a mean must be >= 1");
    }
    if (source == Source.GIVEN && !(value >= InitialLosses.SMALLEST && Double.isFinite(value))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "initial loss (%s) must be >= %s and finite",
              value,
              InitialLosses.SMALLEST));
    }
  }

  /**
   * The loss of the first step that has labels of the task, as in the paper. The default.
   *
   * @return the first loss
   */
  public static InitialLoss first() {
    return meanOf(1);
  }

  /**
   * The mean over the first steps that have labels of the task; until there are so many, over those
   * so far. Steadier than the first loss where minibatches are small.
   *
   * @param steps how many, &ge; 1
   * @return the mean
   * @throws IllegalArgumentException if less than 1
   */
  public static InitialLoss meanOf(int steps) {
    return new InitialLoss(Source.MEASURED, steps, 0.0);
  }

  /**
   * The loss of an output that gives every class the same probability, whatever the network was
   * initialised to: log C per label for the cross-entropy of C classes, C log 2 for that of C
   * sigmoids. The paper suggests it where initialisation matters (section 3.2).
   *
   * @return log C
   */
  public static InitialLoss uninformed() {
    return new InitialLoss(Source.UNINFORMED, 0, 0.0);
  }

  /**
   * A loss that is known beforehand.
   *
   * @param loss L<sub>i</sub>(0), with the task's shift and in the {@link LossScale} that is set
   * @return the given loss
   * @throws IllegalArgumentException if under 1e-30, infinite or NaN
   */
  public static InitialLoss of(double loss) {
    return new InitialLoss(Source.GIVEN, 0, loss);
  }
}
