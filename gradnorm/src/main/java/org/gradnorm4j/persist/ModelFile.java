package org.gradnorm4j.persist;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;

/**
 * A model as Deeplearning4j's ModelSerializer writes it, a zip, with two more entries: the state of
 * its GradNorm and the history. ModelSerializer reads it without looking at them.
 */
final class ModelFile {
  private static final String STATE = "gradnorm.json";
  private static final String HISTORY = "gradnorm-history.csv";

  private ModelFile() {}

  /** All of it, at any moment, or what was there before. */
  static void write(Path target, Model model, SavedRun run, GradNormHistory history)
      throws IOException {
    byte[] state = StateWriter.write(run);
    AtomicFile.write(
        target,
        file -> {
          try (OutputStream out = Files.newOutputStream(file)) {
            ModelSerializer.writeModel(model, out, true);
          }
          try (FileSystem zip = FileSystems.newFileSystem(file)) {
            Files.write(zip.getPath(STATE), state);
            history.writeCsv(zip.getPath(HISTORY));
          }
        });
  }

  static SavedRun readState(Path file) throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile());
        InputStream state = open(zip, STATE, file)) {
      return StateReader.read(state, file + "!" + STATE);
    }
  }

  static void readHistory(Path file, GradNormHistory history, GradNormStep lastStep)
      throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile());
        CheckedInputStream csv = new CheckedInputStream(open(zip, HISTORY, file), new CRC32())) {
      history.read(
          new InputStreamReader(csv, StandardCharsets.UTF_8), file + "!" + HISTORY, lastStep);
      if (csv.getChecksum().getValue() != zip.getEntry(HISTORY).getCrc()) { // ZipFile does not look
        throw new IOException(
            String.format(
                Locale.ROOT,
                "%s!%s was cut short or changed: its checksum does not match",
                file,
                HISTORY));
      }
    }
  }

  private static InputStream open(ZipFile zip, String name, Path file) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s has no '%s': it was not written by GradNorm. Load the model alone, and build a GradNorm for it",
              file,
              name));
    }
    return zip.getInputStream(entry);
  }
}
