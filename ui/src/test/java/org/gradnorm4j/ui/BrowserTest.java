package org.gradnorm4j.ui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.ui.VertxUIServer;
import org.deeplearning4j.ui.model.stats.StatsListener;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.Row;
import org.gradnorm4j.report.Chart;
import org.gradnorm4j.report.Report;
import org.gradnorm4j.weighting.Quantity;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.support.ui.WebDriverWait;

/**
 * The live page and the report in a real browser. Leaves its screenshots, which the README shows,
 * in {@code target/screenshots}. Where there is no browser it is skipped; with {@code
 * -Dbrowser.required=true} it fails.
 */
class BrowserTest {
  private static final File BROWSER = new File("/usr/bin/chromium");
  private static final File DRIVER = new File("/usr/bin/chromedriver");
  private static final Path SCREENSHOTS = Path.of("target", "screenshots");

  @TempDir private static Path folder;
  private static ChromeDriver browser;

  @BeforeAll
  static void open() throws Exception {
    boolean installed = BROWSER.canExecute() && DRIVER.canExecute();
    String remedy =
        "needs Debian's chromium and chromium-driver: apt-get install chromium chromium-driver";
    assertThat(installed || !Boolean.getBoolean("browser.required"))
        .as("%s. Without -Dbrowser.required=true the test is skipped", remedy)
        .isTrue();
    assumeTrue(installed, remedy);
    Files.createDirectories(SCREENSHOTS);
    ChromeOptions options = new ChromeOptions();
    options.setBinary(BROWSER);
    options.addArguments(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--user-data-dir=" + folder.resolve("profile"));
    browser =
        new ChromeDriver(
            new ChromeDriverService.Builder()
                .usingDriverExecutable(DRIVER)
                .usingAnyFreePort()
                .build(),
            options);
    browser.manage().window().setSize(new Dimension(1280, 1400));
  }

  @AfterAll
  static void close() {
    if (browser != null) {
      browser.quit();
    }
  }

  @AfterEach
  void stopServer() throws Exception {
    VertxUIServer.stopInstance();
  }

  @Test
  void livePage_followsTraining() throws Exception {
    VertxUIServer server = VertxUIServer.getInstance(0, false, null);
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    server.attach(storage);
    Training training = new Training("depth", "normals", "edges");
    training.net.setListeners(
        new StatsListener(storage, 10), new LossBalancerStatsListener(training.balancer, storage));
    browser.get(server.getAddress() + "/gradnorm");
    assertThat(browser.findElement(By.id("content")).getText()).contains("Nothing recorded yet");

    int steps = 0;
    for (int more : new int[] {2, 40, 358}) { // the page follows while the run is under way
      training.fit(more);
      steps += more;
      awaitSteps(steps);
      checkLastStep(training.balancer.history());
      checkCharts(Chart.of(training.balancer.history()), 3, more == 2 ? 0 : 10);
    }
    screenshot("live-page.png");

    browser.findElement(By.id("overview")).click();
    WebElement back =
        new WebDriverWait(browser, Duration.ofSeconds(20))
            .until(page -> page.findElement(By.linkText("Loss balancing")));
    back.click();
    awaitSteps(400);
    assertThat(browser.getCurrentUrl()).isEqualTo(server.getAddress() + "/gradnorm");
  }

  @Test
  void livePage_showsTheRunThatIsChosen() throws Exception {
    VertxUIServer server = VertxUIServer.getInstance(0, false, null);
    InMemoryStatsStorage storage = new InMemoryStatsStorage();
    for (int steps : new int[] {30, 20}) {
      Training training = new Training("depth", "normals", "edges");
      training.net.setListeners(new LossBalancerStatsListener(training.balancer, storage));
      training.fit(steps);
    }
    server.attach(storage);
    browser.get(server.getAddress() + "/gradnorm");
    awaitSteps(20); // the latest
    List<WebElement> runs = browser.findElements(By.cssSelector("#runs option"));
    assertThat(runs).hasSize(2);
    runs.get(1).click();
    awaitSteps(30);
  }

  @Test
  void report_opensFromAFile() throws Exception {
    Training training = new Training("depth", "normals", "edges");
    training.fit(400);
    Path report = folder.resolve("report.html");
    Report.of(training.balancer.history()).write(report);
    browser.get(report.toUri().toString());
    checkLastStep(training.balancer.history());
    checkCharts(Chart.of(training.balancer.history()), 3, 300);
    assertThat(browser.executeScript("return performance.getEntriesByType('resource').length"))
        .as("resources loaded")
        .isEqualTo(0L);
    assertThat(browser.executeScript("return document.documentElement.scrollWidth"))
        .as("width in a window of 1280")
        .isEqualTo(browser.executeScript("return document.documentElement.clientWidth"));
    screenshot("report.png");
  }

  private void awaitSteps(int steps) {
    new WebDriverWait(browser, Duration.ofSeconds(30))
        .until(
            page ->
                page.findElements(By.cssSelector("#steps[data-steps='" + steps + "']")).size()
                    == 1);
  }

  /** The numbers on the page are the history's, to the last digit. */
  private void checkLastStep(History history) {
    List<Row> rows = history.rows().toList();
    List<Row> last = rows.subList(rows.size() - history.taskNames().size(), rows.size());
    List<WebElement> shown = browser.findElements(By.cssSelector("#last-step tbody tr"));
    assertThat(shown).hasSameSizeAs(last);
    for (int task = 0; task < last.size(); task++) {
      assertThat(shown.get(task).findElement(By.tagName("th")).getText())
          .isEqualTo(last.get(task).task());
      Map<String, Double> values = new HashMap<>();
      for (WebElement cell : shown.get(task).findElements(By.tagName("td"))) {
        values.put(
            cell.getDomAttribute("data-quantity"),
            Double.parseDouble(cell.getDomAttribute("data-value")));
      }
      Row row = last.get(task);
      assertThat(values)
          .containsEntry("loss", row.loss())
          .containsEntry("loss_weight", row.lossWeight())
          .containsEntry("gradient_norm", row.gradientNorm())
          .containsEntry("weighted_gradient_norm", row.weightedGradientNorm());
      for (Quantity quantity : history.quantities()) {
        if (quantity.isPerTask()) {
          assertThat(values).containsEntry(quantity.id(), row.value(quantity));
        }
      }
    }
  }

  /** Each chart is laid out, and has a line or a band per task of at least so many pixels. */
  private void checkCharts(List<Chart> charts, int tasks, double pixels) {
    for (Chart chart : charts) {
      WebElement svg = browser.findElement(By.cssSelector("#" + chart.id() + " svg"));
      assertThat(svg.getSize().width).isGreaterThan(1000);
      @SuppressWarnings("unchecked")
      List<Number> lengths =
          (List<Number>)
              browser.executeScript(
                  "return [...arguments[0].querySelectorAll('g[clip-path] path')].map(p => p.getTotalLength())",
                  svg);
      assertThat(lengths.stream().filter(length -> length.doubleValue() > pixels).count())
          .as(chart.id())
          .isGreaterThanOrEqualTo(chart.id().equals("gradient-loss") ? 1 : tasks);
    }
  }

  /** What a reader sees first. */
  private static void screenshot(String name) throws Exception {
    Files.write(SCREENSHOTS.resolve(name), browser.getScreenshotAs(OutputType.BYTES));
  }
}
