package org.gradnorm4j.core;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;

/** Chooses the norm kernel for a shared layer. */
final class NormKernels {
  private NormKernels() {}

  /**
   * The kernel for this layer: {@link DenseNormKernel} for a dense layer without layer
   * normalization, {@link ReplayNormKernel} for anything else.
   *
   * @throws IllegalArgumentException if no kernel is exact on this layer
   */
  static NormKernel of(SharedLayer shared, DenseNormKernel.Method denseMethod) {
    checkRepeatable(shared);
    if (shared.layer() instanceof DenseLayer dense
        && dense.getClass() == DenseLayer.class
        && !dense.hasLayerNorm()) {
      return new DenseNormKernel(dense, denseMethod);
    }
    return new ReplayNormKernel(shared);
  }

  private static void checkRepeatable(SharedLayer shared) {
    for (Layer layer : withWrapped(shared.layer().conf().getLayer())) {
      if (layer instanceof BaseLayer noisy && noisy.getWeightNoise() != null) {
        throw new IllegalArgumentException(
            "layer '%s' has weight noise (%s): its backward pass cannot be repeated per task. Remove the noise, or choose another shared layer"
                .formatted(shared.name(), noisy.getWeightNoise().getClass().getSimpleName()));
      }
    }
  }

  /** The layer's configuration and those it wraps, each of which may have its own dropout. */
  static List<Layer> withWrapped(Layer layer) {
    Stream<Layer> wrapped = Stream.empty();
    if (layer instanceof BaseWrapperLayer wrapper) {
      wrapped = Stream.of(wrapper.getUnderlying());
    } else if (layer instanceof Bidirectional bidirectional) {
      wrapped = Stream.of(bidirectional.getFwd(), bidirectional.getBwd());
    }
    return Stream.concat(Stream.of(layer), wrapped.flatMap(inner -> withWrapped(inner).stream()))
        .toList();
  }
}
