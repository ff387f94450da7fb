package org.gradnorm4j.weighting;

import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A number, or one number per task, that is reported for every step. History, CSV, charts, report,
 * log, live page and state file are written from these descriptions. Immutable; equal if all of it
 * is equal.
 *
 * <pre>{@code
 * static final Quantity LOG_VARIANCE =
 *     Quantity.perTask("log_variance", "Log variances", "s");
 * }</pre>
 */
public final class Quantity {
  private static final Pattern ID = Pattern.compile("[a-z][a-z0-9_]{0,63}");

  /** The loss L<sub>i</sub> as measured. Recorded for every strategy. */
  public static final Quantity LOSS = perTask("loss", "Losses", "L");

  /** The loss weight &lambda;<sub>i</sub> of the step. Recorded for every strategy. */
  public static final Quantity LOSS_WEIGHT = perTask("loss_weight", "Loss weights", "λ");

  /**
   * The gradient norm &#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214;. Recorded for every strategy.
   */
  public static final Quantity GRADIENT_NORM = perTask("gradient_norm", "Gradient norms", "‖∇L‖");

  /**
   * The weighted gradient norm G<sub>i</sub> =
   * |&lambda;<sub>i</sub>|&middot;&#8214;&nabla;<sub>W</sub>L<sub>i</sub>&#8214;. Recorded for
   * every strategy.
   */
  public static final Quantity WEIGHTED_GRADIENT_NORM =
      perTask("weighted_gradient_norm", "Weighted gradient norms", "G");

  private final String id;
  private final String name;
  private final String symbol;
  private final String unit;
  private final boolean perTask;
  private final Quantity drawnWith;

  private Quantity(
      String id, String name, String symbol, String unit, boolean perTask, Quantity drawnWith) {
    this.id = id;
    this.name = name;
    this.symbol = symbol;
    this.unit = unit;
    this.perTask = perTask;
    this.drawnWith = drawnWith;
  }

  /**
   * One number per task.
   *
   * @param id the column's name in files: a to z, 0 to 9 and _, beginning with a letter
   * @param name to be read, as the heading of a chart: "Log variances"
   * @param symbol as in the paper
   * @return without a unit, drawn in a chart of its own
   * @throws IllegalArgumentException if the id has other characters, or name or symbol are blank
   */
  public static Quantity perTask(String id, String name, String symbol) {
    return checked(id, name, symbol, true);
  }

  /**
   * One number for all tasks together.
   *
   * @param id as for {@link #perTask}
   * @param name as for {@link #perTask}
   * @param symbol as for {@link #perTask}
   * @return without a unit, drawn in a chart of its own
   * @throws IllegalArgumentException as for {@link #perTask}
   */
  public static Quantity ofStep(String id, String name, String symbol) {
    return checked(id, name, symbol, false);
  }

  private static Quantity checked(String id, String name, String symbol, boolean perTask) {
    if (id == null || !ID.matcher(id).matches()) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "quantity id (%s) must match %s", id, ID));
    }
    if (name == null || name.isBlank() || symbol == null || symbol.isBlank()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "quantity '%s': name (%s) and symbol (%s) must not be blank",
              id,
              name,
              symbol));
    }
    return new Quantity(id, name, symbol, "", perTask, null);
  }

  /**
   * The same quantity with a unit.
   *
   * @param unit to be read
   * @return a quantity
   */
  public Quantity in(String unit) {
    return new Quantity(id, name, symbol, Objects.requireNonNull(unit, "unit"), perTask, drawnWith);
  }

  /**
   * The same quantity, drawn dotted into the chart of another, of which it is a target or a bound.
   *
   * @param other one per task if this is
   * @return a quantity
   * @throws IllegalArgumentException if one of the two is per task and the other is not
   */
  public Quantity drawnWith(Quantity other) {
    if (other.perTask != perTask) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "quantity '%s' cannot be drawn with '%s': both must be per task, or neither",
              id,
              other.id));
    }
    return new Quantity(id, name, symbol, unit, perTask, other);
  }

  /**
   * The column's name in files.
   *
   * @return such as {@code loss_weight}
   */
  public String id() {
    return id;
  }

  /**
   * What it is, in words.
   *
   * @return such as "Loss weights"
   */
  public String name() {
    return name;
  }

  /**
   * Its symbol.
   *
   * @return as in the paper
   */
  public String symbol() {
    return symbol;
  }

  /**
   * Its unit.
   *
   * @return empty if it has none
   */
  public String unit() {
    return unit;
  }

  /**
   * Whether every task has a number of its own.
   *
   * @return false if there is one number for the step
   */
  public boolean isPerTask() {
    return perTask;
  }

  /**
   * Whose chart it is drawn in.
   *
   * @return empty if it has one of its own
   */
  public Optional<Quantity> drawnWith() {
    return Optional.ofNullable(drawnWith);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Quantity that
        && id.equals(that.id)
        && name.equals(that.name)
        && symbol.equals(that.symbol)
        && unit.equals(that.unit)
        && perTask == that.perTask
        && Objects.equals(drawnWith, that.drawnWith);
  }

  @Override
  public int hashCode() {
    return id.hashCode();
  }

  /** The id. */
  @Override
  public String toString() {
    return id;
  }
}
