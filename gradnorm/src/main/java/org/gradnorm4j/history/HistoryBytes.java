package org.gradnorm4j.history;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.gradnorm4j.persist.QuantityRecord;
import org.gradnorm4j.persist.StateFile;
import org.gradnorm4j.weighting.BalancedStep;

/**
 * A history as bytes, to which later steps can be appended, and back: all that it knows, so that it
 * goes on as if nothing had happened. Internal to the library; for people there is {@link
 * History#writeCsv}.
 *
 * <pre>
 *   length of the head (4 bytes), head: a {@link StateFile}
 *   rows of the sections, of the open section, of steps
 *   rows of steps that came later, to the end
 *
 *   a row: iteration, epoch (4 bytes each), flags (1 byte a task), numbers (8 bytes each)
 * </pre>
 */
public final class HistoryBytes {
  private static final String PART = "history";
  private static final int LARGEST_HEAD = 4 << 20;

  private HistoryBytes() {}

  /**
   * Writes all of a history, but for the last step's full record.
   *
   * @param history at a moment
   * @param out not closed; best buffered
   * @throws IOException if it cannot be written
   */
  public static void write(HistoryView history, OutputStream out) throws IOException {
    HistoryHead head =
        new HistoryHead(
            history.taskNames(),
            history.quantities().stream().map(QuantityRecord::of).toList(),
            history.sections().size(),
            history.open().size(),
            history.steps().size(),
            history.sectionSteps(),
            history.openSteps(),
            history.counts(),
            history.increasing(),
            history.lastIteration(),
            history.lastEpoch());
    byte[] bytes = StateFile.builder().part(PART, head).write();
    new DataOutputStream(out).writeInt(bytes.length);
    out.write(bytes);
    write(history.sections(), 0, out);
    write(history.open(), 0, out);
    write(history.steps(), 0, out);
  }

  /**
   * Whether all later steps are still there as they were.
   *
   * @param history at a moment
   * @param steps recorded at an earlier moment
   * @return false if some were merged or dropped meanwhile
   */
  public static boolean hasAllSince(HistoryView history, long steps) {
    return history.counts().steps() - steps <= history.steps().size();
  }

  /**
   * Writes the later steps, to be appended to what was written before.
   *
   * @param history at a moment
   * @param steps recorded when it was written last
   * @param out not closed; best buffered
   * @throws IOException if it cannot be written
   * @throws IllegalArgumentException if it does not have all of them, see {@link #hasAllSince}
   */
  public static void append(HistoryView history, long steps, OutputStream out) throws IOException {
    if (!hasAllSince(history, steps)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "steps (%d) must be >= those of which all later ones are kept", steps));
    }
    long later = history.counts().steps() - steps;
    write(history.steps(), (int) (history.steps().size() - later), out);
  }

  private static void write(RowList.Snapshot rows, int from, OutputStream out) throws IOException {
    byte[] content = new byte[rowBytes(rows.width(), rows.tasks())];
    ByteBuffer bytes = ByteBuffer.wrap(content);
    for (int row = from; row < rows.size(); row++) {
      bytes.clear().putInt(rows.iteration(row)).putInt(rows.epoch(row));
      for (int task = 0; task < rows.tasks(); task++) {
        bytes.put(rows.flags(row, task));
      }
      for (int place = 0; place < rows.width(); place++) {
        bytes.putDouble(rows.cell(row, place));
      }
      out.write(content);
    }
  }

  private static int rowBytes(int width, int tasks) {
    return 2 * Integer.BYTES + tasks + width * Double.BYTES;
  }

  /**
   * Reads a history.
   *
   * @param in read to its end, not closed; best buffered
   * @param recorder empty, with its limit, tasks and quantities; has the history afterwards
   * @param lastStep its full record; null before the first
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if it is another history than that of tasks, quantities, limit
   *     and last step
   */
  public static void read(InputStream in, HistoryRecorder recorder, BalancedStep lastStep)
      throws IOException {
    int length = new DataInputStream(in).readInt();
    if (length < 0 || length > LARGEST_HEAD) {
      throw new IOException(
          String.format(Locale.ROOT, "a head of %d bytes is that of no history", length));
    }
    byte[] bytes = in.readNBytes(length);
    HistoryHead head =
        StateFile.read(new ByteArrayInputStream(bytes), "its head").part(PART, HistoryHead.class);
    StepTable table = recorder.table();
    Columns columns = table.columns();
    check(head.tasks().equals(columns.taskNames()), "tasks", head.tasks());
    check(head.columns().equals(columns.quantities()), "quantities", head.columns());
    RowList sections = rows(head.sections(), columns.sectionWidth(), columns.tasks(), in);
    RowList open = rows(head.open(), columns.sectionWidth(), columns.tasks(), in);
    table.restore(
        head, sections, open, rows(head.steps(), columns.stepWidth(), columns.tasks(), in));
    while (readRow(in, columns.stepWidth(), columns.tasks(), table::addStep)) {
      // the later steps
    }
    check(
        lastStep == null || lastStep.measurement().iteration() == table.view().lastIteration(),
        "last iteration",
        table.view().lastIteration());
    recorder.restore(table.counts(), lastStep);
  }

  private static void check(boolean holds, String what, Object value) {
    if (!holds) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s (%s) are not those of the run", what, value));
    }
  }

  private static RowList rows(int count, int width, int tasks, InputStream in) throws IOException {
    RowList rows = new RowList(width, tasks);
    for (int row = 0; row < count; row++) {
      if (!readRow(in, width, tasks, rows::add)) {
        throw new IOException(
            String.format(Locale.ROOT, "it ends after %d of %d rows", row, count));
      }
    }
    return rows;
  }

  private interface RowConsumer {
    void add(int iteration, int epoch, double[] cells, byte[] flags);
  }

  /** Reads one row, if the end has not come. */
  private static boolean readRow(InputStream in, int width, int tasks, RowConsumer consumer)
      throws IOException {
    byte[] content = new byte[rowBytes(width, tasks)];
    ByteBuffer bytes = ByteBuffer.wrap(content);
    int read = in.readNBytes(content, 0, content.length);
    if (read == 0) {
      return false;
    }
    if (read < bytes.capacity()) {
      throw new IOException("it ends in the middle of a row");
    }
    int iteration = bytes.getInt();
    int epoch = bytes.getInt();
    byte[] flags = new byte[tasks];
    bytes.get(flags);
    double[] cells = new double[width];
    bytes.asDoubleBuffer().get(cells);
    consumer.add(iteration, epoch, cells, flags);
    return true;
  }
}
