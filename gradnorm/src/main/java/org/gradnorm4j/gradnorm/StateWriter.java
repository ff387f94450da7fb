package org.gradnorm4j.gradnorm;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;

/**
 * A run as JSON. Keys come in a fixed order, numbers with all their digits; what is not finite is a
 * string ("NaN", "Infinity"). The last key is the SHA-256 of all that comes before it.
 */
final class StateWriter {
  private final StringWriter text = new StringWriter();
  private final JsonWriter json = new JsonWriter(text);

  private StateWriter() {
    json.setIndent("  ");
  }

  /**
   * The file's bytes.
   *
   * @throws IllegalArgumentException if the updater of the loss weights cannot be saved
   */
  static byte[] write(SavedRun run) {
    try {
      StateWriter writer = new StateWriter();
      writer.run(run);
      return StateSeal.close(writer.text.toString()).getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory does not fail", e);
    }
  }

  private void run(SavedRun run) throws IOException {
    json.beginObject();
    json.name("format").value(StateSeal.FORMAT);
    json.name("version").value(StateSeal.VERSION);
    strings("tasks", run.taskNames());
    strings("measuredLayers", run.sharedLayers());
    settings(run.settings());
    strings("settingsChanges", run.settingsChanges());
    json.name("stepsUntilMeasured").value(run.stepsUntilMeasured());
    state(run.state());
    json.name("lastStep");
    lastStep(run.lastStep());
    json.flush();
  }

  private void settings(GradNormSettings settings) throws IOException {
    json.name("settings").beginObject();
    strings("sharedLayers", settings.sharedLayers());
    number("alpha", settings.alpha());
    json.name("weightUpdate").value(settings.weightUpdate().name());
    json.name("lossWeightUpdater");
    updater(UpdaterFormat.of(settings.lossWeightUpdater()));
    json.name("measureEvery").value(settings.measureEvery());
    json.name("lossScale").value(settings.lossScale().name());
    json.name("onNonFinite").value(settings.onNonFinite().name());
    number("smoothing", settings.smoothing());
    json.name("warmUp").value(settings.warmUp());
    json.name("taskWindow").value(settings.taskWindow());
    json.name("everyTask").beginObject();
    taskSettings(settings.everyTask());
    json.endObject();
    json.name("byTask").beginArray();
    for (String task : settings.tasks().keySet().stream().sorted().toList()) {
      json.beginObject().name("task").value(task);
      taskSettings(settings.tasks().get(task));
      json.endObject();
    }
    json.endArray().endObject();
  }

  private void updater(UpdaterFormat.Entry entry) throws IOException {
    if (entry == null) {
      json.nullValue();
      return;
    }
    json.beginObject().name("kind").value(entry.kind());
    json.name("unit").value(entry.unit() == null ? null : entry.unit().name());
    numbers("values", entry.values());
    json.name("schedule");
    updater(entry.schedule());
    json.endObject();
  }

  private void taskSettings(TaskSettings task) throws IOException {
    json.name("initialLoss");
    if (task.initialLoss() == null) {
      json.nullValue();
    } else {
      json.beginObject().name("source").value(task.initialLoss().source().name());
      json.name("steps").value(task.initialLoss().steps());
      number("value", task.initialLoss().value());
      json.endObject();
    }
    optional("lossShift", task.lossShift());
    optional("lossFloor", task.lossFloor());
    optional("initialLossWeight", task.initialLossWeight());
    optional("minWeight", task.minWeight());
    optional("maxWeight", task.maxWeight());
    optional("pin", task.pin());
    optional("prior", task.prior());
  }

  private void state(GradNormState state) throws IOException {
    json.name("state").beginObject();
    json.name("steps").value(state.steps());
    numbers("lossWeights", state.lossWeights());
    number("totalWeight", state.totalWeight());
    json.name("frozen").value(state.frozen());
    integers("updates", state.updates());
    numbers("optimizer", state.optimizer());
    tally("initialLosses", state.initialLosses());
    tally("averageLosses", state.averageLosses());
    tally("averageNorms", state.averageNorms());
    integers("lastKnown", state.lastKnown());
    json.name("skips").beginArray();
    for (int[] byCause : state.skips()) {
      integers(byCause);
    }
    json.endArray().endObject();
  }

  private void tally(String name, Tally tally) throws IOException {
    json.name(name).beginObject();
    numbers("sums", tally.sums());
    integers("counts", tally.counts());
    json.endObject();
  }

  private void lastStep(GradNormStep step) throws IOException {
    if (step == null) {
      json.nullValue();
      return;
    }
    StepMeasurement measurement = step.measurement();
    json.beginObject();
    json.name("iteration").value(measurement.iteration());
    json.name("epoch").value(measurement.epoch());
    json.name("batchSize").value(measurement.batchSize());
    json.name("present").beginArray();
    for (boolean present : measurement.present()) {
      json.value(present);
    }
    json.endArray();
    numbers("losses", measurement.losses());
    numbers("lossesPerLabel", measurement.lossesPerLabel());
    numbers("gradientNorms", measurement.gradientNorms());
    numbers("lossWeights", measurement.lossWeights());
    numbers("initialLosses", step.initialLosses());
    numbers("lossRatios", step.lossRatios());
    numbers("relativeInverseTrainingRates", step.relativeInverseTrainingRates());
    numbers("weightedGradientNorms", step.weightedGradientNorms());
    number("meanGradientNorm", step.meanGradientNorm());
    numbers("targetGradientNorms", step.targetGradientNorms());
    number("gradientLoss", step.gradientLoss());
    numbers("nextLossWeights", step.nextLossWeights());
    json.name("skipCauses").beginArray();
    for (Map.Entry<String, Set<SkipCause>> causes : step.skipCauses().entrySet()) {
      json.beginObject().name("task").value(causes.getKey());
      strings("causes", causes.getValue().stream().map(SkipCause::name).toList());
      json.endObject();
    }
    json.endArray().endObject();
  }

  private void strings(String name, Iterable<String> values) throws IOException {
    json.name(name).beginArray();
    for (String value : values) {
      json.value(value);
    }
    json.endArray();
  }

  private void numbers(String name, double[] values) throws IOException {
    json.name(name).beginArray();
    for (double value : values) {
      number(value);
    }
    json.endArray();
  }

  private void integers(String name, int[] values) throws IOException {
    json.name(name);
    integers(values);
  }

  private void integers(int[] values) throws IOException {
    json.beginArray();
    for (int value : values) {
      json.value(value);
    }
    json.endArray();
  }

  private void number(String name, double value) throws IOException {
    json.name(name);
    number(value);
  }

  private void optional(String name, Double value) throws IOException {
    json.name(name);
    if (value == null) {
      json.nullValue();
    } else {
      number(value);
    }
  }

  private void number(double value) throws IOException {
    if (Double.isFinite(value)) {
      json.value(value);
    } else {
      json.value(Double.toString(value));
    }
  }
}
