package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's list of settings is code that compiles and runs. */
class ReadmeTest {

  @Test
  void settings_compileAndAreAccepted(@TempDir Path folder) throws Exception {
    String readme = Files.readString(Path.of("../README.md"));
    String section = readme.substring(readme.indexOf("## Settings\n```java\n"));
    String chain = section.substring(section.indexOf("GradNorm.builder()"));
    chain = chain.substring(0, chain.indexOf("```"));
    Path source =
        Files.writeString(
            folder.resolve("Settings.java"),
            String.format(
                Locale.ROOT,
                """
            import java.util.*;
            import org.gradnorm4j.gradnorm.*;
            import org.nd4j.linalg.learning.config.*;

            public class Settings implements java.util.function.Supplier<GradNorm> {
              public GradNorm get() {
                return %s
              }
            }
            """,
                chain));
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    int result =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, "-proc:none", "-cp", classPath, source.toString());
    assertThat(result).as(chain).isZero();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      Object settings = loader.loadClass("Settings").getDeclaredConstructor().newInstance();
      assertThat(((Supplier<?>) settings).get()).isInstanceOf(GradNorm.class);
    }
    assertThat(chain).contains(".onNonFinite("); // to the last line of the list
  }
}
