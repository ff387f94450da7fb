package org.gradnorm4j.persist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Old or new, never half; and no error of the disk goes unheard. */
class AtomicFileTest {
  private static final AtomicFile.Content NEW = file -> Files.writeString(file, "new");

  @TempDir private Path folder;

  private void assertOnly(Path file, String content) throws IOException {
    assertThat(file).hasContent(content);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void failedContent_leavesTheOldOne_andNothingElse() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "old");
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    temporary -> {
                      Files.writeString(temporary, "ha");
                      throw new IOException("disk full");
                    }))
        .hasMessage("disk full");
    assertOnly(file, "old");
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    temporary -> {
                      Files.writeString(temporary, "ha");
                      throw new NoClassDefFoundError("gone");
                    }))
        .isInstanceOf(NoClassDefFoundError.class);
    assertOnly(file, "old");
  }

  @Test
  void disk_thatDoesNotTakeTheFile_isHeardOf_andTheOldOneStays() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "old");
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    NEW,
                    (path, option) -> {
                      if (option == StandardOpenOption.WRITE) {
                        throw new IOException("input/output error");
                      }
                    }))
        .hasMessage("input/output error");
    assertOnly(file, "old");
  }

  @Test
  void folder_thatCouldBeForcedBefore_andCannotAfter_isHeardOf() {
    Path file = folder.resolve("file");
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    NEW,
                    (path, option) -> {
                      if (Files.exists(file) && option == StandardOpenOption.READ) {
                        throw new IOException("input/output error");
                      }
                    }))
        .hasMessage("input/output error");
    assertThat(file).hasContent("new");
  }

  @Test
  void system_thatCannotForceFolders_isLetBe() throws Exception {
    Path file = folder.resolve("file");
    AtomicFile.write(
        file,
        NEW,
        (path, option) -> {
          if (Files.isDirectory(path)) {
            throw new IOException("access denied");
          }
        });
    assertOnly(file, "new");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void link_isFollowed_andStays() throws Exception {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Path file = Files.writeString(elsewhere.resolve("file"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    AtomicFile.write(link, NEW);
    assertThat(link).isSymbolicLink().hasContent("new");
    assertThat(file).isRegularFile().hasContent("new");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void pipe_isWrittenTo_andStays() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    CompletableFuture<String> read =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return Files.readString(pipe);
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
    AtomicFile.write(pipe, NEW);
    assertThat(read.get()).isEqualTo("new");
    assertThat(Files.isRegularFile(pipe)).isFalse();
  }

  @Test
  void zip_isWrittenTo() throws Exception {
    Path zip = folder.resolve("some.zip");
    try (FileSystem inside = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
      AtomicFile.write(inside.getPath("file"), NEW);
    }
    try (FileSystem inside = FileSystems.newFileSystem(zip)) {
      assertThat(inside.getPath("file")).hasContent("new");
      try (Stream<Path> files = Files.list(inside.getPath("/"))) {
        assertThat(files).hasSize(1);
      }
    }
  }
}
