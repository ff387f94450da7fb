package org.gradnorm4j.core.probe;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;

/**
 * How much of a large test runs: a part in the normal build, all of it in the Maven profile {@code
 * exhaustive}, which sets {@code -Dgradnorm4j.exhaustive=true} and runs the classes with this tag
 * only.
 */
public final class TestSize {
  public static final String EXHAUSTIVE = "exhaustive";

  private TestSize() {}

  static boolean isExhaustive() {
    return Boolean.getBoolean("gradnorm4j.exhaustive");
  }

  /** One of two sizes of the calling class, which has to have the tag. */
  public static int of(int normal, int exhaustive) {
    Class<?> test =
        StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE).getCallerClass();
    assertThat(test.getAnnotationsByType(Tag.class))
        .as("tags of %s", test)
        .extracting(Tag::value)
        .contains(EXHAUSTIVE);
    return isExhaustive() ? exhaustive : normal;
  }
}
