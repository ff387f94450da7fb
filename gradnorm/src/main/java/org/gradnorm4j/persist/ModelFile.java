package org.gradnorm4j.persist;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;

/**
 * A model as Deeplearning4j's ModelSerializer writes it, a zip, with the state of its balancer as
 * one more entry, and the history as another or in a {@link HistoryLog} beside it. ModelSerializer
 * reads it without looking at them. Internal to the library.
 */
public final class ModelFile {
  private static final String STATE = "gradnorm4j.json";
  private static final String HISTORY = "gradnorm4j-history.bin";

  /** The part of a state that has the {@link HistoryLog.Mark}, if the history is beside the zip. */
  public static final String LOG_PART = "historyLog";

  private ModelFile() {}

  /**
   * Writes all of it, at any moment, or leaves what was there before.
   *
   * @param target created, or replaced
   * @param model not modified
   * @param state a {@link StateFile}
   * @param history goes into the zip; null if the state says where it is
   * @throws IOException if it cannot be written
   */
  public static void write(Path target, Model model, byte[] state, HistoryLog.Content history)
      throws IOException {
    AtomicFile.write(
        target,
        file -> {
          try (OutputStream out = Files.newOutputStream(file)) {
            ModelSerializer.writeModel(model, out, true);
          }
          try (FileSystem zip = FileSystems.newFileSystem(file)) {
            Files.write(zip.getPath(STATE), state);
            if (history != null) {
              try (OutputStream out =
                  new BufferedOutputStream(Files.newOutputStream(zip.getPath(HISTORY)))) {
                history.writeTo(out);
              }
            }
          }
        });
  }

  /**
   * The state in a model's file, or in one that has nothing else.
   *
   * @param file a model, or a {@link StateFile}
   * @return its state
   * @throws IOException if it cannot be read, or has none; says which
   */
  public static StateFile readState(Path file) throws IOException {
    if (!isZip(file)) {
      try (InputStream state = Files.newInputStream(file)) {
        return StateFile.read(state, file.toString());
      }
    }
    try (ZipFile zip = new ZipFile(file.toFile());
        InputStream state = zip.getInputStream(entry(zip, STATE, file))) {
      return StateFile.read(state, file + "!" + STATE);
    }
  }

  private static boolean isZip(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.read() == 'P' && in.read() == 'K';
    }
  }

  /**
   * Where the history of a model is, if not in its file.
   *
   * @param file a model
   * @return empty if it is
   * @throws IOException as for {@link #readState}
   */
  public static Optional<HistoryLog.Mark> historyLog(Path file) throws IOException {
    StateFile state = readState(file);
    return state.has(LOG_PART)
        ? Optional.of(state.part(LOG_PART, HistoryLog.Mark.class))
        : Optional.empty();
  }

  /**
   * The history of a model, in its file or in the log beside it.
   *
   * @param <T> of the result
   * @param file a model
   * @param reader gets its bytes
   * @return what the reader made of them
   * @throws IOException if it cannot be read, has none, or was changed; says which
   */
  public static <T> T readHistory(Path file, HistoryLog.Reader<T> reader) throws IOException {
    if (!isZip(file)) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s has no network and no history: writeModel(...) or a checkpoint writes them. Use restore(...)",
              file));
    }
    Optional<HistoryLog.Mark> mark = historyLog(file);
    if (mark.isPresent()) {
      return HistoryLog.read(file, mark.get(), reader);
    }
    try (ZipFile zip = new ZipFile(file.toFile())) {
      ZipEntry entry = entry(zip, HISTORY, file);
      try (InputStream in = zip.getInputStream(entry)) { // ZipFile does not look at the checksum
        return read(in, entry.getCrc(), file + "!" + HISTORY, reader);
      }
    }
  }

  private static ZipEntry entry(ZipFile zip, String name, Path file) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s has no '%s': it was not written by a balancer. Load the model alone, and build a balancer for it",
              file,
              name));
    }
    return entry;
  }

  /** Reads a history to its end, and proves its checksum. */
  static <T> T read(InputStream in, long checksum, String name, HistoryLog.Reader<T> reader)
      throws IOException {
    CheckedInputStream checked = new CheckedInputStream(in, new CRC32());
    BufferedInputStream buffered = new BufferedInputStream(checked, 1 << 16);
    T result;
    try {
      result = reader.read(buffered);
    } catch (IOException | RuntimeException e) {
      throw new IOException(
          String.format(
              Locale.ROOT, "%s is no history that can be restored: %s", name, e.getMessage()),
          e);
    }
    buffered.transferTo(OutputStream.nullOutputStream());
    if (checked.getChecksum().getValue() != checksum) {
      throw new IOException(
          String.format(
              Locale.ROOT, "%s was cut short or changed: its checksum does not match", name));
    }
    return result;
  }
}
