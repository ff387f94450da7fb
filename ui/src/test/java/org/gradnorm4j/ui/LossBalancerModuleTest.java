package org.gradnorm4j.ui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.ui.VertxUIServer;
import org.deeplearning4j.ui.model.stats.StatsListener;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.gradnorm4j.balancer.LossBalancer;
import org.gradnorm4j.strategies.UncertaintyWeighting;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The page's requests, by a plain client. */
class LossBalancerModuleTest {
  private VertxUIServer server;

  @BeforeEach
  void start() {
    server = VertxUIServer.getInstance(0, false, null);
  }

  @AfterEach
  void stop() throws Exception {
    System.clearProperty(LossBalancerModule.REMOTE_PROPERTY);
    VertxUIServer.stopInstance();
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return get("localhost", path);
  }

  private HttpResponse<String> get(String host, String path)
      throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://" + host + ":" + server.getPort() + path))
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void runsAndTheirContent_areServed() throws Exception {
    Training training = new Training("depth", "normals", "<b>edges</b>");
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    training.net.setListeners(new LossBalancerStatsListener(training.balancer, storage));
    training.fit(5);
    assertThat(get("/gradnorm/runs").body()).isEqualTo("[]");
    server.attach(storage);
    JsonArray runs = JsonParser.parseString(get("/gradnorm/runs").body()).getAsJsonArray();
    assertThat(runs).hasSize(1);
    assertThat(runs.get(0).getAsJsonObject().get("label").getAsString())
        .contains("depth, normals, <b>edges</b>");
    String id = runs.get(0).getAsJsonObject().get("id").getAsString();
    String content = "/gradnorm/content?run=" + URLEncoder.encode(id, StandardCharsets.UTF_8);
    assertThat(get(content + "&shown=-1").body())
        .contains("data-steps=\"5\"", "&lt;b&gt;edges&lt;/b&gt;")
        .doesNotContain("<b>");
    assertThat(get(content + "&shown=5").statusCode()).isEqualTo(204);
    assertThat(get("/gradnorm/content?run=other").statusCode()).isEqualTo(404);
    assertThat(get("/gradnorm/content").statusCode()).isEqualTo(404);
    server.detach(storage);
    assertThat(get("/gradnorm/runs").body()).isEqualTo("[]");
  }

  /** No strategy is special: the page has the columns and charts that its own quantities name. */
  @Test
  void otherStrategies_showTheirOwnColumns() throws Exception {
    Training training =
        new Training(LossBalancer.of(UncertaintyWeighting.create()), "depth", "normals");
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    training.net.setListeners(new LossBalancerStatsListener(training.balancer, storage));
    training.fit(5);
    server.attach(storage);
    JsonArray runs = JsonParser.parseString(get("/gradnorm/runs").body()).getAsJsonArray();
    String id = runs.get(0).getAsJsonObject().get("id").getAsString();
    assertThat(get("/gradnorm/content?run=" + URLEncoder.encode(id, StandardCharsets.UTF_8)).body())
        .contains("Log variances", "<figure id=\"log-variance\">", "Uncertainty weighting")
        .doesNotContain("target");
    server.detach(storage);
  }

  @Test
  void page_namesNothingOutside_andLinksToTheTrainingPages_whichLinkBack() throws Exception {
    HttpResponse<String> page = get("/gradnorm");
    assertThat(page.headers().firstValue("content-type")).contains("text/html; charset=utf-8");
    assertThat(page.body())
        .contains("href=\"/train/overview\"")
        .doesNotContain("http:", "https:", "{{", "src=");
    for (String training : new String[] {"overview", "model", "system"}) {
      assertThat(get("/train/" + training).body())
          .as(training)
          .contains(
              "<a class=\"nav-link\" href=\"/gradnorm\">", "cui-speedometer\"></i>System</a>");
    }
  }

