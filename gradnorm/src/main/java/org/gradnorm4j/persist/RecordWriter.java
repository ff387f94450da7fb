package org.gradnorm4j.persist;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.gradnorm4j.optimizer.UpdaterFormat;
import org.gradnorm4j.optimizer.WeightOptimizer;

/**
 * Writes records as JSON objects, their components as fields in the order of declaration. Doubles
 * have all their digits; what JSON has no number for is a string: "NaN", "Infinity", "-Infinity".
 * Maps are sorted by key.
 */
final class RecordWriter {
  private final JsonWriter json;

  RecordWriter(JsonWriter json) {
    this.json = json;
  }

  /**
   * Writes a record.
   *
   * @throws IllegalArgumentException if a component has a type that a file cannot hold, or is null
   *     where that is not allowed; names it
   */
  void write(Record value) throws IOException {
    json.beginObject();
    for (RecordComponent component : value.getClass().getRecordComponents()) {
      json.name(component.getName());
      Object content = get(value, component);
      if (content == null && !RecordReader.isOptional(component.getType())) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%s.%s (null) must have a value. Only records and boxed numbers may be null",
                value.getClass().getSimpleName(),
                component.getName()));
      }
      if (content == null) {
        json.nullValue();
      } else {
        any(content);
      }
    }
    json.endObject();
  }

  private static Object get(Record value, RecordComponent component) {
    Method accessor = component.getAccessor();
    accessor.setAccessible(true); // the record itself need not be public
    try {
      return accessor.invoke(value);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("an accessible method can be called", e);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(component + " cannot be read", e);
    }
  }

  private void any(Object value) throws IOException {
    if (value instanceof Double number) {
      number(number);
    } else if (value instanceof Integer || value instanceof Long) {
      json.value((Number) value);
    } else if (value instanceof Boolean bool) {
      json.value(bool);
    } else if (value instanceof String text) {
      json.value(text);
    } else if (value instanceof Enum<?> constant) {
      json.value(constant.name());
    } else if (value instanceof WeightOptimizer optimizer) { // some are records, but not for files
      write(UpdaterFormat.of(optimizer));
    } else if (value instanceof Record inner) {
      write(inner);
    } else if (value instanceof List<?> list) {
      json.beginArray();
      for (Object element : list) {
        any(element);
      }
      json.endArray();
    } else if (value instanceof Map<?, ?> map) {
      map(map);
    } else {
      array(value);
    }
  }

  private void number(double value) throws IOException {
    if (Double.isFinite(value)) {
      json.value(value);
    } else {
      json.value(Double.toString(value));
    }
  }

  private void map(Map<?, ?> map) throws IOException {
    json.beginObject();
    for (Object key : new TreeSet<>(map.keySet())) { // the same bytes from the same values
      json.name((String) key);
      any(map.get(key));
    }
    json.endObject();
  }

  private void array(Object value) throws IOException {
    if (value == null || !value.getClass().isArray()) {
      throw RecordReader.unsupported(value);
    }
    json.beginArray();
    for (int i = 0; i < Array.getLength(value); i++) {
      any(Array.get(value, i));
    }
    json.endArray();
  }
}
