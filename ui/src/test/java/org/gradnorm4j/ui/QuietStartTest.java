package org.gradnorm4j.ui;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.ui.VertxUIServer;
import org.junit.jupiter.api.Test;

/** A server that starts, with all of the log: as logback has it where nobody has configured it. */
class QuietStartTest {

  /** Starts a server, and says so. */
  public static void main(String[] arguments) throws Exception {
    VertxUIServer server = VertxUIServer.getInstance(0, false, null);
    System.out.println("serving at " + server.getPort());
    VertxUIServer.stopInstance();
    System.exit(0);
  }

  @Test
  void logHasNoStackTrace() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Dlogback.configurationFile=everything.xml",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                QuietStartTest.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD) // Vert.x tells there of a slow machine
            .start();
    String log = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(600, TimeUnit.SECONDS)).isTrue();
    assertThat(log).contains("serving at ", "DEBUG i.n.");
    assertThat(log.lines().filter(line -> line.startsWith("\tat ") || line.contains("Exception")))
        .isEmpty();
  }
}
