package org.gradnorm4j.weighting;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Finds a strategy by the id that a file names. No class is named by a file: only strategies of a
 * {@link Catalog} that is registered as a service are ever made.
 */
public final class LossWeightings {

  /**
   * How a strategy is made from a file.
   *
   * @param <C> type of the settings
   * @param id as {@link LossWeighting#id()}
   * @param settingsType type of {@link LossWeighting#settings()}
   * @param create makes the strategy with these settings; throws an IllegalArgumentException that
   *     names the setting if they are impossible
   * @param byDefault makes the strategy with its default settings; null if there are none
   */
  public record Format<C extends Record>(
      String id,
      Class<C> settingsType,
      Function<C, LossWeighting<?>> create,
      Supplier<LossWeighting<?>> byDefault) {

    /**
     * A strategy that has no default settings.
     *
     * @param id as {@link LossWeighting#id()}
     * @param settingsType type of {@link LossWeighting#settings()}
     * @param create makes the strategy with these settings
     */
    public Format(String id, Class<C> settingsType, Function<C, LossWeighting<?>> create) {
      this(id, settingsType, create, null);
    }
  }

  /**
   * The strategies of a library. An implementation has a constructor without arguments, and its
   * name in {@code META-INF/services/org.gradnorm4j.weighting.LossWeightings$Catalog}.
   */
  public interface Catalog {
    /**
     * All of them.
     *
     * @return of different ids
     */
    List<Format<?>> formats();
  }

  private LossWeightings() {}

  private static Stream<Format<?>> formats() {
    ServiceLoader<Catalog> catalogs =
        ServiceLoader.load(Catalog.class, LossWeightings.class.getClassLoader());
    return catalogs.stream().flatMap(catalog -> catalog.get().formats().stream());
  }

  /**
   * The format of a strategy.
   *
   * @param id the strategy's
   * @return empty if no catalog has one with this id
   */
  public static Optional<Format<?>> format(String id) {
    return formats().filter(format -> format.id().equals(id)).findFirst();
  }

  /**
   * The strategies that are known here.
   *
   * @return their ids, sorted
   */
  public static List<String> ids() {
    return formats().map(Format::id).distinct().sorted().toList();
  }

  /**
   * A strategy with its default settings, as for a command line.
   *
   * <pre>{@code
   * LossBalancer.of(LossWeightings.named("cagrad")).attach(net);
   * }</pre>
   *
   * @param id such as {@code gradnorm}
   * @return the strategy
   * @throws IllegalArgumentException if no catalog has one with this id, or it has settings without
   *     a default; names those that there are
   */
  public static LossWeighting<?> named(String id) {
    Format<?> format =
        format(id)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        String.format(
                            Locale.ROOT,
                            "strategy (%s) must be one of %s, or in a registered LossWeightings.Catalog",
                            id,
                            ids())));
    if (format.byDefault() == null) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "strategy (%s) has settings without a default. Make it in code, by its own class",
              id));
    }
    return format.byDefault().get();
  }

  /**
   * What to do if there is none.
   *
   * @param id the strategy's
   * @return a sentence
   */
  public static String unknown(String id) {
    return String.format(
        Locale.ROOT,
        "no strategy '%s' is known here. Put the library it is in on the class path; one of your own needs a registered LossWeightings.Catalog",
        id);
  }
}
