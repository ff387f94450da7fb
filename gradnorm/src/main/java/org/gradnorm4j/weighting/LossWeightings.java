package org.gradnorm4j.weighting;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Function;

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
   */
  public record Format<C extends Record>(
      String id, Class<C> settingsType, Function<C, LossWeighting<?>> create) {}

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

  /**
   * The format of a strategy.
   *
   * @param id the strategy's
   * @return empty if no catalog has one with this id
   */
  public static Optional<Format<?>> format(String id) {
    for (Catalog catalog :
        ServiceLoader.load(Catalog.class, LossWeightings.class.getClassLoader())) {
      for (Format<?> format : catalog.formats()) {
        if (format.id().equals(id)) {
          return Optional.of(format);
        }
      }
    }
    return Optional.empty();
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