  @Test
  void trainingPagesOfASession_linkHere_andThePageToTheSessions() throws Exception {
    VertxUIServer.stopInstance();
    server = VertxUIServer.getInstance(0, true, null);
    Training training = new Training("depth", "normals");
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    StatsListener stats = new StatsListener(storage);
    training.net.setListeners(stats, new LossBalancerStatsListener(training.balancer, storage));
    training.fit(2);
    server.attach(storage);
    assertThat(get("/gradnorm").body()).contains("href=\"/train\"");
    assertThat(get("/train/" + stats.getSessionID() + "/overview").body())
        .contains("href=\"/gradnorm\"");
  }

  @Test
  void otherMachines_areRefused_unlessAllowed() throws Exception {
    Optional<InetAddress> address =
        NetworkInterface.networkInterfaces()
            .flatMap(NetworkInterface::inetAddresses)
            .filter(a -> !a.isLoopbackAddress() && a.getAddress().length == 4)
            .findFirst();
    assumeTrue(address.isPresent(), "this machine has no address but loopback");
    String host = address.get().getHostAddress(); // by this address, we are somebody else
    for (String path : new String[] {"/gradnorm", "/gradnorm/runs", "/gradnorm/content"}) {
      assertThat(get(host, path).statusCode()).as(path).isEqualTo(403);
    }
    System.setProperty(LossBalancerModule.REMOTE_PROPERTY, "true");
    assertThat(get(host, "/gradnorm").statusCode()).isEqualTo(200);
  }

  /** As a browser has it whose site's name leads here, or a proxy that passes the name on. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Host: evil.example",
        "Host: evil.example:9000",
        "Host: localhost.evil.example",
        "Host: 127.0.0.1.evil.example",
        "Host: 192.168.0.7",
        "Host:",
        "Accept: none has a host",
        "Host: localhost\r\nX-Forwarded-Host: evil.example",
        "Host: localhost\r\nX-Forwarded-Host: localhost\r\nX-Forwarded-Host: evil.example"
      })
  void foreignHosts_areRefused_unlessAllowed(String headers) throws Exception {
    for (String path : List.of("/gradnorm", "/gradnorm/runs", "/gradnorm/content")) {
      assertThat(statusOf(path, headers)).as(path).isEqualTo(403);
    }
    System.setProperty(LossBalancerModule.REMOTE_PROPERTY, "true");
    assertThat(statusOf("/gradnorm", headers)).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"Host: localhost", "Host: LocalHost:80", "Host: 127.0.0.1:1234", "Host: [::1]:80"})
  void ownHosts_areAnswered(String headers) throws Exception {
    assertThat(statusOf("/gradnorm", headers)).isEqualTo(200);
  }

  /** Java's HTTP client sets the host itself. Version 1.0: none has to be there. */
  private int statusOf(String path, String headers) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.getPort())) {
      socket.setSoTimeout(20_000);
      socket
          .getOutputStream()
          .write(
              ("GET " + path + " HTTP/1.0\r\n" + headers + "\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      String status =
          new BufferedReader(
                  new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
              .readLine();
      return Integer.parseInt(status.split(" ", -1)[1]);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "localhost, true",
    "localhost:9000, true",
    "127.255.1.1, true",
    "[::1], true",
    "[0:0:0:0:0:0:0:1]:9000, true",
    "[::ffff:127.0.0.1], true",
    "'', false",
    "localhost.example, false",
    "notlocalhost, false",
    "localhost@evil.example, false",
    "'localhost, evil.example', false",
    "127.0.0.1.evil.example, false",
    "127.0.0.999, false",
    "0.0.0.0, false",
    "::1, false",
    "[fe80::1], false",
    "[::1].evil.example, false",
    "[], false"
  })
  void hostHeader_isRecognized(String host, boolean own) {
    assertThat(Loopback.isHost(host)).isEqualTo(own);
    assertThat(Loopback.isHost(null)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, true",
    "127.1.2.3, true",
    "0:0:0:0:0:0:0:1, true",
    "::1, true",
    "192.168.0.7, false",
    "10.0.0.1, false",
    "fe80::1, false",
    "localhost, false",
    "'', false"
  })
  void loopback_isRecognized(String address, boolean loopback) {
    assertThat(Loopback.isAddress(address)).isEqualTo(loopback);
  }
}
