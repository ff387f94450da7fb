package org.gradnorm4j.persist;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.gradnorm4j.optimizer.UpdaterFormat;
import org.gradnorm4j.optimizer.WeightOptimizer;

/**
 * Reads what {@link RecordWriter} wrote. The records of the program say what is read: each
 * component once, of its type; their constructors say which values are possible. Nothing in the
 * file names a class.
 *
 * <p>Wrong types and syntax come out as gson's exceptions, which {@link StateFile} translates.
 */
final class RecordReader {
  private static final Set<Class<?>> BOXED =
      Set.of(Integer.class, Long.class, Double.class, Boolean.class);

  private final JsonReader json;
  private final Consumer<String> unknown;

  /**
   * Reads from where the reader stands.
   *
   * @param unknown gets the path of each field that no record here has, before it is skipped; null
   *     if it is an error
   */
  RecordReader(JsonReader json, Consumer<String> unknown) {
    this.json = json;
    this.unknown = unknown;
  }

  /** Whether null is a value of a component of this type. */
  static boolean isOptional(Class<?> type) {
    return type.isRecord() || BOXED.contains(type);
  }

  static IllegalArgumentException unsupported(Object what) {
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "%s cannot be in a state file. Use numbers, strings, enums, arrays, List, Map<String, ...> and records of these",
            what));
  }

  /** Where the reader is: the fields from the part on. */
  static String path(JsonReader json) {
    return json.getPath().replaceFirst("^\\$\\.?", "");
  }

  <R extends Record> R record(Class<R> type) throws IOException {
    String path = path(json);
    RecordComponent[] components = type.getRecordComponents();
    List<String> names = Arrays.stream(components).map(RecordComponent::getName).toList();
    Object[] values = new Object[components.length];
    boolean[] read = new boolean[components.length];
    json.beginObject();
    while (json.hasNext()) {
      int index = names.indexOf(json.nextName());
      if (index < 0) {
        skip();
      } else {
        check(!read[index], "is there twice");
        read[index] = true;
        values[index] = component(components[index]);
      }
    }
    json.endObject();
    for (int i = 0; i < read.length; i++) {
      if (!read[i]) {
        throw new IOException(path + ": '" + names.get(i) + "' is missing");
      }
    }
    return create(type, components, values, path);
  }

  private void skip() throws IOException {
    check(unknown != null, "is not known here");
    unknown.accept(path(json));
    json.skipValue();
  }

  private Object component(RecordComponent component) throws IOException {
    if (isOptional(component.getType()) && json.peek() == JsonToken.NULL) {
      json.nextNull();
      return null;
    }
    return any(component.getGenericType());
  }

  private static <R extends Record> R create(
      Class<R> type, RecordComponent[] components, Object[] values, String path)
      throws IOException {
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      Constructor<R> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true); // the record itself need not be public
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException refused) {
        throw new IOException(path + ": " + refused.getMessage(), refused);
      }
      throw new IllegalStateException(type + " cannot be created", e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a record has a constructor of its components", e);
    }
  }

  private Object any(Type type) throws IOException {
    if (type instanceof ParameterizedType generic) {
      return collection(generic);
    }
    if (!(type instanceof Class<?> plain)) {
      throw unsupported(type);
    }
    if (plain.isArray()) {
      return array(plain.getComponentType());
    }
    if (plain.isRecord()) {
      return record(plain.asSubclass(Record.class));
    }
    return plain == WeightOptimizer.class ? optimizer() : value(plain);
  }

  private Object value(Class<?> type) throws IOException {
    if (type == int.class || type == Integer.class) {
      check(json.peek() == JsonToken.NUMBER, "must be an integer");
      return json.nextInt();
    }
    if (type == long.class || type == Long.class) {
      check(json.peek() == JsonToken.NUMBER, "must be an integer");
      return json.nextLong();
    }
    if (type == double.class || type == Double.class) {
      return number();
    }
    if (type == boolean.class || type == Boolean.class) {
      return json.nextBoolean();
    }
    if (type == String.class) {
      return string();
    }
    if (type.isEnum()) {
      return constant(type);
    }
    throw unsupported(type);
  }

  private String string() throws IOException {
    check(json.peek() == JsonToken.STRING, "must be a string");
    return json.nextString();
  }

  private double number() throws IOException {
    if (json.peek() == JsonToken.NUMBER) {
      return json.nextDouble();
    }
    return switch (string()) {
      case "NaN" -> Double.NaN;
      case "Infinity" -> Double.POSITIVE_INFINITY;
      case "-Infinity" -> Double.NEGATIVE_INFINITY;
      default -> throw new IOException(path(json) + " must be a number");
    };
  }

  private Object constant(Class<?> type) throws IOException {
    String name = string();
    for (Object constant : type.getEnumConstants()) {
      if (((Enum<?>) constant).name().equals(name)) {
        return constant;
      }
    }
    throw new IOException(
        String.format(
            Locale.ROOT,
            "%s ('%s') must be one of %s",
            path(json),
            name,
            Arrays.toString(type.getEnumConstants())));
  }

  private WeightOptimizer optimizer() throws IOException {
    String path = path(json);
    UpdaterFormat.Entry entry = record(UpdaterFormat.Entry.class);
    try {
      return UpdaterFormat.optimizer(entry);
    } catch (IllegalArgumentException e) {
      throw new IOException(path + ": " + e.getMessage(), e);
    }
  }

  private Object collection(ParameterizedType type) throws IOException {
    Type[] arguments = type.getActualTypeArguments();
    if (type.getRawType() == List.class) {
      return Collections.unmodifiableList(elements(arguments[0]));
    }
    if (type.getRawType() == Map.class && arguments[0] == String.class) {
      return map(arguments[1]);
    }
    throw unsupported(type);
  }

  private List<Object> elements(Type type) throws IOException {
    List<Object> elements = new ArrayList<>();
    json.beginArray();
    while (json.hasNext()) {
      elements.add(any(type));
    }
    json.endArray();
    return elements;
  }

  private Object array(Class<?> type) throws IOException {
    List<Object> elements = elements(type);
    Object array = Array.newInstance(type, elements.size());
    for (int i = 0; i < elements.size(); i++) {
      Array.set(array, i, elements.get(i));
    }
    return array;
  }

  private Map<String, Object> map(Type type) throws IOException {
    Map<String, Object> values = new LinkedHashMap<>();
    json.beginObject();
    while (json.hasNext()) {
      String key = json.nextName();
      check(!values.containsKey(key), "is there twice");
      values.put(key, any(type));
    }
    json.endObject();
    return Collections.unmodifiableMap(values);
  }

  private void check(boolean holds, String otherwise) throws IOException {
    if (!holds) {
      throw new IOException(path(json) + " " + otherwise);
    }
  }
}
