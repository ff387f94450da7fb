package org.gradnorm4j.persist;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A state file: a name and version, parts that are one record each, and the SHA-256 of all that. As
 * JSON, in UTF-8.
 *
 * <pre>{@code
 * byte[] file = StateFile.builder().part("run", run).part("settings", settings).write();
 *
 * StateFile state = StateFile.read(in, "state.json");
 * Run run = state.part("run", Run.class);
 * }</pre>
 *
 * <p>A record's components may be int, long, double, boolean, String, enums (by name), {@link
 * org.gradnorm4j.optimizer.WeightOptimizer}, records, and arrays, {@code List} and {@code
 * Map<String, ...>} of these. Boxed numbers and records may be null as a component, nothing else
 * may. Which values are possible, the record's compact constructor decides: its
 * IllegalArgumentException becomes an IOException that names the file and the path to the field.
 *
 * <p>What is read is what the program's records say. No class is named or made by the file, its
 * size and nesting are bounded, every field must be there, once. A field that is not known here is
 * skipped, with a warning, if the file is of a newer minor version; otherwise it is an error.
 * Another major version is refused.
 *
 * <p>Internal to the library. Immutable.
 */
public final class StateFile {
  /** Far more than any number of tasks needs; larger files are not read at all. */
  static final int LARGEST = 4 << 20;

  static final int DEEPEST = 32;

  private static final Logger log = LoggerFactory.getLogger(StateFile.class);
  private static final String FORMAT = "gradnorm4j-state";
  private static final int MAJOR = 2;
  private static final int MINOR = 0;
  private static final Pattern VERSION = Pattern.compile("([0-9]{1,4})(?:\\.([0-9]{1,4}))?");
  private static final Pattern PART = Pattern.compile("[a-z][A-Za-z0-9]{0,63}");

  private final String name;
  private final String text;
  private final boolean newer;
  private final List<String> parts;

