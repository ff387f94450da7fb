package org.gradnorm4j.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A history as CSV. */
class HistoryCsvTest {
  @Test
  void header_andRows_areOfTheQuantities(@TempDir Path folder) throws IOException {
    SyntheticHistory run = new SyntheticHistory("a", "say \"b\", please").steps(2);
    run.stepWithoutLastTask(0.5, 2.0);
    Path file = folder.resolve("history.csv");
    run.history().writeCsv(file);
    List<String> lines = Files.readAllLines(file);
    assertThat(lines.get(0))
        .isEqualTo(
            "iteration,epoch,task,loss,loss_weight,gradient_norm,weighted_gradient_norm,target,deviation,rate,present,skipped,steps,gradient_share");
    assertThat(lines).hasSize(1 + 3 * 2);
    List<Row> rows = run.history().rows().toList();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      assertThat(lines.get(1 + i))
          .startsWith(
              String.join(
                  ",",
                  Integer.toString(row.iteration()),
                  "0",
                  i % 2 == 0 ? "a" : "\"say \"\"b\"\", please\"",
                  Double.toString(row.loss()),
                  Double.toString(row.lossWeight()),
                  Double.toString(row.gradientNorm()),
                  Double.toString(row.weightedGradientNorm()),
                  Double.toString(row.value(SyntheticHistory.TARGET)),
                  Double.toString(row.value(SyntheticHistory.DEVIATION)),
                  Double.toString(row.value(SyntheticHistory.RATE)),
                  Boolean.toString(i != 5),
                  "false,1,"));
    }
    assertThat(lines.get(6)).contains(",NaN,").endsWith(",false,false,1,0.0");
    assertThat(lines.get(5)).endsWith(",1.0");
  }

  /** Merged steps are rows too: every number of every row. */
  @Test
  void everyRowOfAThinnedHistory_isThere() throws IOException {
    HistoryLimit limit = new HistoryLimit(HistoryLimit.Kind.THINNED, 64);
    History history = new SyntheticHistory(limit, "a", "b").steps(1201).history();
    StringBuilder csv = new StringBuilder();
    history.view().writeCsv(csv);
    List<CSVRecord> records =
        CSVParser.parse(
                csv.toString(),
                CSVFormat.RFC4180.builder().setHeader().setSkipHeaderRecord(true).build())
            .getRecords();
    List<Row> rows = history.rows().toList();
    assertThat(records).hasSameSizeAs(rows);
    assertThat(rows).anyMatch(row -> row.steps() > 1).anyMatch(row -> row.steps() == 1);
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      CSVRecord record = records.get(i);
      assertThat(record.get("iteration")).isEqualTo(Integer.toString(row.iteration()));
      assertThat(record.get("task")).isEqualTo(row.task());
      assertThat(record.get("loss")).isEqualTo(Double.toString(row.loss()));
      assertThat(record.get("gradient_norm")).isEqualTo(Double.toString(row.gradientNorm()));
      assertThat(record.get("target"))
          .isEqualTo(Double.toString(row.value(SyntheticHistory.TARGET)));
      assertThat(record.get("steps")).isEqualTo(Long.toString(row.steps()));
    }
  }
}
