package org.gradnorm4j.persist;

import org.gradnorm4j.weighting.Quantity;

/**
 * A {@link Quantity} in a file.
 *
 * @param id the column's name
 * @param name in words
 * @param symbol as in the paper
 * @param unit empty for none
 * @param perTask false if there is one number for the step
 * @param drawnWith null if it has a chart of its own
 */
public record QuantityRecord(
    String id, String name, String symbol, String unit, boolean perTask, QuantityRecord drawnWith) {

  /**
   * What a file has of a quantity.
   *
   * @param quantity any
   * @return all of it
   */
  public static QuantityRecord of(Quantity quantity) {
    return new QuantityRecord(
        quantity.id(),
        quantity.name(),
        quantity.symbol(),
        quantity.unit(),
        quantity.isPerTask(),
        quantity.drawnWith().map(QuantityRecord::of).orElse(null));
  }

  /**
   * The quantity.
   *
   * @return equal to the one that was written
   * @throws IllegalArgumentException if it is none
   */
  public Quantity toQuantity() {
    Quantity quantity =
        (perTask ? Quantity.perTask(id, name, symbol) : Quantity.ofStep(id, name, symbol)).in(unit);
    return drawnWith == null ? quantity : quantity.drawnWith(drawnWith.toQuantity());
  }
}