  private StateFile(String name, byte[] file) throws IOException {
    this.name = name;
    text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(file)).toString();
    newer = minorVersion(open()) > MINOR;
    if (!StateSeal.isIntact(file)) {
      throw new IOException("it was cut short or changed: its checksum does not match");
    }
    parts = List.copyOf(names());
  }

  /**
   * Begins a file.
   *
   * @return without parts
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Reads a file, and proves its checksum.
   *
   * @param file read to its end; not closed
   * @param name of the file, for messages
   * @return its parts are read when they are asked for
   * @throws IOException if the file cannot be read, is not whole, or is of another format or
   *     version; says why
   */
  public static StateFile read(InputStream file, String name) throws IOException {
    byte[] bytes = file.readNBytes(LARGEST + 1);
    if (bytes.length > LARGEST) {
      throw new IOException(
          String.format(
              Locale.ROOT, "%s: a state has at most %d bytes, this has more", name, LARGEST));
    }
    try {
      return new StateFile(name, bytes);
    } catch (IOException | RuntimeException e) { // gson: IllegalStateException on a wrong type
      throw refused(name, e);
    }
  }

  /**
   * What to throw if the parts are possible one by one, but not together.
   *
   * @param why says what does not fit
   * @return names the file
   */
  public IOException refused(Exception why) {
    return refused(name, why);
  }

  private static IOException refused(String name, Exception why) {
    String reason = String.valueOf(why.getMessage()).lines().findFirst().orElse("");
    return new IOException(
        String.format(Locale.ROOT, "%s is no state that can be restored: %s", name, reason), why);
  }

  private JsonReader open() throws IOException {
    JsonReader json = new JsonReader(new StringReader(text));
    json.setStrictness(Strictness.STRICT);
    json.setNestingLimit(DEEPEST);
    json.beginObject();
    return json;
  }

  /** Reads the first two fields. */
  private static int minorVersion(JsonReader json) throws IOException {
    if (!json.nextName().equals("format") || !json.nextString().equals(FORMAT)) {
      throw new IOException("it has another format");
    }
    String version = json.nextName().equals("version") ? json.nextString() : "";
    Matcher numbers = VERSION.matcher(version);
    if (!numbers.matches()) {
      throw new IOException("it has no version");
    }
    if (Integer.parseInt(numbers.group(1)) != MAJOR || numbers.group(2) == null) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "it has version %s of the format, this library reads versions %d.x. Use the library that wrote it, or load the network alone and begin to balance anew",
              version,
              MAJOR));
    }
    return Integer.parseInt(numbers.group(2));
  }

  private List<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    JsonReader json = open();
    minorVersion(json);
    while (json.hasNext()) {
      String part = json.nextName();
      if (names.contains(part)) {
        throw new IOException(part + " is there twice");
      }
      names.add(part);
      json.skipValue();
    }
    json.endObject();
    if (json.peek() != JsonToken.END_DOCUMENT) {
      throw new IOException("there is more after its end");
    }
    names.remove(StateSeal.KEY);
    return names;
  }

  /**
   * Whether there is a part.
   *
   * @param part its name
   * @return true if there is
   */
  public boolean has(String part) {
    return parts.contains(part);
  }

  /**
   * Refuses other parts than these; of a newer minor version it only warns of them.
   *
   * @param known all that may be there
   * @throws IOException if there is another; names it
   */
  public void checkParts(String... known) throws IOException {
    List<String> others = parts.stream().filter(part -> !List.of(known).contains(part)).toList();
    if (!others.isEmpty()) {
      if (!newer) {
        throw refused(name, new IOException(others + " is not known here"));
      }
      warn(others);
    }
  }

  private void warn(List<String> unknown) {
    log.warn(
        "{} was written by a newer version of this library. What this one does not know was left out: {}",
        name,
        unknown);
  }

  /**
   * Reads a part.
   *
   * @param <R> its record
   * @param part its name
   * @param type of its record
   * @return as it was written
   * @throws IOException if it is missing, or is no such record with possible values; names the
   *     field
   * @throws IllegalArgumentException if the type has a component that a file cannot hold
   */
  public <R extends Record> R part(String part, Class<R> type) throws IOException {
    if (!has(part)) {
      throw refused(name, new IOException("'" + part + "' is missing"));
    }
    List<String> unknown = new ArrayList<>();
    R record;
    try {
      JsonReader json = open();
      while (!json.nextName().equals(part)) {
        json.skipValue();
      }
      record = new RecordReader(json, newer ? unknown::add : null).record(type);
    } catch (IOException | IllegalStateException | NumberFormatException e) { // the last two: gson
      throw refused(name, e);
    }
    if (!unknown.isEmpty()) {
      warn(unknown);
    }
    return record;
  }

  /** The names of file and parts. */
  @Override
  public String toString() {
    return name + parts;
  }

  /** Puts a file together. */
  public static final class Builder {
    private static final Set<String> TAKEN = Set.of("format", "version", StateSeal.KEY);

    private final Map<String, Record> parts = new LinkedHashMap<>();

    private Builder() {}

    /**
     * Adds a part after the others.
     *
     * @param part its name: letters and digits, not yet taken
     * @param content may be read back by its type
     * @return this
     * @throws IllegalArgumentException if the name is another, or taken
     */
    public Builder part(String part, Record content) {
      Objects.requireNonNull(content, part);
      if (!PART.matcher(part).matches()
          || TAKEN.contains(part)
          || parts.putIfAbsent(part, content) != null) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "part '%s' must be a new name that matches %s", part, PART));
      }
      return this;
    }

    /**
     * Writes the file.
     *
     * @return its bytes
     * @throws IllegalArgumentException if a part has something that a file cannot hold, such as an
     *     updater that is not ND4J's, or is too large; names it
     */
    public byte[] write() {
      StringWriter text = new StringWriter();
      JsonWriter json = new JsonWriter(text);
      json.setIndent("  ");
      try {
        json.beginObject();
        json.name("format").value(FORMAT);
        json.name("version").value(MAJOR + "." + MINOR);
        for (Map.Entry<String, Record> part : parts.entrySet()) {
          json.name(part.getKey());
          new RecordWriter(json).write(part.getValue());
        }
        json.flush();
      } catch (IOException e) {
        throw new IllegalStateException("writing to memory does not fail", e);
      }
      byte[] file = StateSeal.close(text.toString());
      if (file.length > LARGEST) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "a state of %d bytes cannot be read back: it must have at most %d",
                file.length,
                LARGEST));
      }
      return file;
    }
  }
}
