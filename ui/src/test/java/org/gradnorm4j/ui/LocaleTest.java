package org.gradnorm4j.ui;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.ui.VertxUIServer;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.gradnorm4j.weighting.BalancedStep;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Records and pages where other digits, another decimal separator or another lower case of I are
 * the default. Oracle: those where English is.
 */
class LocaleTest {
  private static final Locale BEFORE = Locale.getDefault();
  private static final long BEGIN = 1_700_000_000_000L;

  private static List<BalancedStep> steps;
  private static Training training;
  private static VertxUIServer server;

  @BeforeAll
  static void train() {
    training = new Training("depth", "INDOOR", "edges");
    steps = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      training.fit(1);
      steps.add(training.balancer.lastStep().orElseThrow());
    }
    server = VertxUIServer.getInstance(0, false, null);
  }

  @AfterAll
  static void stop() throws Exception {
    VertxUIServer.stopInstance();
  }

  @Test
  void english_isAsExpected() throws Exception {
    List<String> english = in("en-US");
    assertThat(english).hasSize(1 + steps.size() + 2);
    assertThat(english.get(13)).contains("\"id\":\"session/worker\"", "2023-11-1");
    assertThat(english.get(14)).contains("data-steps=\"12\"", "<svg ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ar-EG", "hi-IN-u-nu-deva", "tr-TR", "de-DE", "th-TH-u-ca-buddhist-nu-thai"})
  void recordsAndPages_areAsInEnglish(String locale) throws Exception {
    assertThat(in(locale)).isEqualTo(in("en-US"));
  }

  /** Every record, as bytes; the list of runs; the page of the run. */
  private static List<String> in(String locale) throws Exception {
    Locale.setDefault(Locale.forLanguageTag(locale));
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    try {
      List<String> written = new ArrayList<>();
      LossBalancerRecord run =
          LossBalancerRecord.ofRun("session", "worker", BEGIN, training.balancer.history());
      written.add(bytes(run));
      storage.putStaticInfo(run);
      for (int i = 0; i < steps.size(); i++) {
        LossBalancerRecord step =
            LossBalancerRecord.ofStep("session", "worker", BEGIN + 1 + i, steps.get(i));
        written.add(bytes(step));
        storage.putUpdate(step);
      }
      server.attach(storage);
      written.add(get("/gradnorm/runs"));
      String id = URLEncoder.encode("session/worker", StandardCharsets.UTF_8);
      written.add(get("/gradnorm/content?run=" + id));
      return written;
    } finally {
      server.detach(storage);
      Locale.setDefault(BEFORE);
    }
  }

  private static String bytes(LossBalancerRecord record) {
    return new String(record.encode(), StandardCharsets.ISO_8859_1);
  }

  private static String get(String path) throws Exception {
    URI address = URI.create("http://localhost:" + server.getPort() + path);
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString())
        .body();
  }
}
