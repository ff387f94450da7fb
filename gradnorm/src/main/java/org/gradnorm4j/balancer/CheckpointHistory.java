package org.gradnorm4j.balancer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryBytes;
import org.gradnorm4j.history.HistoryView;
import org.gradnorm4j.persist.HistoryLog;
import org.gradnorm4j.persist.HistoryLog.Mark;
import org.gradnorm4j.persist.ModelFile;

/**
 * The history of the checkpoints in a folder, in a file beside them. Each checkpoint appends the
 * steps that are new, so it costs what they do, and not what the run does.
 *
 * <p>A new file begins with all that is kept: for the first checkpoint, for another run, where
 * steps that are new have been merged or dropped since the last one, and when more has been
 * appended than a few times what is kept, so that a bounded history has a bounded file. Spread over
 * the steps in between, that costs less than to append them did.
 */
final class CheckpointHistory {
  /** What may be appended in any case, for histories that keep little. */
  private static final long LEAST_APPENDED = 1 << 16;

  private final Path folder;
  private final HistoryLog log;
  private String file;
  private History written;
  private long steps;
  private long stepsAtBegin;

  CheckpointHistory(Path folder) {
    this.folder = folder;
    log = new HistoryLog(folder);
  }

  /**
   * Writes what is new.
   *
   * @return how far the file counts for a checkpoint of this moment
   */
  Mark write(History history) throws IOException {
    HistoryView view = history.view();
    long now = view.counts().steps();
    long before = steps;
    boolean appends =
        history == written
            && log.canAppend()
            && HistoryBytes.hasAllSince(view, before)
            && now - stepsAtBegin <= 2L * view.size() + LEAST_APPENDED;
    Mark mark =
        appends
            ? log.append(out -> HistoryBytes.append(view, before, out))
            : log.begin(out -> HistoryBytes.write(view, out));
    if (!appends) {
      stepsAtBegin = now;
    }
    file = mark.file();
    written = history;
    steps = now;
    return mark;
  }

  /**
   * Deletes the files that no checkpoint needs any more.
   *
   * @param checkpoints all that are left. If one of them does not tell what it needs, nothing is
   *     deleted
   */
  void deleteUnused(List<Path> checkpoints) throws IOException {
    List<Path> unused = new ArrayList<>(HistoryLog.filesIn(folder));
    unused.removeIf(log -> log.getFileName().toString().equals(file));
    if (unused.isEmpty()) {
      return;
    }
    for (Path checkpoint : checkpoints) {
      Optional<Mark> mark;
      try {
        mark = ModelFile.historyLog(checkpoint);
      } catch (IOException e) {
        return;
      }
      mark.ifPresent(needed -> unused.remove(folder.resolve(needed.file())));
    }
    for (Path log : unused) {
      Files.deleteIfExists(log);
    }
  }
}
