package org.gradnorm4j.ui;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.core.storage.StatsStorage;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryRecorder;

/** The runs in all attached storages, each read once and then kept up to date record by record. */
final class Runs {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

  private final Map<String, Run> byId = new LinkedHashMap<>();

  private static final class Run {
    final StatsStorage storage;
    final String session;
    final long begin;
    final HistoryRecorder history;
    long read;

    Run(StatsStorage storage, LossBalancerRecord info) {
      this.storage = storage;
      session = info.getSessionID();
      begin = info.getTimeStamp();
      history = info.toRecorder();
    }
  }

  /**
   * A run to choose.
   *
   * @param id unique
   * @param label to be read
   */
  record Choice(String id, String label) {}

  synchronized void attach(StatsStorage storage) {
    for (String session : storage.listSessionIDs()) {
      for (String worker :
          storage.listWorkerIDsForSessionAndType(session, LossBalancerRecord.TYPE_ID)) {
        readAll(storage, session, worker);
      }
    }
  }

  synchronized void detach(StatsStorage storage) {
    byId.values().removeIf(run -> run.storage == storage);
  }

  private void readAll(StatsStorage storage, String session, String worker) {
    long[] times = storage.getAllUpdateTimes(session, LossBalancerRecord.TYPE_ID, worker);
    if (times != null) {
      Arrays.stream(times).sorted().forEach(time -> read(storage, session, worker, time));
    }
  }

  /** One record that has just been written, unless it was read before. */
  synchronized void read(StatsStorage storage, String session, String worker, long time) {
    Run run = find(storage, session, worker);
    if (run != null
        && time > run.read
        && storage.getUpdate(session, LossBalancerRecord.TYPE_ID, worker, time)
            instanceof LossBalancerRecord step) {
      run.history.add(step.toStep());
      run.read = time;
    }
  }

  private Run find(StatsStorage storage, String session, String worker) {
    return byId.computeIfAbsent(
        session + "/" + worker,
        id ->
            storage.getStaticInfo(session, LossBalancerRecord.TYPE_ID, worker)
                    instanceof LossBalancerRecord info
                ? new Run(storage, info)
                : null);
  }

  /** The latest first. */
  synchronized List<Choice> choices() {
    List<Map.Entry<String, Run>> runs = new ArrayList<>(byId.entrySet());
    runs.sort(Comparator.comparing(entry -> -entry.getValue().begin));
    return runs.stream().map(entry -> new Choice(entry.getKey(), label(entry.getValue()))).toList();
  }

  private static String label(Run run) {
    return String.format(
        Locale.ROOT,
        "%s · %s · %s",
        TIME.format(Instant.ofEpochMilli(run.begin).atZone(ZoneId.systemDefault())),
        String.join(", ", run.history.history().taskNames()),
        run.session);
  }

  synchronized Optional<History> history(String id) {
    return Optional.ofNullable(byId.get(id)).map(run -> run.history.history());
  }
}
