package org.gradnorm4j.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryRecorder;
import org.gradnorm4j.weighting.BalancedStep;
import org.gradnorm4j.weighting.Quantity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A strategy that nobody here has heard of: its columns are in CSV, charts and page. */
class OwnColumnsTest {
  private static final Quantity PRICE = Quantity.perTask("price", "Prices", "p").in("coins");
  private static final Quantity PRICE_LIMIT =
      Quantity.perTask("price_limit", "Price limits", "p_max").drawnWith(PRICE);
  private static final Quantity NORM_LIMIT =
      Quantity.perTask("norm_limit", "Norm limits", "n_max").drawnWith(Quantity.GRADIENT_NORM);
  private static final Quantity MOOD = Quantity.ofStep("mood", "Mood of the market", "m");
  private static final List<Quantity> QUANTITIES = List.of(PRICE_LIMIT, MOOD, PRICE, NORM_LIMIT);
  private static final List<String> TASKS = List.of("depth", "normals");

  private static History history() {
    HistoryRecorder recorder =
        new HistoryRecorder(History.all(), TASKS, QUANTITIES, Map.of("strategy", "Market"));
    for (int t = 0; t < 4; t++) {
      Map<Quantity, double[]> values = new LinkedHashMap<>();
      values.put(PRICE_LIMIT, new double[] {10 + t, 20 + t});
      values.put(MOOD, new double[] {-0.5 * t});
      values.put(PRICE, new double[] {1 + t, 2 + t});
      values.put(NORM_LIMIT, new double[] {7, 8});
      recorder.add(
          BalancedStep.of(
              StepMeasurement.of(TASKS)
                  .at(t, 0)
                  .batchSize(8)
                  .losses(0.5, 0.25)
                  .gradientNorms(3, 4)
                  .lossWeights(1, 1)
                  .build(),
              values,
              new double[] {1, 1},
              Map.of()));
    }
    return recorder.history();
  }

  @Test
  void csv_hasAColumnEach(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("history.csv");
    history().writeCsv(file);
    assertThat(Files.readAllLines(file))
        .startsWith(
            "iteration,epoch,task,loss,loss_weight,gradient_norm,weighted_gradient_norm,price_limit,mood,price,norm_limit,present,skipped,steps,gradient_share",
            "0,0,depth,0.5,1.0,3.0,3.0,10.0,-0.0,1.0,7.0,true,false,1,0.42857142857142855",
            "0,0,normals,0.25,1.0,4.0,4.0,20.0,-0.0,2.0,8.0,true,false,1,0.5714285714285714",
            "1,0,depth,0.5,1.0,3.0,3.0,11.0,-0.5,2.0,7.0,true,false,1,0.42857142857142855");
  }

  @Test
  void charts_areOfAll_limitsDottedIntoThoseTheyBelongTo() {
    List<Chart> charts = Chart.of(history());
    assertThat(charts)
        .extracting(Chart::id)
        .containsExactly(
            "loss",
            "loss-weight",
            "weighted-gradient-norm",
            "price",
            "mood",
            "gradient-norm",
            "gradient-shares");
    Chart price = charts.get(3);
    assertThat(price.title()).isEqualTo("Prices (solid), price limits (dotted)");
    assertThat(price.drawing().yTitle()).isEqualTo("p (coins)");
    assertThat(price.lines())
        .extracting(ChartLine::kind, ChartLine::name)
        .map(Object::toString)
        .containsExactly(
            "(MAIN, \"depth\")",
            "(MAIN, \"normals\")",
            "(DRAWN_WITH, \"depth\")",
            "(DRAWN_WITH, \"normals\")");
    assertThat(price.lines().get(3).y()).containsExactly(20, 21, 22, 23);
    Chart mood = charts.get(4);
    assertThat(mood.lines()).hasSize(1);
    assertThat(mood.lines().get(0).name()).isEqualTo("Mood of the market");
    assertThat(mood.lines().get(0).y()).containsExactly(-0.0, -0.5, -1.0, -1.5);
    assertThat(charts.get(5).title()).isEqualTo("Gradient norms (solid), norm limits (dotted)");
  }

  @Test
  void page_hasItsChartsAndItsLastStep() throws Exception {
    Page report = Page.of(history());
    for (Chart chart : Chart.of(history())) {
      assertThat(report.byId(chart.id()).getElementsByTagName("svg").getLength()).isEqualTo(1);
    }
    assertThat(report.values("price")).containsExactly(4, 5);
    assertThat(report.values("price_limit")).containsExactly(13, 23);
    assertThat(report.values("mood")).containsExactly(-1.5);
    assertThat(report.text("last-step")).contains("Prices p (coins)", "Norm limits n_max");
    assertThat(report.text("settings")).isEqualTo("strategyMarket");
  }
}
