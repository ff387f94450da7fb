package org.gradnorm4j.core.internal.kernel;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.layers.AbstractLayer;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a vertex remembers from its forward pass and may use up in its backward pass: dropout masks,
 * the normalised input of batch normalization, noisy weights, recurrent state. Knowing it, a
 * backward pass can be run again.
 *
 * <p>DL4J keeps it in fields: arrays that are set to null once used (and some changed in place on
 * the way), and maps that are cleared. They are found by reflection, once per step, in the vertex,
 * its layer, the layers that one wraps, and their dropouts. Parameters and gradient views are left
 * alone: nothing uses them up.
 */
public final class BackwardState {
  private final List<ArrayField> arrays = new ArrayList<>();
  private final List<MapField> maps = new ArrayList<>();
  private final List<Flag> flags = new ArrayList<>();

  private record ArrayField(Object owner, Field field, INDArray value, boolean spoiled) {
    void set(INDArray array) {
      BackwardState.set(field, owner, array);
    }
  }

  private record Flag(Object owner, Field field, Object value) {
    void restore() {
      BackwardState.set(field, owner, value);
    }
  }

  private record MapField(Map<Object, Object> live, Object[] keys, Object[] values) {
    void restore() {
      live.clear();
      for (int i = 0; i < keys.length; i++) {
        live.put(keys[i], values[i]);
      }
    }
  }

  /** Reads the state of a vertex after its forward pass. */
  public static BackwardState of(GraphVertex vertex) {
    BackwardState state = new BackwardState();
    state.read(vertex);
    if (vertex.hasLayer()) {
      state.readLayer(vertex.getLayer());
    }
    return state;
  }

  /** Sets the vertex up for a backward pass that may spoil what it finds. */
  public void setUpCopy() {
    arrays.forEach(field -> field.set(field.spoiled() ? field.value().dup() : field.value()));
    maps.forEach(MapField::restore);
    flags.forEach(Flag::restore);
  }

  /** Sets the vertex up with what its forward pass left: for the real backward pass. */
  public void restore() {
    arrays.forEach(field -> field.set(field.value()));
    maps.forEach(MapField::restore);
    flags.forEach(Flag::restore);
  }

  /** Replaces a layer's input as if the forward pass had left this one. */
  public static void setInput(Layer layer, INDArray input) {
    set(field(AbstractLayer.class, "input"), layer, input);
  }

  /** Sets what a convolution would have cached for its backward pass; null for nothing. */
  static void setConvolution(ConvolutionLayer layer, INDArray patches, INDArray z) {
    set(field(ConvolutionLayer.class, "i2d"), layer, patches);
    set(field(AbstractLayer.class, "preOutput"), layer, z);
  }

  private void readLayer(Layer layer) {
    read(layer);
    IDropout dropout = layer.conf() == null ? null : layer.conf().getLayer().getIDropout();
    if (dropout != null) {
      read(dropout);
    }
  }

  private void read(Object owner) {
    for (Class<?> type = owner.getClass(); keepsState(type); type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (!Modifier.isStatic(field.getModifiers())) {
          read(owner, field);
        }
      }
    }
    if (owner instanceof BaseLayer<?>) {
      readMap(get(field(BaseLayer.class, "weightNoiseParams"), owner));
    }
    if (owner instanceof AbstractLayer<?>) { // what a CacheMode keeps: activations write into it
      read(owner, field(AbstractLayer.class, "preOutput"));
    }
    if (owner instanceof AbstractLayer<?> layer && layer.input() != null) {
      Field dropoutApplied = field(AbstractLayer.class, "dropoutApplied");
      boolean applied = (boolean) get(dropoutApplied, owner);
      flags.add(new Flag(owner, dropoutApplied, applied));
      // An output layer has its dropout yet to come in training, perhaps in place. Otherwise the
      // input is never changed in place, but some layers put a rearranged copy in its place.
      boolean spoiled = !applied && layer.conf().getLayer().getIDropout() != null;
      arrays.add(
          new ArrayField(owner, field(AbstractLayer.class, "input"), layer.input(), spoiled));
    }
  }

  private void read(Object owner, Field field) {
    if (field.getType() == INDArray.class) {
      INDArray array = (INDArray) get(field, owner);
      arrays.add(new ArrayField(owner, field, array, array != null));
    } else if (Map.class.isAssignableFrom(field.getType())) {
      readMap(get(field, owner));
    } else if (Layer.class.isAssignableFrom(field.getType())
        && owner instanceof Layer
        && get(field, owner) instanceof Layer wrapped) {
      readLayer(wrapped);
    }
  }

  @SuppressWarnings("unchecked") // only ever given back what was taken out
  private void readMap(Object map) {
    if (map != null) {
      Map<Object, Object> live = (Map<Object, Object>) map;
      maps.add(new MapField(live, live.keySet().toArray(), live.values().toArray()));
    }
  }

  /** The classes whose fields are a layer's own; those above keep inputs, parameters, gradients. */
  private static boolean keepsState(Class<?> type) {
    return type != null
        && type != Object.class
        && type != AbstractLayer.class
        && type != BaseLayer.class
        && !type.getName().endsWith("BaseGraphVertex");
  }

  private static Field field(Class<?> type, String name) {
    try {
      Field field = type.getDeclaredField(name);
      field.setAccessible(true);
      return field;
    } catch (NoSuchFieldException e) {
      throw unreadable(type.getName() + "." + name, e);
    }
  }

  private static Object get(Field field, Object owner) {
    try {
      field.setAccessible(true);
      return field.get(owner);
    } catch (IllegalAccessException e) {
      throw unreadable(field.toString(), e);
    }
  }

  private static void set(Field field, Object owner, Object value) {
    try {
      field.set(owner, value);
    } catch (IllegalAccessException e) {
      throw unreadable(field.toString(), e);
    }
  }

  private static IllegalStateException unreadable(String field, Exception cause) {
    return new IllegalStateException(
        "field "
            + field
            + " of Deeplearning4j cannot be accessed. Run with Deeplearning4j 1.0.0-M2.1 on the"
            + " class path, not the module path",
        cause);
  }
}
