package org.gradnorm4j.gradnorm;

import org.gradnorm4j.weighting.Arguments;

/**
 * What is set for a task, or for all of them. Immutable; null for what is not set.
 *
 * @param lossShift added to its losses
 * @param lossFloor the least its losses count as
 * @param initialLossWeight λ_i to begin with
 * @param minWeight the least λ_i
 * @param maxWeight the largest λ_i
 * @param pin λ_i, if it is not to move
 * @param prior p_i, of its target norm
 */
record TaskSettings(
    InitialLossSource initialLoss,
    Double lossShift,
    Double lossFloor,
    Double initialLossWeight,
    Double minWeight,
    Double maxWeight,
    Double pin,
    Double prior) {
  TaskSettings {
    Arguments.check(
        lossShift == null || Double.isFinite(lossShift), "lossShift", lossShift, "must be finite");
    Arguments.check(
        lossFloor == null || (lossFloor >= InitialLosses.SMALLEST && Double.isFinite(lossFloor)),
        "lossFloor",
        lossFloor,
        "must be >= " + InitialLosses.SMALLEST + " and finite");
    Arguments.check(
        initialLossWeight == null
            || (initialLossWeight > 0.0 && Double.isFinite(initialLossWeight)),
        "initial loss weight",
        initialLossWeight,
        "must be > 0 and finite. Use a small weight instead, such as 1e-6");
    Arguments.check(
        minWeight == null || (minWeight > 0.0 && Double.isFinite(minWeight)),
        "minimum weight",
        minWeight,
        "must be > 0 and finite");
    Arguments.check(
        minWeight == null || maxWeight == null || maxWeight >= minWeight,
        "maximum weight",
        maxWeight,
        "must be >= the minimum weight (" + minWeight + ")");
    Arguments.check(
        pin == null || (pin > 0.0 && Double.isFinite(pin)),
        "pinned weight",
        pin,
        "must be > 0 and finite. Use a small weight instead, such as 1e-6");
    Arguments.check(
        prior == null || (prior > 0.0 && Double.isFinite(prior)),
        "prior",
        prior,
        "must be > 0 and finite");
  }

  static final TaskSettings NONE = new TaskSettings(null, null, null, null, null, null, null, null);

  /** These settings, and those of all tasks where these say nothing. */
  TaskSettings over(TaskSettings all) {
    return new TaskSettings(
        first(initialLoss, all.initialLoss),
        first(lossShift, all.lossShift),
        first(lossFloor, all.lossFloor),
        first(initialLossWeight, all.initialLossWeight),
        first(minWeight, all.minWeight),
        first(maxWeight, all.maxWeight),
        first(pin, all.pin),
        first(prior, all.prior));
  }

  private static <V> V first(V own, V other) {
    return own == null ? other : own;
  }

  TaskSettings withInitialLoss(InitialLossSource source) {
    return new TaskSettings(
        source, lossShift, lossFloor, initialLossWeight, minWeight, maxWeight, pin, prior);
  }

  TaskSettings withLossShift(double shift) {
    return new TaskSettings(
        initialLoss, shift, lossFloor, initialLossWeight, minWeight, maxWeight, pin, prior);
  }

  TaskSettings withLossFloor(double floor) {
    return new TaskSettings(
        initialLoss, lossShift, floor, initialLossWeight, minWeight, maxWeight, pin, prior);
  }

  TaskSettings withInitialLossWeight(double weight) {
    return new TaskSettings(
        initialLoss, lossShift, lossFloor, weight, minWeight, maxWeight, pin, prior);
  }

  TaskSettings withLimits(double min, double max) {
    return new TaskSettings(
        initialLoss, lossShift, lossFloor, initialLossWeight, min, max, pin, prior);
  }

  TaskSettings withPin(double weight) {
    return new TaskSettings(
        initialLoss, lossShift, lossFloor, initialLossWeight, minWeight, maxWeight, weight, prior);
  }

  TaskSettings withPrior(double target) {
    return new TaskSettings(
        initialLoss, lossShift, lossFloor, initialLossWeight, minWeight, maxWeight, pin, target);
  }

  boolean limitsContain(double weight) {
    return (minWeight == null || weight >= minWeight) && (maxWeight == null || weight <= maxWeight);
  }

  double shiftOrNone() {
    return lossShift == null ? 0.0 : lossShift;
  }

  double floorOrNone() {
    return lossFloor == null ? Double.NEGATIVE_INFINITY : lossFloor;
  }

  double priorOrOne() {
    return prior == null ? 1.0 : prior;
  }

  InitialLossSource initialLossOrFirst() {
    return initialLoss == null ? InitialLoss.first().source() : initialLoss;
  }
}
