package org.gradnorm4j.examples;

import java.util.Locale;
import java.util.Set;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The character between two cells, as it is written on a command line. */
final class Delimiter implements ITypeConverter<Character> {
  private static final String OTHERS = ";\t|:";
  private static final Set<Character> TAKEN = Set.of('"', '\n', '\r');

  @Override
  public Character convert(String text) {
    String character = text.equals("\\t") ? "\t" : text;
    if (character.length() != 1 || TAKEN.contains(character.charAt(0))) {
      throw new TypeConversionException(
          String.format(
              Locale.ROOT,
              "'%s' must be one character other than a quote or a line end. A tab is written \\t",
              text));
    }
    return character.charAt(0);
  }

  /** As {@link #convert} takes it. */
  static String written(char delimiter) {
    return delimiter == '\t' ? "\\t" : String.valueOf(delimiter);
  }

  /** What to say of a header that is a single cell. */
  static String advice(String header, char delimiter) {
    for (int i = 0; i < OTHERS.length(); i++) {
      char other = OTHERS.charAt(i);
      if (other != delimiter && header.indexOf(other) >= 0) {
        return String.format(
            Locale.ROOT, "If '%1$s' is the separator: --delimiter '%1$s'", written(other));
      }
    }
    return String.format(
        Locale.ROOT, "Another separator than '%s' is set with --delimiter", written(delimiter));
  }
}
