package org.gradnorm4j.gradnorm;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writes a file so that at any moment its name leads to all of the old content or all of the new:
 * into a folder beside it, forced to the disk, then renamed.
 */
final class AtomicFile {
  private static final String FOLDER = ".gradnorm4j-";

  private AtomicFile() {}

  /** Writes the content. */
  interface Content {
    void writeTo(Path file) throws IOException;
  }

  /**
   * Writes the file.
   *
   * @param target created, or replaced; not touched if this fails
   */
  static void write(Path target, Content content) throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    Path temporary = Files.createTempDirectory(folder, FOLDER);
    try {
      Path file = temporary.resolve(target.getFileName());
      content.writeTo(file);
      force(file, StandardOpenOption.WRITE);
      Files.move(file, target.toAbsolutePath(), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      delete(temporary);
    }
    try {
      force(folder, StandardOpenOption.READ); // the rename
    } catch (IOException e) {
      // Windows cannot: there the rename is as durable as the file system makes it.
    }
  }

  /** Removes what a killed process has left of its writing. */
  static void clean(Path folder) throws IOException {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, FOLDER + "*")) {
      for (Path temporary : left) {
        delete(temporary);
      }
    }
  }

  private static void force(Path path, StandardOpenOption option) throws IOException {
    try (FileChannel channel = FileChannel.open(path, option)) {
      channel.force(true);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
