package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.gradnorm4j.core.StepMeasurement;
import org.nd4j.linalg.schedule.ScheduleType;

/**
 * Reads what {@link StateWriter} wrote, and nothing else: every key in its place, every array of
 * its length, every number in its range. No class is named or made by the file.
 */
final class StateReader {
  /** Far more than any number of tasks needs; larger files are not read at all. */
  static final int LARGEST = 4 << 20;

  private final StrictJson json;

  private StateReader(String text) {
    json = new StrictJson(text);
  }

  /**
   * The run in a file.
   *
   * @param file read to its end; not closed
   * @param name of the file, for messages
   * @throws IOException if the file cannot be read, or is not whole and valid; says why
   */
  static SavedRun read(InputStream file, String name) throws IOException {
    byte[] bytes = file.readNBytes(LARGEST + 1);
    if (bytes.length > LARGEST) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s: a GradNorm state has at most %d bytes, this has more",
              name,
              LARGEST));
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      new StateReader(text).header();
      if (!StateSeal.isIntact(text)) {
        throw new IOException("it was cut short or changed: its checksum does not match");
      }
      return new StateReader(text).run();
    } catch (IOException | RuntimeException e) { // gson: IllegalStateException on a wrong type
      String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new IOException(
          String.format(
              Locale.ROOT, "%s is no GradNorm state that can be restored: %s", name, reason),
          e);
    }
  }

  private void header() throws IOException {
    json.beginObject();
    if (!json.string("format").equals(StateSeal.FORMAT)) {
      throw new IOException("it has another format");
    }
    int version = json.integer("version");
    if (version != StateSeal.VERSION) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "it has version %d of the format, this library reads version %d. Use the library that wrote it, or a newer one",
              version,
              StateSeal.VERSION));
    }
  }

  private SavedRun run() throws IOException {
    header();
    List<String> tasks = json.strings("tasks");
    StrictJson.check(tasks.size() >= 2 && Set.copyOf(tasks).size() == tasks.size(), "tasks");
    List<String> measured = json.strings("measuredLayers");
    GradNormSettings settings = settings();
    settings.of(tasks);
    List<String> changes = json.strings("settingsChanges");
    int stepsUntilMeasured = json.count("stepsUntilMeasured");
    StrictJson.check(stepsUntilMeasured < settings.measureEvery(), "stepsUntilMeasured");
    GradNormState state = state(settings, tasks);
    GradNormStep lastStep = lastStep(tasks);
    json.string(StateSeal.KEY);
    json.endObject();
    json.endDocument();
    return new SavedRun(settings, changes, tasks, measured, stepsUntilMeasured, state, lastStep);
  }

  private GradNormSettings settings() throws IOException {
    json.begin("settings");
    List<String> sharedLayers = json.strings("sharedLayers");
    GradNormBuilder builder =
        GradNorm.builder()
            .sharedLayer(sharedLayers.toArray(String[]::new))
            .alpha(json.number("alpha"))
            .weightUpdate(WeightUpdate.valueOf(json.string("weightUpdate")));
    builder
        .lossWeightUpdater(UpdaterFormat.updater(updater("lossWeightUpdater")))
        .measureEvery(json.integer("measureEvery"))
        .lossScale(LossScale.valueOf(json.string("lossScale")))
        .onNonFinite(NonFinitePolicy.valueOf(json.string("onNonFinite")))
        .smoothing(json.number("smoothing"))
        .warmUp(json.integer("warmUp"));
    builder.taskWindowOrDefault(json.count("taskWindow"));
    json.begin("everyTask");
    builder.everyTask(taskSettings());
    json.beginArray("byTask");
    while (json.hasNext()) {
      json.beginObject();
      String task = json.string("task");
      StrictJson.check(builder.task(task, taskSettings()), "byTask");
    }
    json.endArray();
    json.endObject();
    return builder.settings();
  }

  private UpdaterFormat.Entry updater(String name) throws IOException {
    if (json.isNull(name)) {
      return null;
    }
    json.beginObject();
    String kind = json.string("kind");
    ScheduleType unit = json.isNull("unit") ? null : ScheduleType.valueOf(json.string());
    double[] values = json.numbers("values");
    UpdaterFormat.Entry schedule = updater("schedule");
    json.endObject();
    return new UpdaterFormat.Entry(kind, unit, values, schedule);
  }

  private TaskSettings taskSettings() throws IOException {
    InitialLoss initialLoss = null;
    if (!json.isNull("initialLoss")) {
      json.beginObject();
      initialLoss =
          new InitialLoss(
              InitialLoss.Source.valueOf(json.string("source")),
              json.integer("steps"),
              json.number("value"));
      json.endObject();
    }
    TaskSettings settings =
        new TaskSettings(
            initialLoss,
            json.optional("lossShift"),
            json.optional("lossFloor"),
            json.optional("initialLossWeight"),
            json.optional("minWeight"),
            json.optional("maxWeight"),
            json.optional("pin"),
            json.optional("prior"));
    json.endObject();
    return settings;
  }

  private GradNormState state(GradNormSettings settings, List<String> tasks) throws IOException {
    int count = tasks.size();
    json.begin("state");
    int steps = json.count("steps");
    double[] weights = json.finite("lossWeights", count);
    double total = json.number("totalWeight");
    boolean frozen = json.bool("frozen");
    int[] updates = json.counts("updates", count);
    WeightOptimizer optimizer = WeightOptimizer.of(settings.lossWeightUpdater());
    double[] moments = json.finite("optimizer", optimizer.init(count).length);
    Tally initialLosses = tally("initialLosses", count);
    Tally averageLosses = tally("averageLosses", count);
    Tally averageNorms = tally("averageNorms", count);
    int[] lastKnown = json.counts("lastKnown", count);
    for (int i = 0; i < count; i++) {
      boolean known = initialLosses.counts()[i] > 0 && averageLosses.counts()[i] > 0;
      known &= averageNorms.counts()[i] > 0 && lastKnown[i] <= steps;
      StrictJson.check(known || lastKnown[i] == 0, "lastKnown");
    }
    json.beginArray("skips");
    int[][] skips = new int[count][];
    for (int i = 0; i < count; i++) {
      skips[i] = json.counts(SkipCause.values().length);
    }
    json.endArray();
    json.endObject();
    checkWeights(settings, tasks, weights, total);
    return new GradNormState(
        steps,
        weights,
        total,
        frozen,
        updates,
        moments,
        initialLosses,
        averageLosses,
        averageNorms,
        lastKnown,
        skips);
  }

  private static void checkWeights(
      GradNormSettings settings, List<String> tasks, double[] weights, double total)
      throws IOException {
    StrictJson.check(total > 0.0 && Double.isFinite(total), "totalWeight");
    double sum = 0.0;
    double size = 0.0;
    for (double weight : weights) {
      StrictJson.check(weight != 0.0, "lossWeights");
      sum += weight;
      size += Math.abs(weight);
    }
    StrictJson.check(Math.abs(sum - total) <= 1e-9 * size, "lossWeights");
    WeightLimits limits =
        WeightLimits.of(settings.of(tasks), settings.weightUpdate(), total); // refuses some, too
    StrictJson.check(limits.contain(weights), "lossWeights");
  }

  private Tally tally(String name, int length) throws IOException {
    json.begin(name);
    Tally tally = new Tally(json.finite("sums", length), json.counts("counts", length));
    json.endObject();
    return tally;
  }

  private GradNormStep lastStep(List<String> tasks) throws IOException {
    if (json.isNull("lastStep")) {
      return null;
    }
    int count = tasks.size();
    json.beginObject();
    StepMeasurement measurement =
        StepMeasurement.of(tasks)
            .at(json.count("iteration"), json.count("epoch"))
            .batchSize(json.count("batchSize"))
            .present(json.booleans("present", count))
            .losses(json.numbers("losses", count))
            .lossesPerLabel(json.numbers("lossesPerLabel", count))
            .gradientNorms(json.numbers("gradientNorms", count))
            .lossWeights(json.numbers("lossWeights", count))
            .build();
    GradNormStep step =
        new GradNormStep(
            measurement,
            json.numbers("initialLosses", count),
            json.numbers("lossRatios", count),
            json.numbers("relativeInverseTrainingRates", count),
            json.numbers("weightedGradientNorms", count),
            json.number("meanGradientNorm"),
            json.numbers("targetGradientNorms", count),
            json.number("gradientLoss"),
            json.finite("nextLossWeights", count),
            skipCauses(tasks));
    json.endObject();
    return step;
  }

  private Map<String, Set<SkipCause>> skipCauses(List<String> tasks) throws IOException {
    Map<String, Set<SkipCause>> byTask = new LinkedHashMap<>();
    json.beginArray("skipCauses");
    while (json.hasNext()) {
      json.beginObject();
      String task = json.string("task");
      Set<SkipCause> causes = EnumSet.noneOf(SkipCause.class);
      json.strings("causes").forEach(cause -> causes.add(SkipCause.valueOf(cause)));
      StrictJson.check(tasks.contains(task) && !causes.isEmpty(), "skipCauses");
      StrictJson.check(byTask.put(task, causes) == null, "skipCauses");
      json.endObject();
    }
    json.endArray();
    return byTask;
  }
}
