package org.gradnorm4j.gradnorm;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * JSON of which every key is known beforehand, in its order: whatever else comes is an error. Wrong
 * types come out as gson's IllegalStateException.
 */
final class StrictJson {
  private final JsonReader json;

  StrictJson(String text) {
    json = new JsonReader(new StringReader(text));
    json.setStrictness(Strictness.STRICT);
  }

  void beginObject() throws IOException {
    json.beginObject();
  }

  void endObject() throws IOException {
    json.endObject();
  }

  void beginArray(String name) throws IOException {
    name(name);
    json.beginArray();
  }

  void endArray() throws IOException {
    json.endArray();
  }

  boolean hasNext() throws IOException {
    return json.hasNext();
  }

  void endDocument() throws IOException {
    check(json.peek() == JsonToken.END_DOCUMENT, "end");
  }

  /** Whether the value of a key is null; if so, it has been read. */
  boolean isNull(String name) throws IOException {
    name(name);
    return isNull();
  }

  boolean bool(String name) throws IOException {
    name(name);
    return json.nextBoolean();
  }

  /** The value of the key that {@link #isNull} has read. */
  String string() throws IOException {
    check(json.peek() == JsonToken.STRING, json.getPath());
    return json.nextString();
  }

  static void check(boolean holds, String what) throws IOException {
    if (!holds) {
      throw new IOException("'" + what + "' is not as it must be");
    }
  }

  private void name(String expected) throws IOException {
    String name = json.nextName();
    if (!name.equals(expected)) {
      throw new IOException(
          String.format(Locale.ROOT, "'%s' is missing at %s", expected, json.getPath()));
    }
  }

  void begin(String name) throws IOException {
    name(name);
    json.beginObject();
  }

  private boolean isNull() throws IOException {
    if (json.peek() != JsonToken.NULL) {
      return false;
    }
    json.nextNull();
    return true;
  }

  String string(String name) throws IOException {
    name(name);
    return string();
  }

  List<String> strings(String name) throws IOException {
    name(name);
    json.beginArray();
    List<String> values = new ArrayList<>();
    while (json.hasNext()) {
      values.add(string());
    }
    json.endArray();
    return values;
  }

  int integer(String name) throws IOException {
    name(name);
    return integer();
  }

  private int integer() throws IOException {
    check(json.peek() == JsonToken.NUMBER, json.getPath());
    return json.nextInt();
  }

  /** An integer from 0. */
  int count(String name) throws IOException {
    int value = integer(name);
    check(value >= 0, name);
    return value;
  }

  int[] counts(String name, int length) throws IOException {
    name(name);
    return counts(length);
  }

  int[] counts(int length) throws IOException {
    int[] values = new int[length];
    json.beginArray();
    for (int i = 0; i < length; i++) {
      values[i] = integer();
      check(values[i] >= 0, json.getPath());
    }
    json.endArray();
    return values;
  }

  boolean[] booleans(String name, int length) throws IOException {
    name(name);
    boolean[] values = new boolean[length];
    json.beginArray();
    for (int i = 0; i < length; i++) {
      values[i] = json.nextBoolean();
    }
    json.endArray();
    return values;
  }

  double number(String name) throws IOException {
    name(name);
    return number();
  }

  /** A number, or the name of one that JSON does not have. */
  private double number() throws IOException {
    if (json.peek() == JsonToken.NUMBER) {
      return json.nextDouble();
    }
    return switch (json.nextString()) {
      case "NaN" -> Double.NaN;
      case "Infinity" -> Double.POSITIVE_INFINITY;
      case "-Infinity" -> Double.NEGATIVE_INFINITY;
      default -> throw new IOException("no number at " + json.getPath());
    };
  }

  Double optional(String name) throws IOException {
    name(name);
    return isNull() ? null : (Double) number();
  }

  double[] numbers(String name) throws IOException {
    name(name);
    List<Double> values = new ArrayList<>();
    json.beginArray();
    while (json.hasNext()) {
      values.add(number());
    }
    json.endArray();
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  double[] numbers(String name, int length) throws IOException {
    double[] values = numbers(name);
    check(values.length == length, name);
    return values;
  }

  double[] finite(String name, int length) throws IOException {
    double[] values = numbers(name, length);
    check(Arrays.stream(values).allMatch(Double::isFinite), name);
    return values;
  }
}
