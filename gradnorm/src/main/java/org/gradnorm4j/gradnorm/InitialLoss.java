package org.gradnorm4j.gradnorm;

/**
 * Where a task's initial loss L<sub>i</sub>(0) comes from, by which GradNorm divides its losses.
 *
 * <pre>{@code
 * GradNorm.builder()
 *     .initialLoss(InitialLoss.meanOf(10))             // of every task
 *     .initialLoss("digit", InitialLoss.uninformed())  // of one
 * }</pre>
 */
public final class InitialLoss {
  private final InitialLossSource source;

  private InitialLoss(InitialLossSource.Kind kind, int steps, double value) {
    source = new InitialLossSource(kind, steps, value);
  }

  InitialLossSource source() {
    return source;
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
    return new InitialLoss(InitialLossSource.Kind.MEASURED, steps, 0.0);
  }

  /**
   * The loss of an output that gives every class the same probability, whatever the network was
   * initialised to: log C per label for the cross-entropy of C classes, C log 2 for that of C
   * sigmoids. The paper suggests it where initialisation matters (section 3.2).
   *
   * @return log C
   */
  public static InitialLoss uninformed() {
    return new InitialLoss(InitialLossSource.Kind.UNINFORMED, 0, 0.0);
  }

  /**
   * A loss that is known beforehand.
   *
   * @param loss L<sub>i</sub>(0), with the task's shift and in the {@link LossScale} that is set
   * @return the given loss
   * @throws IllegalArgumentException if under 1e-30, infinite or NaN
   */
  public static InitialLoss of(double loss) {
    return new InitialLoss(InitialLossSource.Kind.GIVEN, 0, loss);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof InitialLoss that && source.equals(that.source);
  }

  @Override
  public int hashCode() {
    return source.hashCode();
  }

  /** Where it comes from. */
  @Override
  public String toString() {
    return "InitialLoss[" + source.describe() + "]";
  }
}
