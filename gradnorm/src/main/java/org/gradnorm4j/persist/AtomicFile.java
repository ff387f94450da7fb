package org.gradnorm4j.persist;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writes a file so that at any moment its name leads to all of the old content or all of the new:
 * into a folder beside it, forced to the disk, then renamed. If writing fails, the old content
 * stays, and nothing else does.
 *
 * <pre>{@code
 * AtomicFile.write(Path.of("result.txt"), file -> Files.writeString(file, "42"));
 * }</pre>
 */
public final class AtomicFile {
  private static final String FOLDER = ".gradnorm4j-";

  private AtomicFile() {}

  /** Writes the content. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes all of it.
     *
     * @param file to be created; its name is that of the target, its folder is not
     * @throws IOException if it cannot be written
     */
    void writeTo(Path file) throws IOException;
  }

  /** Has what is written of a file or folder reach the disk. */
  interface Sync {
    void force(Path path, StandardOpenOption option) throws IOException;
  }

  /**
   * Writes the file. A link is followed; what is no regular file, such as a pipe or {@code
   * /dev/stdout}, and what is in another file system than the default one, such as a zip, is
   * written to directly.
   *
   * <p>The folder is forced to the disk, too, so that the new name survives a loss of power; where
   * the system has no way to do that, as on Windows, the name is as durable as the file system
   * makes it.
   *
   * @param target created, or replaced; not touched if this fails
   * @param content its content
   * @throws IOException if the file cannot be written, or the disk does not say that it has it
   */
  public static void write(Path target, Content content) throws IOException {
    write(target, content, AtomicFile::force);
  }

  /** As above, with another way to force. */
  static void write(Path target, Content content, Sync sync) throws IOException {
    if (!target.getFileSystem().equals(FileSystems.getDefault())
        || (Files.exists(target) && !Files.isRegularFile(target))) {
      content.writeTo(target);
      return;
    }
    Path file = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
    Path folder = file.getParent();
    boolean syncsFolders = syncsFolders(folder, sync);
    replace(file, content, sync);
    if (syncsFolders) {
      sync.force(folder, StandardOpenOption.READ); // the rename
    }
  }

  private static void replace(Path file, Content content, Sync sync) throws IOException {
    Path temporary = Files.createTempDirectory(file.getParent(), FOLDER);
    try {
      Path written = temporary.resolve(file.getFileName());
      content.writeTo(written);
      sync.force(written, StandardOpenOption.WRITE);
      Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (Throwable e) {
      try {
        delete(temporary);
      } catch (IOException left) {
        e.addSuppressed(left);
      }
      throw e;
    }
    delete(temporary);
  }

  /** Tried while nothing is at stake: once the file is there, a failure is one of the disk. */
  private static boolean syncsFolders(Path folder, Sync sync) {
    try {
      sync.force(folder, StandardOpenOption.READ);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Has the names in a folder reach the disk, where the system has a way to do that. */
  static void forceFolder(Path folder) throws IOException {
    if (syncsFolders(folder, AtomicFile::force)) {
      force(folder, StandardOpenOption.READ);
    }
  }

  /**
   * Removes what a killed process has left of its writing.
   *
   * @param folder in which it wrote
   * @throws IOException if it cannot be removed
   */
  public static void clean(Path folder) throws IOException {
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
