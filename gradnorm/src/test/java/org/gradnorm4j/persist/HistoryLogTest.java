package org.gradnorm4j.persist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.gradnorm4j.persist.HistoryLog.Mark;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was marked stays readable, whatever comes after it. */
class HistoryLogTest {
  @TempDir private Path folder;
  private HistoryLog log;

  @BeforeEach
  void begin() {
    log = new HistoryLog(folder);
  }

  private static HistoryLog.Content content(String text) {
    return out -> out.write(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String text(InputStream in) throws IOException {
    return new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }

  private String read(Mark mark) throws IOException {
    return HistoryLog.read(folder.resolve("checkpoint.zip"), mark, HistoryLogTest::text);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void everyMark_leadsToWhatWasThere() throws Exception {
    assertThat(log.canAppend()).isFalse();
    Mark one = log.begin(content("one"));
    Mark two = log.append(content(", two"));
    Mark nothing = log.append(out -> {});
    Mark large = log.append(content("x".repeat(1 << 20)));
    assertThat(log.canAppend()).isTrue();
    assertThat(read(one)).isEqualTo("one");
    assertThat(read(two)).isEqualTo("one, two");
    assertThat(nothing).isEqualTo(two);
    assertThat(read(large)).isEqualTo("one, two" + "x".repeat(1 << 20));
    assertThat(files()).containsExactly(folder.resolve(large.file()));
  }

  /** Half of a part is on the disk, as after a kill; then the same process goes on, if it can. */
  @Test
  void whatFailedHalfWay_doesNotCount_andIsWrittenOver() throws Exception {
    Mark one = log.begin(content("one"));
    for (int failures = 0; failures < 2; failures++) {
      assertThatThrownBy(
              () ->
                  log.append(
                      out -> {
                        content("half of a part").writeTo(out);
                        out.flush();
                        throw new IOException("disk full");
                      }))
          .hasMessage("disk full");
      assertThat(Files.size(folder.resolve(one.file()))).isEqualTo(17);
      assertThat(read(one)).isEqualTo("one");
    }
    Mark two = log.append(content(", 2"));
    assertThat(read(two)).isEqualTo("one, 2");
    assertThat(Files.size(folder.resolve(one.file()))).isEqualTo(6);
    assertThat(read(one)).isEqualTo("one");
  }

  @Test
  void beginningThatFails_leavesNothing() throws Exception {
    assertThatThrownBy(
            () ->
                log.begin(
                    out -> {
                      throw new NoClassDefFoundError("gone");
                    }))
        .isInstanceOf(NoClassDefFoundError.class);
    assertThat(files()).isEmpty();
    assertThat(log.canAppend()).isFalse();
    assertThatThrownBy(() -> log.append(content("more")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no history to append to. Begin one first");
  }

  @Test
  void fileThatWasCutOrDeleted_cannotBeAppendedTo_norRead() throws Exception {
    Mark mark = log.begin(content("some steps"));
    Path file = folder.resolve(mark.file());
    Files.write(file, new byte[3]);
    assertThat(log.canAppend()).isFalse();
    assertThatThrownBy(() -> read(mark))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "the history of %s cannot be restored: %s has 3 bytes, of which there must be 10. Put %s back beside it, or go on without the history: restore(...) takes this file, too, and reads the state alone",
            folder.resolve("checkpoint.zip"), file, mark.file());
    Files.delete(file);
    assertThat(log.canAppend()).isFalse();
    assertThatThrownBy(() -> read(mark))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file + " is missing");
  }

  @Test
  void everyChangedBit_isKnown_andATailIsNot() throws Exception {
    Mark mark = log.begin(content("some steps"));
    Path file = folder.resolve(mark.file());
    Files.writeString(file, " of another process", StandardOpenOption.APPEND);
    assertThat(read(mark)).isEqualTo("some steps");
    byte[] whole = Files.readAllBytes(file);
    for (int bit = 0; bit < 80; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      Files.write(file, flipped);
      assertThatThrownBy(() -> read(mark))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(file + " was cut short or changed: its checksum does not match");
    }
  }

  /** A mark comes from a file that somebody may have written. */
  @Test
  void namesOfOtherFiles_areNoMarks() {
    for (String name :
        List.of(
            "/etc/passwd",
            "../history-0123456789abcdef0123456789abcdef.log",
            "history-0123456789abcdef0123456789abcdef.log/..",
            "history-1.log",
            "")) {
      assertThatThrownBy(() -> new Mark(name, 1, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cannot be the file of a history");
    }
    assertThatThrownBy(() -> new Mark("history-0123456789abcdef0123456789abcdef.log", -1, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void files_areKnownByTheirNames() throws Exception {
    Mark one = log.begin(content("one"));
    Mark two = log.begin(content("two"));
    Files.writeString(folder.resolve("history-of-mine.log"), "mine");
    assertThat(HistoryLog.filesIn(folder))
        .containsExactlyInAnyOrder(folder.resolve(one.file()), folder.resolve(two.file()));
  }

  /** The oracle: all that was appended, in memory. */
  @Test
  void randomAppendsAndFailures_leaveEveryMarkReadable() throws Exception {
    Random random = new Random(4);
    StringBuilder all = new StringBuilder("begin");
    Mark mark = log.begin(content("begin"));
    for (int i = 0; i < 300; i++) {
      String part = Integer.toString(random.nextInt()).repeat(random.nextInt(50));
      if (random.nextInt(3) == 0) {
        assertThatThrownBy(
                () ->
                    log.append(
                        out -> {
                          content(part).writeTo(out);
                          throw new IOException("disk full");
                        }))
            .hasMessage("disk full");
      } else {
        mark = log.append(content(part));
        all.append(part);
      }
      assertThat(read(mark)).isEqualTo(all.toString());
    }
  }
}
