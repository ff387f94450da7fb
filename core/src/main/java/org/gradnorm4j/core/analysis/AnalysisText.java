package org.gradnorm4j.core.analysis;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** A {@link GradientAnalysis} as text: table, CSV and JSON. */
record AnalysisText(GradientAnalysis analysis) {

  String table() {
    int width =
        Math.max(
            8,
            analysis.parameters().stream()
                .flatMap(
                    group ->
                        Stream.concat(
                            Stream.of(group.name()),
                            group.parts().stream().map(GradientAnalysis.Part::name)))
                .mapToInt(String::length)
                .max()
                .orElse(0));
    String name = "%-" + width + "s";
    StringBuilder text = new StringBuilder();
    text.append(
        format(
            name + "%10s %10s %10s %10s %8s %8s%n",
            analysis.batches() == 1 ? "1 batch" : analysis.batches() + " batches",
            "weight",
            "loss",
            "norm",
            "weighted",
            "share",
            "cosine"));
    for (GradientAnalysis.Part part : analysis.all().parts()) {
      text.append(
          format(
              name + "%10.4g %10.4g %10.4g %10.4g %6.1f %% %8.2f%n",
              part.name(),
              part.lossWeight(),
              part.loss().mean(),
              part.norm().mean(),
              part.weightedNorm().mean(),
              percent(part.share()),
              part.cosineWithTotal().mean()));
    }
    text.append(String.format(Locale.ROOT, "%n"));
    appendRow(
        text,
        name,
        "cosine",
        analysis.all().parts().stream().map(GradientAnalysis.Part::name).toList());
    for (GradientAnalysis.Part part : analysis.all().parts()) {
      appendRow(
          text,
          name,
          part.name(),
          part.cosines().values().stream().map(cosine -> format("%.2f", cosine.mean())).toList());
    }
    text.append(String.format(Locale.ROOT, "%n"));
    appendRow(
        text,
        name,
        "weighted",
        analysis.all().parts().stream().map(GradientAnalysis.Part::name).toList());
    for (GradientAnalysis.Parameters group : analysis.parameters()) {
      appendRow(
          text,
          name,
          group.name(),
          group.parts().stream().map(part -> format("%.4g", part.weightedNorm().mean())).toList());
    }
    text.append(
        format(
            "%nagreement %.2f (1: same direction, 0: they cancel), effective rank %.2f of %d%n",
            analysis.all().agreement().mean(),
            analysis.all().effectiveRank().mean(),
            analysis.all().parts().size()));
    text.append("verdict: ").append(analysis.verdict()).append(System.lineSeparator());
    text.append("equal norms at weights: ").append(suggestedLossWeights(false));
    if (analysis.all().parts().stream().anyMatch(GradientAnalysis.Part::penalty)) {
      text.append(System.lineSeparator())
          .append("penalties as they are: ")
          .append(suggestedLossWeights(true));
    }
    return text.toString();
  }

  private String suggestedLossWeights(boolean penalties) {
    Map<String, Double> suggested = analysis.suggestedLossWeights();
    return analysis.all().parts().stream()
        .filter(part -> part.penalty() == penalties)
        .map(part -> part.name() + format(" %.4g", suggested.get(part.name())))
        .collect(Collectors.joining(", "));
  }

  String csv() {
    List<String> header =
        new ArrayList<>(
            List.of(
                "parameters",
                "part",
                "loss_weight",
                "loss",
                "loss_deviation",
                "norm",
                "norm_deviation",
                "weighted_norm",
                "weighted_norm_deviation",
                "share",
                "share_deviation",
                "cosine_with_total",
                "cosine_with_total_deviation",
                "agreement",
                "effective_rank"));
    analysis.all().parts().forEach(part -> header.add("cosine_with:" + part.name()));
    StringBuilder text = new StringBuilder();
    try (CSVPrinter csv =
        new CSVPrinter(text, CSVFormat.RFC4180.builder().setRecordSeparator('\n').build())) {
      csv.printRecord(header);
      for (GradientAnalysis.Parameters group : analysis.parameters()) {
        for (GradientAnalysis.Part part : group.parts()) {
          List<Object> row = new ArrayList<>(List.of(group.name(), part.name(), part.lossWeight()));
          for (GradientAnalysis.Spread spread :
              List.of(
                  part.loss(),
                  part.norm(),
                  part.weightedNorm(),
                  part.share(),
                  part.cosineWithTotal())) {
            row.add(spread.mean());
            row.add(spread.deviation());
          }
          row.add(group.agreement().mean());
          row.add(group.effectiveRank().mean());
          part.cosines().values().forEach(cosine -> row.add(cosine.mean()));
          csv.printRecord(row);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a StringBuilder does not fail
    }
    return text.toString();
  }

  String json() {
    JsonSerializer<Double> finite =
        (value, type, context) ->
            Double.isFinite(value) ? new JsonPrimitive(value) : JsonNull.INSTANCE;
    Gson gson =
        new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .registerTypeAdapter(Double.class, finite)
            .registerTypeAdapter(double.class, finite)
            .serializeNulls()
            .setPrettyPrinting()
            .create();
    JsonElement numbers = gson.toJsonTree(analysis);
    JsonObject json = new JsonObject();
    json.addProperty("verdict", analysis.verdict());
    json.add("suggested_loss_weights", gson.toJsonTree(analysis.suggestedLossWeights()));
    numbers.getAsJsonObject().asMap().forEach(json::add);
    return gson.toJson(json);
  }

  private static void appendRow(StringBuilder text, String name, String title, List<String> cells) {
    text.append(format(name, title));
    for (String cell : cells) {
      text.append(format(" %9s", abbreviated(cell)));
    }
    text.append(System.lineSeparator());
  }

  private static String abbreviated(String cell) {
    return cell.length() <= 9 ? cell : cell.substring(0, 8) + "…";
  }

  private static double percent(GradientAnalysis.Spread share) {
    return 100.0 * share.mean();
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
