package org.gradnorm4j.weighting;

import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Finds a strategy by the id that a file names. No class is named by a file: only strategies whose
 * {@link Provider} is registered, as a service, are ever made.
 */
public final class LossWeightings {

  /**
   * Makes a strategy from its settings. Registered under {@code
   * META-INF/services/org.gradnorm4j.weighting.LossWeightings$Provider}.
   *
   * @param <C> type of the settings
   */
  public interface Provider<C extends Record> {
    /**
     * Whose strategy.
     *
     * @return as {@link LossWeighting#id()}
     */
    String id();

    /**
     * The type of the settings, for files.
     *
     * @return that of {@link LossWeighting#settings()}
     */
    Class<C> settingsType();

    /**
     * Makes it.
     *
     * @param settings from a file
     * @return a strategy with these settings
     * @throws IllegalArgumentException if they are impossible; names the setting
     */
    LossWeighting<?> create(C settings);
  }

  private LossWeightings() {}

  /**
   * The provider of a strategy.
   *
   * @param id the strategy's
   * @return empty if none is registered under this id
   */
  public static Optional<Provider<?>> provider(String id) {
    for (Provider<?> provider :
        ServiceLoader.load(Provider.class, LossWeightings.class.getClassLoader())) {
      if (provider.id().equals(id)) {
        return Optional.of(provider);
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
        "no strategy '%s' is known here. Put the library it is in on the class path; one of your own needs a registered LossWeightings.Provider",
        id);
  }
}
